"""Connections to Redis: how they are made, how long they wait, and what their failures mean.

redis-py's own retries are off: it would send a command again without knowing whether that is
safe. The scripts of this package may be sent twice, and :meth:`Connection.run` does so.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.retry import Retry

from queued_gspread.errors import BrokerUnavailableError, ConfigurationError
from queued_gspread.fork import ForkLock
from queued_gspread.settings import hide_password

__all__ = [
    "LONGEST_RECONNECT",
    "REPLY_EXPIRY",
    "SLICE",
    "Connection",
    "as_text",
    "connect",
    "is_passing",
    "unavailable",
]

SLICE: Final = 2.0
"""Seconds that one blocking read lasts at the most; longer waits are made of slices."""

LONGEST_RECONNECT: Final = 120.0
"""Seconds for which a waiting caller tries to reach a Redis that has gone away."""

REPLY_EXPIRY: Final = 300
"""Seconds for which a reply waits for its caller: longer than the longest reconnect."""

_CONNECT_TIMEOUT: Final = 3.0
# Longer than a slice, so that no wait is cut short, and a dead connection is noticed.
_SOCKET_TIMEOUT: Final = SLICE + 5.0

_UNLIMITED: Final = 2**31
_OPTIONS: Final[dict[str, Any]] = {
    "decode_responses": False,
    "protocol": 2,
    "retry": Retry(NoBackoff(), 0),
    "socket_connect_timeout": _CONNECT_TIMEOUT,
    "socket_timeout": _SOCKET_TIMEOUT,
}

LOST: Final = (redis.ConnectionError, redis.TimeoutError)
"""The connection was lost, or there was none: a command may have been taken or not."""

_REFUSED_FOR_NOW: Final = (ClusterDownError, ReadOnlyError, TryAgainError)
# It cannot save, has too few replicas, runs a slow script, is or has become a replica: redis-py
# has no classes for these, or does not know them where a script met them.
_CODES_FOR_NOW: Final = ("MISCONF ", "NOREPLICAS ", "BUSY ", "READONLY ", "UNBLOCKED ")
_REFUSED_FOR_GOOD: Final = (AuthenticationError, AuthorizationError)


@dataclass(frozen=True)
class Script:
    """A Lua script and the hash by which Redis knows it."""

    text: str
    sha: str


SHARED: Final = ("prelude", "quota")
"""The parts that all scripts begin with."""


def _load(name: str) -> Script:
    folder = Path(__file__).with_name("lua")
    parts = (*SHARED, name)
    text = "".join((folder / f"{part}.lua").read_text() for part in parts)
    return Script(text, hashlib.sha1(text.encode()).hexdigest())  # noqa: S324 - Redis's choice


_NAMES: Final = (
    *("alive", "answer", "beat", "enqueue", "head"),
    *("recover", "release", "settle", "start", "withdraw"),
)
SCRIPTS: Final = {name: _load(name) for name in _NAMES}


class Connection:
    """One Redis, shared by everything in this process that uses the same URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.redis = _client(url)

    def run(self, name: str, keys: list[str], args: list[Any]) -> Any:
        """Run a script; once more where the connection had died since it was last used.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses; the cause is redis-py's
                error.

        """
        try:
            try:
                return self._run(name, keys, args)
            except LOST as error:
                if _is_refused(error):
                    raise
            try:
                return self._run(name, keys, args)
            except LOST as error:
                told = unavailable(self.url, error)
                told.may_have_run = True
                raise told from error
        except RedisError as error:
            raise unavailable(self.url, error) from error

    def _run(self, name: str, keys: list[str], args: list[Any]) -> Any:
        script = SCRIPTS[name]
        try:
            return self.redis.evalsha(script.sha, len(keys), *keys, *args)
        except NoScriptError:
            return self.redis.eval(script.text, len(keys), *keys, *args)


_connections: dict[tuple[int, str], Connection] = {}
_lock = ForkLock()


