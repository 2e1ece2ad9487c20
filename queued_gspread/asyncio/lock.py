"""Locks of spreadsheets for tasks: ``async with gspread.lock(sheet):``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from queued_gspread._clock import now
from queued_gspread.broker.producer import LOCK_PATIENCE
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.proxy import locking

from .call import reply_to
from .facade import Facade, blocking
from .shell import Shell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self

    from queued_gspread.proxy.locking import Block, Place

    from .bus import Bus, Home

__all__ = ["Lock", "lock"]

# Seconds for which Redis is waited for at the end of a block; the lock lapses by itself.
_LEAVING: Final = 5.0


class Lock(locking.Lock):
    """A block that has spreadsheets for itself; :func:`lock` makes one."""

    def __init__(self, sheets: Sequence[Any], hold: float) -> None:
        super().__init__([blocking(sheet) for sheet in sheets], hold)
        homes = [sheet._home for sheet in sheets if isinstance(sheet, Facade)]  # noqa: SLF001 - ours
        if len(homes) < len(sheets):
            raise TypeError("lock() of asyncio takes spreadsheets and worksheets of asyncio")
        self._home: Home = homes[0]

    async def __aenter__(self) -> Self:
        block = self._new_block()
        try:
            for place in block.to_take:
                extends = self._extends(block)
                block.held.taken.append(place)  # before it is: a cancellation must not lose it
                await self._take(place, extends)
            self._begin(block)
        except BaseException:
            await self._leave(block)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._leave(self._innermost())

    async def _leave(self, block: Block | None) -> None:
        if block is not None:
            places = block.to_release()
            self._end(block)
            await self._unlock(places)

    async def _take(self, place: Place, extends: dict[str, float]) -> None:
        began, queue = now(), place.queue
        notice, body = queue.notice(LOCK_PATIENCE), self._job(place)
        job = queue.prepared(place.number, place.lane, body, notice, extends)
        reply = await reply_to(self._home.bus(queue.settings), job)
        place.caller.locked(reply, now() - began, notice)

    async def _unlock(self, places: Sequence[Place]) -> None:
        """Unlock, out of reach of a cancellation."""
        work = [asyncio.ensure_future(_released(self._bus(place), place)) for place in places]
        if work:
            await asyncio.shield(asyncio.gather(*work))

    def _bus(self, place: Place) -> Bus:
        return self._home.bus(place.queue.settings)


async def _released(bus: Bus, place: Place) -> None:
    end = now() + _LEAVING
    try:
        await Shell(bus, end).drive(place.queue.unlocking(place.holder_lane, end))
    except BrokerUnavailableError:
        return  # it lapses


def lock(*sheets: Any, hold: float = 30.0) -> Lock:
    """Return a block in which spreadsheets are this task's alone; see :func:`queued_gspread.lock`.

    Other tasks wait. Those that this one starts in the block are refused, as it may wait for them.
    """
    return Lock(sheets, hold)
