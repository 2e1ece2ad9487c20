"""Connections to whichever Redis is the master now.

A namespace is in one slot of a Cluster, and so on one node. To this package a Cluster is therefore
like a Redis with Sentinels: one server whose address may change. Each connection asks for the
address when it is made, and is dropped when its Redis is no longer the master. Nothing is
redirected or retried here.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any, Final

import redis
from redis.crc import key_slot
from redis.exceptions import ReadOnlyError, ResponseError
from redis.sentinel import (
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.utils import get_lib_version

from queued_gspread.settings import own_socket

from .deadline import Limited
from .discovery import discovery_of, has_moved
from .url import CLUSTER, SERVER

if TYPE_CHECKING:
    from pathlib import Path

    from .url import Address

__all__ = ["OVER_TCP", "MovedAwayError", "is_elsewhere", "may_be_own", "own_path", "pool_of"]

# The first connection would call this, which imports modules: do it now, before the process forks.
get_lib_version()

_UNLIMITED: Final = 2**31

# A peer that vanished silently is noticed after half a minute.
_KEEPALIVE: Final = {
    getattr(socket, name): value
    for name, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
    if hasattr(socket, name)
}
OVER_TCP: Final = {"socket_keepalive": True, "socket_keepalive_options": _KEEPALIVE}


_IF_IT_LASTS: Final = "if this does not pass"


class MovedAwayError(redis.ConnectionError):
    """Raised if a Redis is not the master, or not that of the namespace; it did nothing.

    Attributes:
        remedy: What to do if this lasts.

    """

    def __init__(self, error: ResponseError) -> None:
        if has_moved(error):
            super().__init__("this node of a Cluster does not have the namespace, or no longer")
            self.remedy = f"name the Cluster as redis+cluster://HOST:PORT,HOST:PORT, {_IF_IT_LASTS}"
        else:
            super().__init__("it is a read-only replica")
            named = "its Sentinels as redis+sentinel://HOST:PORT/SERVICE"
            self.remedy = f"name its master, or {named}, {_IF_IT_LASTS}"


class _Leaving:
    """Mixin for a connection that leaves a Redis which says that it is not the master."""

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().read_response(*args, **kwargs)  # type: ignore[misc]
        except ResponseError as error:
            if not is_elsewhere(error):
                raise
            self.disconnect()  # type: ignore[attr-defined]
            self._note(error)
            raise MovedAwayError(error) from error

    def _note(self, error: ResponseError) -> None:
        """Pass the error on to the discovery, if there is one."""


class _Plain(_Leaving, Limited, redis.Connection):
    pass


class _OwnFirst(redis.Connection):
    """Tries the Redis that was started for this user before the port.

    It does so on each connect: that Redis may start after its clients, and end before them.
    """

    def _connect(self) -> Any:
        own = _connected_to_own(self.port, self.socket_connect_timeout)
        if own is None:
            return super()._connect()  # type: ignore[no-untyped-call]  # redis-py's own
        own.settimeout(self.socket_timeout)
        return own


class _Own(_Leaving, Limited, _OwnFirst):
    pass


class _Tls(_Leaving, Limited, redis.SSLConnection):
    pass


class _Unix(_Leaving, Limited, redis.UnixDomainSocketConnection):
    pass


class _Telling:
    """Mixin for a connection whose pool has a discovery."""

    connection_pool: Any

    def _note(self, error: ResponseError) -> None:
        self.connection_pool.sentinel_manager.note(error)


class _Led(_Telling, SentinelManagedConnection, _Plain):
    """Asks the discovery for the address on each connect."""


class _LedTls(_Telling, SentinelManagedSSLConnection, _Tls):
    """The same, encrypted."""


_CLASSES: Final[dict[Any, Any]] = {
    redis.SSLConnection: _Tls,
    redis.UnixDomainSocketConnection: _Unix,
}
_LED: Final[dict[Any, Any]] = {_Plain: _Led, _Tls: _LedTls}


def pool_of(address: Address, key: str, options: dict[str, Any]) -> redis.ConnectionPool:
    """Return a pool of connections to the master; nothing is sent yet.

    Args:
        address: Where it is, or which hosts know.
        key: A key of the namespace, which decides the Cluster's master.
        options: redis-py's options that are needed, whatever the URL says.

    Raises:
        TypeError, ValueError, RedisError: redis-py refuses an option of the URL.

    """
    kind = _CLASSES.get(address.options.get("connection_class"), _Plain)
    needed = options if kind is _Unix else options | OVER_TCP
    # Every waiting caller has a connection, so there may be as many as threads.
    kwargs = address.options | needed | {"max_connections": _UNLIMITED}
    if address.kind == SERVER:
        kind = _Own if kind is _Plain and may_be_own(address.options) else kind
        pool = redis.ConnectionPool(**kwargs | {"connection_class": kind})
    else:
        is_cluster = address.kind == CLUSTER
        name = str(key_slot(key.encode())) if is_cluster else address.service
        discovery = discovery_of(address, needed | {"connection_class": kind})
        pool = SentinelConnectionPool(name, discovery, **kwargs | {"connection_class": _LED[kind]})
    pool.connection_class(**pool.connection_kwargs)
    return pool


def may_be_own(options: dict[str, Any]) -> bool:
    """Return whether a URL's options may mean the Redis that was started for this user."""
    is_here = options.get("host") == "localhost"
    return is_here and not {"username", "password"} & options.keys()


def own_path(port: int) -> Path | None:
    """Return the socket of this user's own Redis in place of a port, None if there is none."""
    path = own_socket(port)
    return path if _is_mine(path) else None


def _connected_to_own(port: int, timeout: float | None) -> socket.socket | None:
    """Return a socket connected to this user's own Redis, None if there is none."""
    path = own_path(port)
    if path is None:
        return None
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        if isinstance(error, (FileNotFoundError, ConnectionRefusedError)):
            return None  # no such socket, or one left by a killed Redis
        raise
    return connection


def _is_mine(path: Path) -> bool:
    """Return whether only this user can have made a socket."""
    try:
        folder = path.parent.stat()
        return path.exists() and folder.st_uid == os.geteuid() and not folder.st_mode & 0o022
    except (OSError, AttributeError):  # Windows has no such users
        return False


def is_elsewhere(error: ResponseError) -> bool:
    """Return whether a Redis says that it is not the master, or not the namespace's."""
    # If a script got the error, Redis 6 has it in the middle of another text.
    is_read_only = isinstance(error, ReadOnlyError) or "-READONLY " in str(error)
    return is_read_only or has_moved(error)