def connect(url: str) -> Connection:
    """Return this process's connection to a Redis.

    A forked child gets its own: a socket that two processes use garbles both their replies.

    Raises:
        ConfigurationError: The URL cannot be used.

    """
    key = (os.getpid(), url)
    with _lock:
        if key not in _connections:
            _connections[key] = Connection(url)
        return _connections[key]


def _client(url: str) -> redis.Redis:
    try:
        pool = redis.ConnectionPool.from_url(_without_our_options(url), **_OPTIONS)
        # Every caller that waits has a connection: as many as there are threads.
        pool.max_connections = _UNLIMITED
        if not issubclass(pool.connection_class, redis.UnixDomainSocketConnection):
            pool.connection_kwargs["socket_keepalive"] = True
        pool.connection_class(**pool.connection_kwargs)  # refuses unknown options
    except (ValueError, TypeError):
        # Without the cause: it may quote the password.
        raise ConfigurationError(
            f"Redis URL {hide_password(url)!r} cannot be used: take redis://HOST:PORT/DB, "
            "rediss://HOST:PORT/DB or unix://PATH, with /, ?, # and @ in a password written "
            "as %2F, %3F, %23 and %40"
        ) from None
    return redis.Redis(connection_pool=pool)


def _without_our_options(url: str) -> str:
    """Return a URL whose query may add options, and does not change those that we need."""
    place, _, query = url.partition("?")
    kept = [pair for pair in query.split("&") if pair.partition("=")[0] not in _OPTIONS]
    return f"{place}?{'&'.join(kept)}" if any(kept) else place


def is_passing(error: BaseException | None) -> bool:
    """Tell whether Redis may take the same command later."""
    if isinstance(error, BrokerUnavailableError):
        error = error.__cause__
    if isinstance(error, _REFUSED_FOR_GOOD):
        return False
    if isinstance(error, LOST + _REFUSED_FOR_NOW) or _is_out_of_memory(error):
        return True
    return isinstance(error, ResponseError) and any(code in str(error) for code in _CODES_FOR_NOW)


def _is_out_of_memory(error: BaseException | None) -> bool:
    # Where a script meets it, redis-py does not tell it from other errors.
    return isinstance(error, OutOfMemoryError) or "OOM command not allowed" in str(error)


def _failed_to_connect(error: RedisError) -> bool:
    """Tell whether a command was not even sent; redis-py says so in the error's text alone."""
    return isinstance(error, _REFUSED_FOR_GOOD) or "connecting to" in str(error)


def _is_refused(error: RedisError) -> bool:
    """Tell whether Redis has certainly not done what it was told."""
    return isinstance(error, BusyLoadingError) or _failed_to_connect(error)


def unavailable(url: str, error: RedisError) -> BrokerUnavailableError:
    """Return the error that tells a user what is wrong with Redis and what to do."""
    shown = hide_password(url)
    # redis-py's own texts name hosts and reasons, never a password.
    # Redis 7 cuts a script of somebody who has not logged in short, and says so in its own way.
    if isinstance(error, _REFUSED_FOR_GOOD) or "unauthenticated" in str(error):
        remedy = "check the user and the password in the URL"
    elif _is_out_of_memory(error):
        remedy = "give it more memory, or let the server empty the queue"
    elif isinstance(error, BusyLoadingError):
        remedy = "wait until it has read its data, and call again"
    elif isinstance(error, ResponseError):
        remedy = "check its settings and what this user may do"
    else:
        remedy = (
            "start one there (`redis-server`), or correct the URL (redis_url=, --redis-url or "
            "QUEUED_GSPREAD_REDIS_URL). `queued-gspread-server` with no URL configured starts "
            "one on its own machine"
        )
    return BrokerUnavailableError(f"Redis at {shown} cannot be used ({error}): {remedy}")


def as_text(value: Any) -> str:
    """Return what Redis answered as text, whatever it is."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
