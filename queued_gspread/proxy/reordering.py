"""A pipeline that reads and writes single cells in an order of its own: ``reorder=True``.

The queue keeps the order of calls, so reads and writes that alternate share no requests. Here calls
on single cells are held back for a while, and then put in so that reads come together and writes
come together, each after the calls before it on its own cell. Any other call goes in behind them.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gspread.exceptions import IncorrectCellLabel
from gspread.utils import a1_to_rowcol

from queued_gspread._interrupts import has_broken_in
from queued_gspread.broker import UNDONE

from .pipelining import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queued_gspread.broker import QueuedJob
    from queued_gspread.protocol.messages import Job

    from .pending import PendingCall, UsedCell
    from .pipelining import PutIn, Settle

__all__ = ["ReorderingPipeline", "arranged", "used_cell"]

# As many calls as a server lets run together.
_MOST_HELD: Final = 500
# By method, how many arguments name the cell, and whether it is written.
_METHODS: Final = {
    "acell": (1, False), "cell": (2, False), "update_acell": (1, True), "update_cell": (2, True),
}  # fmt: skip
_BEGIN_FORMULAS: Final = ("=", "+")


class _Held(NamedTuple):
    cell: UsedCell
    call: PendingCall
    job: QueuedJob
    put_in: PutIn
    settle: Settle


class ReorderingPipeline(Pipeline):
    """A pipeline whose calls on single cells may be made in another order."""

    reorders = True

    def __init__(self, limit: int = 1000, *, progress: bool = False) -> None:
        super().__init__(limit, progress=progress)
        self._held: list[_Held] = []
        # Another thread that touches a result puts in what it waits for.
        self._turn = threading.RLock()

    def put_in(
        self,
        call: PendingCall,
        job: QueuedJob,
        put_in: PutIn,
        settle: Settle,
        cell: UsedCell | None = None,
    ) -> None:
        """Hold a call on a single cell back; put any other in, behind those that are held."""
        if cell is None or call.future is not None:
            self.flush()
            super().put_in(call, job, put_in, settle)
            return
        self._make_room(len(job.body))
        call.job = job
        with self._turn:
            self._take_in(call, job)
            self._held.append(_Held(cell, call, job, put_in, settle))
        if len(self._held) >= _MOST_HELD:
            self.flush()

    def flush(self) -> None:
        """Put in what is held; a call that cannot be put in fails, and those behind it with it."""
        self.check_process()
        with self._turn:
            ready = arranged(self._held)
            try:
                for each in ready:
                    self._let_go(each.call)
                self._held.clear()
                self._send_all(ready)
            except BaseException:
                self._hold_again(ready)
                raise

    def _send_all(self, ready: list[_Held]) -> None:
        failure: Exception | None = None
        while ready:
            _, call, job, put_in, settle = ready[0]
            try:
                if failure is None:
                    self._send(call, job, put_in, settle)
            except BaseException as error:
                if not isinstance(error, Exception) or has_broken_in(error):
                    raise
                failure = error
            if failure is not None:
                self._end(call, settle, None, failure)
            del ready[0]

    def _hold_again(self, ready: list[_Held]) -> None:
        """Take back what an interrupt has left; the first may have been put in."""
        if not self._held and ready and ready[0].call not in self._calls:
            self._end_withdrawn(ready.pop(0).call, "unknown")  # unless it has ended
        left = [each for each in ready if each.call not in self._calls]
        for each in left:
            self._take_in(each.call, each.job)
        self._held = self._held or left

    def _fates(self, calls: list[PendingCall], *, gently: bool = False) -> dict[PendingCall, str]:
        held = {each.call for each in self._held}
        self._held = [each for each in self._held if each.call not in calls]
        fates = super()._fates([call for call in calls if call not in held], gently=gently)
        return fates | {call: UNDONE[0] for call in calls if call in held}


def used_cell(job: Job, sheet: tuple[Any, ...]) -> UsedCell | None:
    """Return the single cell that a worksheet's call is about; None if it is another call.

    A call that writes a formula is another one: what the cell shows depends on other cells.
    """
    count, writes = _METHODS.get(job.method, (0, False))
    names = ("row", "col") if count > 1 else ("label",)
    given = dict(zip(names, job.args, strict=False)) | job.kwargs
    value = job.args[count] if len(job.args) > count else job.kwargs.get("value")
    is_formula = writes and isinstance(value, str) and value.startswith(_BEGIN_FORMULAS)
    if not count or is_formula:
        return None
    cell = _row_and_column([given.get(name) for name in names])
    return None if cell is None else ((*sheet, *cell), writes)


def _row_and_column(named: list[Any]) -> tuple[int, int] | None:
    try:
        return a1_to_rowcol(named[0]) if len(named) == 1 else (int(named[0]), int(named[1]))
    except (IncorrectCellLabel, TypeError, ValueError):
        return None  # such a call fails in its turn


def arranged(held: Iterable[_Held]) -> list[_Held]:
    """Return calls in an order in which as many reads, and as many writes, stand together as can.

    Reads have even turns and writes odd ones. A call's turn is behind those of all calls before it
    on its cell, except that reads of a cell share one. Pure.
    """
    turns: list[tuple[int, _Held]] = []
    read: dict[Any, int] = {}
    written: dict[Any, int] = {}
    for each in held:
        place, writes = each.cell
        if writes:
            turn = written[place] = max(read.get(place, 0), written.get(place, -1) + 1) + 1
        else:
            turn = read[place] = written.get(place, -1) + 1
        turns.append((turn, each))
    return [each for _, each in sorted(turns, key=lambda pair: pair[0])]
