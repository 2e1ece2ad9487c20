"""A spreadsheet for one caller alone: ``with gspread.lock(sheet):``; see docs/locks.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread.proxy import locking
from queued_gspread.proxy.pipelining import flush

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from queued_gspread.proxy.locking import Block

__all__ = ["Lock", "lock"]


class Lock(locking.Lock):
    """A block that has spreadsheets for itself; :func:`lock` makes one."""

    def __enter__(self) -> Self:
        block = self._new_block()
        flush()
        try:
            for place in block.to_take:
                extends = self._extends(block)
                block.held.taken.append(place)  # before it is: an interrupt must not lose it
                place.caller.lock(place.queue, place.number, place.lane, self._job(place), extends)
            self._begin(block)
            return self  # noqa: TRY300 - an interrupt here is one in the block
        except BaseException:
            self._leave(block)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._leave(self._innermost())
        except BaseException:
            # An interrupt may have come anywhere in there, and all of it can be done again.
            self._leave(self._innermost())
            raise

    def _leave(self, block: Block | None) -> None:
        if block is None:
            return
        try:
            flush()
        finally:
            for place in block.to_release():
                place.queue.unlock(place.holder_lane)
            self._end(block)


def lock(*sheets: Any, hold: float = 30.0) -> Lock:
    """Return a block in which spreadsheets are this thread's, or task's, alone.

    Others' calls to them, reads too, wait at their places until the block ends. Several are taken
    in an order of their own, so two callers never wait for each other. Waiting for a lock is a
    place in line like any call's, with the client's timeout.

    Args:
        sheets: Spreadsheets, or worksheets, whose spreadsheets are meant.
        hold: Seconds without a call in a spreadsheet after which its lock lapses. Then the calls
            of the block end with :class:`~queued_gspread.errors.LockLostError`, unsent.

    """
    return Lock(sheets, hold)
