"""What a loop has at one Redis: its connections, and the one read of all replies."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any

from queued_gspread._fork import ForkLock
from queued_gspread.broker.connection.client import connect
from queued_gspread.broker.connection.master import EACH, Master
from queued_gspread.broker.keys import Keys
from queued_gspread.errors import QueuedGspreadError

from .dialer import Dialer
from .jointly import Jointly
from .line import Line
from .replies import Replies

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from queued_gspread.broker.connection.majority import Host
    from queued_gspread.settings import Settings

__all__ = ["Bus", "Home"]

_HOW = "call authorize() again there: a client costs nothing until it is used"


class Bus:
    """The connections of a loop to the Redis of a namespace; only for that loop.

    Args:
        settings: Which Redis and which namespace.

    """

    def __init__(self, settings: Settings) -> None:
        self.loop = asyncio.get_running_loop()
        # The discovery of the master is shared by the process.
        self._shared = [connect(settings.redis_url, settings.namespace)]
        pool = self._shared[0].redis.connection_pool
        self._dialer = Dialer(settings.redis_url, pool)
        self.commands = Line(self._dialer.connect, self._dialer.note)
        self.jointly = Jointly(self.commands)
        self._reads = Line(self._dialer.connect, self._dialer.note)
        self._master = Master(pool, self)
        self.replies = Replies(self.commands, self._reads, Keys(settings.namespace))
        self._end = _closed_at_end(self)
        _begin(self._end)

    async def look(self) -> None:
        """Check whether the connections still lead to the master, as often as that is due."""
        looking = self._master.looking()
        try:
            host = next(looking)
            while True:
                host = looking.send(await self._dialer.opinion(host, EACH))
        except StopIteration:
            return

    def is_elsewhere(self, place: Host) -> bool:
        """Return whether any connection leads elsewhere."""
        return any(not _leads_to(place, each) for line in self._lines for each in line.connections)

    def leave_all_but(self, place: Host) -> None:
        """Cut the connections that lead elsewhere: calls that wait on them find them lost."""
        for line in self._lines:
            line.leave(lambda connection: not _leads_to(place, connection))

    def keep_to(self, place: Host | None) -> None:
        """Do nothing: only a server keeps to a place."""

    @property
    def _lines(self) -> tuple[Line, Line]:
        return self.commands, self._reads

    async def close(self) -> None:
        """Close the connections."""
        _forget(self.loop)
        self._shared.clear()
        await self.commands.finish()
        for line in self._lines:
            await line.close()
        await self._dialer.close()


def _leads_to(place: Host, connection: Any) -> bool:
    return (connection.host, connection.port) == place


async def _closed_at_end(bus: Bus) -> AsyncGenerator[None, None]:
    # asyncio.run() and other runners close a loop's asynchronous generators before the loop.
    try:
        yield
    finally:
        await bus.close()


def _begin(generator: AsyncGenerator[None, None]) -> None:
    step: Any = generator.__anext__()
    try:
        step.send(None)
    except StopIteration:
        return


class Home:
    """Shared by all objects of a client: its loop, which is the one in which it is first used.

    Args:
        classes: The class for each blocking one.

    """

    def __init__(self, classes: Mapping[type, Callable[[Any, Home], Any]]) -> None:
        self.classes = classes
        self._made_in = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0

    def bus(self, settings: Settings) -> Bus:
        """Return the connections of the running loop.

        Raises:
            QueuedGspreadError: It is not the client's loop; the text says what to do.

        """
        loop = _running()
        if self._made_in != os.getpid():
            raise QueuedGspreadError(
                f"this client was made before a fork, by process {self._made_in}: {_HOW}"
            )
        if self._loop is None:
            self._loop, self._thread = loop, threading.get_ident()
        if self._loop is not loop:
            raise self._elsewhere()
        return _bus_of(loop, settings)

    def _elsewhere(self) -> QueuedGspreadError:
        if self._loop is not None and self._loop.is_closed():
            return QueuedGspreadError(
                "the event loop in which this client was first used is closed. A client belongs to "
                f"one loop: make all calls within one asyncio.run(), or, in a new loop, {_HOW}"
            )
        where = "of another thread" if self._thread != threading.get_ident() else "of this thread"
        return QueuedGspreadError(
            f"this client belongs to another event loop {where}, in which it was first used: "
            f"run its calls there (asyncio.run_coroutine_threadsafe()), or, in this loop, {_HOW}"
        )


def _running() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise QueuedGspreadError(
            "no event loop of asyncio is running here: await the call in a coroutine that "
            "asyncio.run() runs, or take the blocking client (import queued_gspread)"
        ) from None


_buses: dict[asyncio.AbstractEventLoop, dict[tuple[str, str], Bus]] = {}
_lock = ForkLock()


def _forget(loop: asyncio.AbstractEventLoop) -> None:
    with _lock.own:
        _buses.pop(loop, None)


def _bus_of(loop: asyncio.AbstractEventLoop, settings: Settings) -> Bus:
    key = settings.redis_url, settings.namespace
    with _lock.own:
        mine = _buses.get(loop)
        if mine is None:
            for other in [other for other in _buses if other.is_closed()]:
                del _buses[other]
            mine = _buses[loop] = {}
        if key not in mine:
            mine[key] = Bus(settings)
        return mine[key]
