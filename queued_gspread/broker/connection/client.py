"""Connections to Redis: how they are made and shared, and how long they wait."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, Any, Final, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from queued_gspread._fork import ForkLock
from queued_gspread.broker.keys import Keys

from .attempts import Attempts
from .clock_steps import Steps
from .deadline import moment
from .master import Master
from .pool import pool_of
from .redis_clock import RedisClock
from .shell import Shell, tell_all
from .url import CLUSTER, SERVER, Address, parse, unusable
from .wire import Wire

if TYPE_CHECKING:
    from queued_gspread.settings import Settings

    from .effects import Core

__all__ = [
    "LONGEST_LOOK",
    "LONGEST_RECONNECT",
    "OPTIONS",
    "REPLY_EXPIRY",
    "SLICE",
    "Connection",
    "Link",
    "as_text",
    "connect",
    "reply_expiry",
]

T = TypeVar("T")

SLICE: Final = 2.0
"""The longest blocking read, in seconds; longer waits consist of slices."""

LONGEST_RECONNECT: Final = 120.0
"""Seconds for which a waiting caller tries to reach a Redis that is gone."""

REPLY_EXPIRY: Final = 300
"""Seconds for which a reply is kept for its caller: longer than the longest reconnect."""

_LONGEST_EXPIRY: Final = 24 * 3600

_CONNECT_TIMEOUT: Final = 3.0
# Longer than a slice, so that it cuts no wait short, but finite, to notice a dead connection.
_SOCKET_TIMEOUT: Final = SLICE + 5.0

LONGEST_LOOK: Final = _SOCKET_TIMEOUT + _CONNECT_TIMEOUT
"""Seconds in which a waiting caller that can reach Redis looks at the server at least once.

It may first have to give up a silent connection, and to make another one.
"""

OPTIONS: Final[dict[str, Any]] = {
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
        self.attempts = Attempts(url, can_fail_over=address.kind != SERVER)
        weakref.finalize(self, _close, self.wire, self.redis, os.getpid()).atexit = False

    def run(self, name: str, keys: list[str], args: list[Any], patience: float = 0.0) -> Any:
        """Run a script; see ``Attempts.run``. It stops at the thread's deadline."""
        return self.drive(self.attempts.run(name, keys, args, until=moment(), patience=patience))

    def drive(self, core: Core[T]) -> T:
        """Run a core to its end, blocking."""
        shell = self.shell()
        try:
            return shell.drive(core)
        finally:
            shell.drop()

    def shell(self) -> Shell:
        """Return what runs cores that belong together."""
        return Shell(self.wire, self.master)

    def unlink(self, key: str, seconds: float) -> None:
        """Delete a key that would expire by itself; give up after some seconds."""
        tell_all(self.wire, [["UNLINK", key]], seconds)


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
        return redis.Redis(connection_pool=pool_of(address, key, OPTIONS))
    except (ValueError, TypeError, RedisError):
        # redis-py does not know an option. Drop the cause: it may quote the password.
        raise unusable(url) from None


def reply_expiry(timeout: float | None) -> int:
    """Return the seconds for which a reply is kept: a caller may sleep until its timeout."""
    return round(max(REPLY_EXPIRY, min(timeout or 0, _LONGEST_EXPIRY)))


def as_text(value: Any) -> str:
    """Return a value from Redis as text, whatever its type."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
