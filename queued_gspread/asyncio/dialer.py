"""Makes redis.asyncio's connections to whichever Redis is the master now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import redis
from redis.asyncio import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from queued_gspread._clock import now
from queued_gspread.broker.connection.client import OPTIONS
from queued_gspread.broker.connection.discovery import EACH, MasterDiscovery
from queued_gspread.broker.connection.pool import OVER_TCP, may_be_own, own_path
from queued_gspread.broker.connection.url import SERVER, parse, unusable

from .line import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.exceptions import ResponseError

    from queued_gspread.broker.connection.majority import Host, Opinion

__all__ = ["Dialer"]


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
    """Makes connections to the master of a namespace; only for the loop that it was made in.

    Args:
        url: The Redis's URL.
        pool: redis-py's pool for the blocking client, with the discovery of the master, if any.

    Raises:
        ConfigurationError: The URL cannot be used.

    """

    def __init__(self, url: str, pool: Any) -> None:
        address = parse(url)
        self._kind, self._options = _kind_and_options(address.options)
        if address.kind == SERVER and self._kind is Connection and may_be_own(address.options):
            self._kind = _OwnFirst
        discovery = getattr(pool, "sentinel_manager", None)
        self._discovery = discovery if isinstance(discovery, MasterDiscovery) else None
        self._name: str = getattr(pool, "service_name", "")
        self._guide_kind, guide_options = _kind_and_options(address.guide_options)
        self._guide_options = guide_options | {"decode_responses": True}
        self._guides: dict[Host, Line] = {}
        try:
            self._kind(**self._options)
        except (ValueError, TypeError, RedisError):
            raise unusable(url) from None  # the cause may quote the password

    async def connect(self) -> Any:
        """Return a new connection to the master.

        Raises:
            RedisError: There is none to be had; nothing was sent.

        """
        if self._discovery is None:
            return await _connected(self._kind, self._options)
        finding = self._discovery.finding(self._name)
        try:
            host, is_last = next(finding)
            while True:
                try:
                    master = await self._master_at(host, _LAST if is_last else EACH)
                except RedisError as error:
                    host, is_last = finding.throw(error)
                else:
                    host, is_last = finding.send(master)
        except StopIteration as end:
            place: Host = end.value
        return await _connected(self._kind, _at(place, self._options))

    def note(self, error: ResponseError) -> None:
        """Learn from the error of a Redis that is not the master."""
        if self._discovery is not None:
            self._discovery.note(error)

    async def opinion(self, host: Host, seconds: float) -> Opinion | RedisError:
        """Return one host's opinion on the master, or its error."""
        discovery: Any = self._discovery
        try:
            answers = await self._answers(host, discovery.questions(self._name), seconds)
            opinion: Opinion = discovery.opinion_in(host, self._name, answers)
        except RedisError as error:
            return error
        return opinion

    async def close(self) -> None:
        """Close the connections to those that know the master."""
        guides, self._guides = self._guides, {}
        for line in guides.values():
            await line.close()

    async def _master_at(self, host: Host, seconds: float) -> Host:
        discovery: Any = self._discovery
        answers = await self._answers(host, discovery.questions(self._name)[:1], seconds)
        master: Host = discovery.master_in(host, self._name, answers)
        return master

    async def _answers(
        self, host: Host, commands: Sequence[Sequence[str]], seconds: float
    ) -> list[Any]:
        until, line = now() + seconds, self._guide(host)
        asked = [line.ask([*name.split(), *args]) for name, *args in commands]
        answers = [each.answer(until) for each in asked]
        return await asyncio.gather(*answers, return_exceptions=True)

    def _guide(self, host: Host) -> Line:
        if host not in self._guides:
            options = _at(host, self._guide_options)
            self._guides[host] = Line(lambda: _connected(self._guide_kind, options))
        return self._guides[host]


# Seconds in which the last host has to name the master for a new connection.
_LAST: Final = 3.0


async def _connected(kind: Any, options: dict[str, Any]) -> Any:
    connection = kind(**options)
    await connection.connect()
    return connection


def _at(place: Host, options: dict[str, Any]) -> dict[str, Any]:
    return options | {"host": place[0], "port": place[1]}


def _kind_and_options(options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    kind = _CLASSES.get(options.get("connection_class"), Connection)
    needed = OPTIONS | {"retry": Retry(NoBackoff(), 0)}
    if kind is not UnixDomainSocketConnection:
        needed |= OVER_TCP
    own = {name: value for name, value in options.items() if name not in _OF_POOLS}
    return kind, own | needed
