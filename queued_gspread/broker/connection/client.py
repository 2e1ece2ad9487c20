"""Connections to Redis: how they are made, how long they wait, and what their failures mean.

redis-py's own retries are off: it would retry commands without knowing whether they are idempotent.
This package's scripts are, and :meth:`Connection.run` retries them.
"""

from __future__ import annotations

import os
import time
import weakref
from typing import TYPE_CHECKING, Any, Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    BusyLoadingError,
    ClusterDownError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.retry import Retry

from queued_gspread._clock import now
from queued_gspread._fork import ForkLock
from queued_gspread._interrupts import own
from queued_gspread.broker.keys import Keys, namespace_of
from queued_gspread.broker.scripts import SCRIPTS
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.settings import Settings

from .clock_steps import Steps
from .deadline import left, until
from .discovery import LOST, REFUSED_FOR_GOOD, NobodyAnswersError, NoMasterError
from .failures import has_most_clients, is_out_of_memory, unavailable
from .master import Master
from .pool import MovedAwayError, pool_of
from .redis_clock import RedisClock
from .url import CLUSTER, SERVER, Address, parse, unusable
from .wire import Pending, Wire, was_sent

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "LONGEST_LOOK",
    "LONGEST_RECONNECT",
    "REPLY_EXPIRY",
    "SLICE",
    "Connection",
    "Link",
    "as_text",
    "connect",
    "is_passing",
    "reply_expiry",
]

SLICE: Final = 2.0
"""The longest blocking read, in seconds; longer waits consist of slices."""

LONGEST_RECONNECT: Final = 120.0
"""Seconds for which a waiting caller tries to reach a Redis that is gone."""

REPLY_EXPIRY: Final = 300
"""Seconds for which a reply is kept for its caller: longer than the longest reconnect."""

_LONGEST_EXPIRY: Final = 24 * 3600

_LONGEST_FAILOVER: Final = 30.0
_PAUSE: Final = 0.1

_CONNECT_TIMEOUT: Final = 3.0
# Longer than a slice, so that it cuts no wait short, but finite, to notice a dead connection.
_SOCKET_TIMEOUT: Final = SLICE + 5.0

LONGEST_LOOK: Final = _SOCKET_TIMEOUT + _CONNECT_TIMEOUT
"""Seconds in which a waiting caller that can reach Redis looks at the server at least once.

It may first have to give up a silent connection, and to make another one.
"""

_OPTIONS: Final[dict[str, Any]] = {
    "decode_responses": False,
    "encoding": "utf-8",
    # Names that are not UTF-8 must go back to Redis unchanged.
    "encoding_errors": "surrogateescape",
    "health_check_interval": 0,
    "protocol": 2,
    "retry": Retry(NoBackoff(), 0),
    "socket_connect_timeout": _CONNECT_TIMEOUT,
    "socket_timeout": _SOCKET_TIMEOUT,
}

_REFUSED_FOR_NOW: Final = (ClusterDownError, ReadOnlyError, AskError, TryAgainError)
# Errors for which redis-py has no class, had none before version 6, or uses none if a script got
# the error: Redis cannot save, has too few replicas, runs a slow script, is or became a replica, or
# lost its master; a Cluster is being repaired, or moves a slot to another node.
_CODES_FOR_NOW: Final = (
    "MISCONF ",
    "NOREPLICAS ",
    "BUSY ",
    "READONLY ",
    "UNBLOCKED ",
    "MASTERDOWN ",
    "CLUSTERDOWN ",
    "ASK ",
    "TRYAGAIN ",
    "non local key",
)


