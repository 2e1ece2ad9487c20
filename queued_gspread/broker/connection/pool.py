"""Connections to whichever Redis is the master now.

A namespace lies in one slot of a Cluster, and so on one node. For this package a Cluster is
therefore what a Redis with Sentinels is: one server, whose address may change. Each connection
asks for the address when it is made, and is dropped when its Redis turns out not to be the
master any more; nothing is redirected, and nothing is sent a second time here.
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

__all__ = ["MovedAwayError", "pool_of"]

# A first connection asks for it, and what reads it is imported then: now, as a process may fork.
get_lib_version()

_UNLIMITED: Final = 2**31

# A peer that has vanished without a word is noticed after half a minute of silence.
_KEEPALIVE: Final = {
    getattr(socket, name): value
    for name, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
    if hasattr(socket, name)
}
_OVER_TCP: Final = {"socket_keepalive": True, "socket_keepalive_options": _KEEPALIVE}


_IF_IT_LASTS: Final = "if this does not pass"


class MovedAwayError(redis.ConnectionError):
    """The Redis that was asked is not the master, or not that of the namespace: nothing was done.

    Attributes:
        remedy: What to do where this lasts.

    """

    def __init__(self, error: ResponseError) -> None:
        if has_moved(error):
            super().__init__("this node of a Cluster has not, or no longer, the namespace")
            self.remedy = f"name the Cluster as redis+cluster://HOST:PORT,HOST:PORT, {_IF_IT_LASTS}"
        else:
            super().__init__("it is a read-only replica")
            named = "its Sentinels as redis+sentinel://HOST:PORT/SERVICE"
            self.remedy = f"name its master, or {named}, {_IF_IT_LASTS}"


class _Leaving:
    """Mixed into a connection: leaves a Redis that says that it is not the master."""

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().read_response(*args, **kwargs)  # type: ignore[misc]
        except ResponseError as error:
            if not _is_elsewhere(error):
                raise
            self.disconnect()  # type: ignore[attr-defined]
            self._note(error)
            raise MovedAwayError(error) from error

    def _note(self, error: ResponseError) -> None:
        """Tell a guide what was learnt, where there is one."""


class _Plain(_Leaving, Limited, redis.Connection):
    pass


class _OwnFirst(redis.Connection):
    """Looks first for the Redis that was started for this user in place of the port.

    It does so whenever it connects: that Redis may start after its clients, and end before them.
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
    """Mixed into a connection whose pool has a guide."""

    connection_pool: Any

    def _note(self, error: ResponseError) -> None:
        self.connection_pool.sentinel_manager.note(error)


class _Led(_Telling, SentinelManagedConnection, _Plain):
    """Asks the guide for the address whenever it connects."""


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
        address: Where it is, or who knows.
        key: A key of the namespace: it says which of a Cluster's masters.
        options: redis-py's options that are needed, whatever the URL says.

    Raises:
        TypeError, ValueError, RedisError: redis-py does not take an option of the URL.

    """
    kind = _CLASSES.get(address.options.get("connection_class"), _Plain)
    needed = options if kind is _Unix else options | _OVER_TCP
    # Every caller that waits has a connection: as many as there are threads.
    given = address.options | needed | {"max_connections": _UNLIMITED}
    if address.kind == SERVER:
        kind = _Own if kind is _Plain and _may_be_own(address.options) else kind
        pool = redis.ConnectionPool(**given | {"connection_class": kind})
    else:
        is_cluster = address.kind == CLUSTER
        name = str(key_slot(key.encode())) if is_cluster else address.service
        discovery = discovery_of(address, needed | {"connection_class": kind})
        pool = SentinelConnectionPool(name, discovery, **given | {"connection_class": _LED[kind]})
    pool.connection_class(**pool.connection_kwargs)
    return pool


def _may_be_own(options: dict[str, Any]) -> bool:
    is_here = options.get("host") == "localhost"
    return is_here and not {"username", "password"} & options.keys()


def _connected_to_own(port: int, timeout: float | None) -> socket.socket | None:
    """Return a connection to this user's own Redis, None where there is none."""
    path = own_socket(port)
    if not _is_mine(path):
        return None
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        if isinstance(error, (FileNotFoundError, ConnectionRefusedError)):
            return None  # it is not there, or left by a Redis that was killed
        raise
    return connection


def _is_mine(path: Path) -> bool:
    """Return whether nobody but this user can have made a socket."""
    try:
        folder = path.parent.stat()
        return path.exists() and folder.st_uid == os.geteuid() and not folder.st_mode & 0o022
    except (OSError, AttributeError):  # Windows knows no such users
        return False


def _is_elsewhere(error: ResponseError) -> bool:
    # Where a script meets it, Redis 6 has it in the middle of a text of its own.
    is_read_only = isinstance(error, ReadOnlyError) or "-READONLY " in str(error)
    return is_read_only or has_moved(error)
