"""Makes redis.asyncio's connections to the Redis of a namespace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import redis
from redis.asyncio import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from queued_gspread.broker.connection.client import OPTIONS
from queued_gspread.broker.connection.pool import OVER_TCP, may_be_own, own_path
from queued_gspread.broker.connection.url import SERVER, parse, unusable

if TYPE_CHECKING:
    from queued_gspread.broker.connection.majority import Host

__all__ = ["Dialer", "connected"]


class _OwnFirst(Connection):
    """Tries the Redis that was started for this user before the port."""

    async def _connect(self) -> None:
        path = own_path(self.port)
        if path is not None:
            try:
                opened = await asyncio.open_unix_connection(path)
            except (FileNotFoundError, ConnectionRefusedError):
                pass  # no such socket, or one left by a killed Redis
            else:
                self._reader, self._writer = opened
                return
        await super()._connect()  # type: ignore[no-untyped-call]  # redis-py's own


_CLASSES: Final[dict[Any, Any]] = {
    redis.SSLConnection: SSLConnection,
    redis.UnixDomainSocketConnection: UnixDomainSocketConnection,
}
# Options of redis-py's pools.
_OF_POOLS: Final = ("connection_class", "max_connections")


class Dialer:
    """Makes connections to one Redis.

    Args:
        url: Its URL.

    Raises:
        ConfigurationError: The URL cannot be used.

    """

    def __init__(self, url: str) -> None:
        address = parse(url)
        self._kind, self._options = _kind_and_options(address.options)
        is_alone = address.kind == SERVER
        if is_alone and self._kind is Connection and may_be_own(address.options):
            self._kind = _OwnFirst
        try:
            self._kind(**self._options)
        except (ValueError, TypeError, RedisError):
            raise unusable(url) from None  # the cause may quote the password

    async def connect(self) -> Any:
        """Return a new connection.

        Raises:
            RedisError: There is none to be had; nothing was sent.

        """
        return await connected(self._kind, self._options)


async def connected(kind: Any, options: dict[str, Any], place: Host | None = None) -> Any:
    """Return a new connection, by default to the host that is among the options."""
    where = {} if place is None else {"host": place[0], "port": place[1]}
    connection = kind(**options | where)
    await connection.connect()
    return connection


def _kind_and_options(options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    kind = _CLASSES.get(options.get("connection_class"), Connection)
    needed = OPTIONS | {"retry": Retry(NoBackoff(), 0)}
    if kind is not UnixDomainSocketConnection:
        needed |= OVER_TCP
    own = {name: value for name, value in options.items() if name not in _OF_POOLS}
    return kind, own | needed