class Connection:
    """The Redis of a namespace, shared by everything in this process that uses it.

    Its sockets are closed once nothing uses it.
    """

    def __init__(self, url: str, namespace: str = "") -> None:
        self.url = url
        address = parse(url)
        self.redis = _client(url, address, Keys(namespace).server)
        self.wire = Wire(self.redis.connection_pool)
        self.master = Master(self.redis.connection_pool, self.wire)
        self.clock = RedisClock()
        self.steps = Steps()
        weakref.finalize(self, _close, self.wire, self.redis, os.getpid()).atexit = False
        self._can_fail_over = address.kind != SERVER

    def run(
        self,
        name: str,
        keys: list[str],
        args: list[Any],
        patience: float = 0.0,
        then: Sequence[Any] = (),
        lost: list[BrokerUnavailableError] | None = None,
    ) -> Any:
        """Run a script; retry it once if the connection was lost.

        It stops at the thread's deadline (:mod:`.deadline`).

        Args:
            name: The script's name.
            keys: Its keys.
            args: Its arguments.
            patience: Seconds for which to retry while another Redis becomes the master, if there
                are several.
            then: A command to send in the same write.
            lost: Collects the failures of tries that may have run all the same.

        Returns:
            The script's result; with ``then``, that and the pending answer to the command.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses; the cause is redis-py's
                error.

        """
        deadline = now() + min(patience, _LONGEST_FAILOVER)
        lost = [] if lost is None else lost
        while True:
            try:
                return self._run_twice(name, keys, args, then, lost)
            except own(BrokerUnavailableError) as error:
                if not self._may_fail_over(error) or now() > deadline or left() <= 0:
                    error.may_have_run = bool(lost)
                    raise
            time.sleep(_PAUSE)

    def unlink(self, key: str, seconds: float) -> None:
        """Delete a key that would expire by itself; give up after some seconds."""
        try:
            with until(now() + seconds):
                self.wire.tell(["UNLINK", key])
        except own(RedisError):
            pass

    def command(self, name: str, keys: list[str], args: list[Any]) -> list[Any]:
        """Return the command that runs a loaded script, to send with another one."""
        return ["EVALSHA", SCRIPTS[name].sha, len(keys), *keys, *args]

    def _may_fail_over(self, error: BrokerUnavailableError) -> bool:
        is_away = isinstance(error.__cause__, NobodyAnswersError)
        return self._can_fail_over and is_passing(error) and not is_away

    def _run_twice(
        self,
        name: str,
        keys: list[str],
        args: list[Any],
        then: Sequence[Any],
        lost: list[BrokerUnavailableError],
    ) -> Any:
        try:
            return self._run(name, keys, args, then)
        except own(RedisError) as error:
            failure = self._failure(error, keys, lost)
            if not isinstance(error, LOST) or _is_refused(error) or left() <= 0:
                raise failure from error
        try:
            return self._run(name, keys, args, then)
        except own(RedisError) as error:
            raise self._failure(error, keys, lost) from error

    def _failure(
        self, error: RedisError, keys: list[str], lost: list[BrokerUnavailableError]
    ) -> BrokerUnavailableError:
        # Namespaces share a connection, so only the key names the namespace.
        settings = Settings(redis_url=self.url, namespace=namespace_of(keys[0]))
        failure = unavailable(settings, error)
        if _may_have_run(error):
            lost.append(failure)
        return failure

    def _run(self, name: str, keys: list[str], args: list[Any], then: Sequence[Any]) -> Any:
        try:
            return self._send(self.command(name, keys, args), then)
        except own(NoScriptError):
            pass  # sent below, outside the handling: errors there would hold this one in a cycle
        return self._send(["EVAL", SCRIPTS[name].text, len(keys), *keys, *args], then)

    def _send(self, command: list[Any], then: Sequence[Any]) -> Any | tuple[Any, Pending]:
        return self.wire.ask_and_go_on(command, then) if then else self.wire.ask(command)


def _close(wire: Wire, redis: redis.Redis, made_in: int) -> None:
    wire.close()
    if os.getpid() == made_in:  # in a forked child, redis-py drops the parent's connections
        redis.connection_pool.disconnect()


_connections: weakref.WeakValueDictionary[tuple[int, str, str], Connection] = (
    weakref.WeakValueDictionary()
)
_lock = ForkLock()


def connect(url: str, namespace: str = "") -> Connection:
    """Return this process's connection to the Redis of a namespace; its user must hold it.

    A forked child gets its own: a socket that two processes use garbles both their replies.

    Raises:
        ConfigurationError: The URL cannot be used.

    """
    # In a Cluster, each namespace is on its own master.
    key = (os.getpid(), url, namespace if CLUSTER in url.partition("://")[0] else "")
    known = _connections.get(key)
    if known is not None:
        return known
    with _lock.own:
        known = _connections.get(key)
        if known is None:
            known = _connections[key] = Connection(url, namespace)
        return known


class Link:
    """Holds the connection to the Redis of some settings, for one of its users.

    It can be copied and pickled together with its user.

    Args:
        settings: The settings that name the Redis.

    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held: tuple[int, Connection] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return (Link, (self._settings,))

    @property
    def connection(self) -> Connection:
        """The connection of this process."""
        held, pid = self._held, os.getpid()
        if held is None or held[0] != pid:
            settings = self._settings
            self._held = held = pid, connect(settings.redis_url, settings.namespace)
        return held[1]

    def let_go(self) -> None:
        """Release the connection until it is used again."""
        self._held = None


def _client(url: str, address: Address, key: str) -> redis.Redis:
    try:
        return redis.Redis(connection_pool=pool_of(address, key, _OPTIONS))
    except (ValueError, TypeError, RedisError):
        # redis-py does not know an option. Drop the cause: it may quote the password.
        raise unusable(url) from None


def is_passing(error: BaseException | None) -> bool:
    """Return whether Redis may accept the same command later."""
    if isinstance(error, BrokerUnavailableError):
        error = error.__cause__
    if isinstance(error, REFUSED_FOR_GOOD):
        return False
    if isinstance(error, LOST + _REFUSED_FOR_NOW) or is_out_of_memory(error):
        return True
    return isinstance(error, ResponseError) and any(code in str(error) for code in _CODES_FOR_NOW)


def _failed_to_connect(error: RedisError) -> bool:
    """Return whether a command was not even sent: in redis-py only the error's text says so."""
    return isinstance(error, (*REFUSED_FOR_GOOD, NoMasterError)) or "connecting to" in str(error)


def _may_have_run(error: RedisError) -> bool:
    """Return whether Redis may have run the command although it did not answer."""
    is_lost = isinstance(error, LOST) and not isinstance(error, MovedAwayError)
    return is_lost and was_sent(error) and not _is_refused(error)


def _is_refused(error: RedisError) -> bool:
    """Return whether Redis has certainly not run the command."""
    is_turned_away = isinstance(error, BusyLoadingError) or has_most_clients(error)
    return is_turned_away or _failed_to_connect(error)


def reply_expiry(timeout: float | None) -> int:
    """Return the seconds for which a reply is kept: a caller may sleep until its timeout."""
    return round(max(REPLY_EXPIRY, min(timeout or 0, _LONGEST_EXPIRY)))


def as_text(value: Any) -> str:
    """Return a value from Redis as text, whatever its type."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
