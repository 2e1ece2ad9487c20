"""Locks of spreadsheets, as a block that holds them: what both kinds of ``with`` have in common.

A lock belongs to the thread or task that took it. It is found in a context variable, whose value is
copied to new tasks and forked children, so who is asking is checked as well. The holder may wait
for a task that it has started in the block, so that task's calls are refused while the block
lasts: else both would wait until the lock lapses.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import gspread

from queued_gspread.broker import holder_lane, lock_number
from queued_gspread.errors import LockError
from queued_gspread.protocol.kinds import SPREADSHEET, WORKSHEET
from queued_gspread.protocol.objects import spreadsheet_of
from queued_gspread.protocol.routing import lane_of

from .caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from queued_gspread.broker import Producer

__all__ = ["Held", "Lock", "Place", "current", "lane_now", "lent", "places_of"]

_LONGEST_HOLD: Final = 86_400.0

_current: ContextVar[Held | None] = ContextVar("queued_gspread.lock", default=None)


@dataclass(frozen=True)
class Place:
    """A spreadsheet that is locked, or is about to be.

    Attributes:
        queue: Its queue.
        lane: Its lane.
        caller: Whose calls it is locked for.
        title: The spreadsheet's title, if it is known.
        number: The lock's number.

    """

    queue: Producer
    lane: str
    caller: Caller
    title: Any = None
    number: str = field(default_factory=lock_number)

    @property
    def key(self) -> tuple[str, str, str]:
        """Identifies the spreadsheet; locks are taken in the order of their keys."""
        return _key(self.queue, self.lane)

    @property
    def holder_lane(self) -> str:
        """The lane of the holder's calls."""
        return holder_lane(self.lane, self.number)


@dataclass(eq=False)
class Held:
    """The locks of one block.

    Attributes:
        lock: What the block was begun with.
        lanes: For each spreadsheet, the lane of the holder's calls.
        owner: The process, thread and task that hold them.
        taken: Those to release at the end of the block.
        outer: What the context had before: a block around it, or one of who started this task.
        is_open: Whether the block has not ended.

    """

    lock: Lock
    lanes: dict[tuple[str, str, str], str]
    owner: tuple[int, int, Any]
    taken: Sequence[Place] = ()
    outer: Held | None = None
    is_open: bool = True


def _key(queue: Producer, lane: str) -> tuple[str, str, str]:
    return queue.settings.redis_url, queue.settings.namespace, lane


def _here() -> tuple[int, int, Any]:
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return os.getpid(), threading.get_ident(), task


def current() -> Held | None:
    """Return the locks that this thread or task holds."""
    held = _current.get()
    return held if held is not None and held.is_open and held.owner == _here() else None


def lane_now(caller: Caller, lane: str) -> str:
    """Return the lane of a call that is made here and now: the holder's, under a lock.

    Raises:
        LockError: It would wait for who has started this task.

    """
    if _current.get() is None:
        return lane
    key, held = _key(caller.queue_now(), lane), current()
    if held is not None and key in held.lanes:
        return held.lanes[key]
    _refuse_to_wait_for_starter(key)
    return lane


def _around() -> Held | None:
    """Return what the context has, without blocks that have ended: tasks may start each other."""
    held = _still_open(_current.get())
    if held is not None:
        held.outer = _still_open(held.outer)
    return held


def _still_open(held: Held | None) -> Held | None:
    while held is not None and not held.is_open:
        held = held.outer
    return held


def _refuse_to_wait_for_starter(key: tuple[str, str, str]) -> None:
    held, here = _current.get(), _here()
    while held is not None:
        is_starters = held.owner[0] == here[0] and held.owner != here
        if held.is_open and is_starters and key in held.lanes:
            raise LockError(
                f"the spreadsheet {key[-1]} is locked by the task that has started this one, in a "
                "block of lock() that has not ended: if it waits for this task, as gather() does, "
                "both would wait for each other. Make the calls of a block in its own task, one "
                "after the other, or start this task outside of the block"
            )
        held = held.outer


@contextmanager
def lent(held: Held | None) -> Iterator[None]:
    """Let a thread make calls of the task that waits for it."""
    if held is None:
        yield
        return
    token = _current.set(replace(held, owner=_here(), taken=()))
    try:
        yield
    finally:
        _current.reset(token)


def places_of(sheets: Sequence[Any]) -> list[Place]:
    """Return the places of spreadsheets, each once, in the order in which they are locked."""
    if not sheets:
        raise TypeError("lock() takes at least one spreadsheet or worksheet")
    places = {place.key: place for place in map(_place_of, sheets)}
    return [places[key] for key in sorted(places)]


def _place_of(sheet: Any) -> Place:
    is_spreadsheet = isinstance(sheet, gspread.Spreadsheet)
    if is_spreadsheet or isinstance(sheet, gspread.Worksheet):
        caller = getattr(sheet.client, "_self_caller", None)
        if isinstance(caller, Caller):
            kind = SPREADSHEET if is_spreadsheet else WORKSHEET
            known = sheet._properties if is_spreadsheet else spreadsheet_of(sheet)  # noqa: SLF001
            lane = lane_of(kind, known["id"], "", (), {})
            return Place(caller.queue_now(), lane, caller, known.get("title"))
    raise TypeError(f"lock() takes spreadsheets and worksheets of this package, not {sheet!r:.100}")


class Lock:
    """What both kinds of block begin with. Any number of threads and tasks may use it.

    Args:
        sheets: The spreadsheets to lock, or worksheets of them.
        hold: Seconds without a call after which a lock lapses.

    """

    def __init__(self, sheets: Sequence[Any], hold: float) -> None:
        if not 0 < hold <= _LONGEST_HOLD:
            raise ValueError(f"lock(hold={hold!r}): give seconds, at most {_LONGEST_HOLD:g}")
        self._sheets = sheets
        self._hold = hold
        places_of(sheets)  # raises for anything that cannot be locked

    def _to_take(self) -> list[Place]:
        """Return the places to lock; none if this thread or task holds them.

        Raises:
            LockError: It holds others, or would wait for who has started this task.

        """
        places, outer = places_of(self._sheets), current()
        if outer is None:
            for place in places:
                _refuse_to_wait_for_starter(place.key)
            return places
        others = [place.lane for place in places if place.key not in outer.lanes]
        if not others:
            return []
        raise LockError(
            f"a lock is held here, and not for the spreadsheet {others[0]}: a second lock inside a "
            "block could wait for a holder that waits for the first one. Lock all at the beginning "
            "of the outer block, as in lock(a, b), which takes them in an order of its own"
        )

    def _job(self, place: Place) -> bytes:
        return place.caller.lock_job(self._hold, place.title)

    def _extends(self, taken: Sequence[Place]) -> dict[str, float]:
        """Return what must not lapse while another lock of the block is waited for."""
        return {place.holder_lane: self._hold for place in taken}

    def _begin(self, taken: Sequence[Place]) -> None:
        outer = current()
        lanes = {place.key: place.holder_lane for place in taken} or (outer.lanes if outer else {})
        _current.set(Held(self, lanes, _here(), taken, _around()))

    def _end(self) -> Sequence[Place]:
        """End the block; return the places to unlock: none in a forked child."""
        held = current()
        if held is None or held.lock is not self:
            return ()
        held.is_open = False
        _current.set(held.outer)
        return held.taken
