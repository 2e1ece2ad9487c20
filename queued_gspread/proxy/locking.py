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
from itertools import pairwise
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

__all__ = ["Held", "Lock", "Place", "current", "here", "lane_now", "lent", "places_of"]

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
    """The locks of a block, and of those within it that lock the same again.

    Attributes:
        lanes: For each spreadsheet, the lane of the holder's calls.
        owner: The process, thread and task that hold them.
        taken: Those to release when the last of the blocks has ended.
        outer: What the context had before: the locks of who started this task.
        blocks: The blocks that have not ended. Another thread may end one: a change is one step.

    """

    lanes: dict[tuple[str, str, str], str]
    owner: tuple[int, int, Any]
    taken: list[Place] = field(default_factory=list)
    outer: Held | None = None
    blocks: dict[Block, None] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether any of its blocks has not ended."""
        return bool(self.blocks)


@dataclass(eq=False)
class Block:
    """One ``with``.

    Attributes:
        held: What is locked in it.
        to_take: What it has to lock first: nothing if it is within another.

    """

    held: Held
    to_take: Sequence[Place]

    def begin(self) -> None:
        """Make its thread or task the holder."""
        self.held.blocks[self] = None
        _current.set(self.held)

    def to_release(self) -> Sequence[Place]:
        """Return what to unlock when it ends: nothing while another block still needs it.

        Blocks of generators may end in any order.
        """
        return () if any(each is not self for each in list(self.held.blocks)) else self.held.taken

    def end(self) -> None:
        """End it, whether it has begun or not."""
        self.held.blocks.pop(self, None)
        if not self.held.is_open and _current.get() is self.held:
            _current.set(self.held.outer)


def _key(queue: Producer, lane: str) -> tuple[str, str, str]:
    # The lane first: callers may spell the same Redis differently, and must have the same order.
    return lane, queue.settings.namespace, queue.settings.redis_url


def here() -> tuple[int, int, Any]:
    """Return the process, the thread and the task that run this."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return os.getpid(), threading.get_ident(), task


def current() -> Held | None:
    """Return the locks that this thread or task holds."""
    held = _current.get()
    return held if held is not None and held.is_open and held.owner == here() else None


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
    held, me = _current.get(), here()
    while held is not None:
        is_starters = held.owner[0] == me[0] and held.owner != me
        if held.is_open and is_starters and key in held.lanes:
            raise LockError(
                f"the spreadsheet {key[0]} is locked by the task that has started this one, in a "
                "block of lock() that has not ended: if it waits for this task, as gather() does, "
                "both would wait for each other. Make the calls of a block in its own task, one "
                "after the other, or start this task outside of the block"
            )
        held = held.outer


@contextmanager
def lent(held: Held | None) -> Iterator[None]:
    """Let a thread make calls of the task that waits for it.

    They stay the holder's if the task's block ends meanwhile: then the server refuses them.
    """
    if held is None:
        yield
        return
    own = replace(held, owner=here(), taken=[], blocks=dict(held.blocks))
    token = _current.set(own)
    try:
        yield
    finally:
        _current.reset(token)


def places_of(sheets: Sequence[Any]) -> list[Place]:
    """Return the places of spreadsheets, each once, in the order in which they are locked."""
    if not sheets:
        raise TypeError("lock() takes at least one spreadsheet or worksheet")
    places = {place.key: place for place in map(_place_of, sheets)}
    in_order = [places[key] for key in sorted(places)]
    for one, other in pairwise(in_order):
        if one.key[:2] == other.key[:2]:
            raise LockError(
                f"lock() would wait for itself: the spreadsheet {one.lane} is given by clients of "
                f"{one.queue.settings.shown_url} and {other.queue.settings.shown_url}. Give it once"
            )
    return in_order


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


def _seconds(hold: Any) -> float:
    is_number = isinstance(hold, int | float) and not isinstance(hold, bool)
    if is_number and 0 < hold <= _LONGEST_HOLD:
        return float(hold)
    raise ValueError(f"lock(hold={hold!r:.40}): give seconds, at most {_LONGEST_HOLD:g}")


class Lock:
    """What both kinds of block begin with. Any number of threads and tasks may use it.

    Args:
        sheets: The spreadsheets to lock, or worksheets of them.
        hold: Seconds without a call after which a lock lapses.

    """

    def __init__(self, sheets: Sequence[Any], hold: float) -> None:
        self._sheets = sheets
        self._hold = _seconds(hold)
        # Those that have not ended, in order. Threads share it, too.
        self._blocks: dict[Block, None] = {}
        places_of(sheets)  # raises for anything that cannot be locked

    def _new_block(self) -> Block:
        """Return a block that is about to begin.

        Raises:
            LockError: This thread or task holds others, or would wait for who has started it.

        """
        places, outer = places_of(self._sheets), current()
        if outer is None:
            for place in places:
                _refuse_to_wait_for_starter(place.key)
            lanes = {place.key: place.holder_lane for place in places}
            return Block(Held(lanes, here(), outer=_around()), places)
        others = [place.lane for place in places if place.key not in outer.lanes]
        if not others:
            return Block(outer, ())
        raise LockError(
            f"a lock is held here, and not for the spreadsheet {others[0]}: a second lock inside a "
            "block could wait for a holder that waits for the first one. Lock all at the beginning "
            "of the outer block, as in lock(a, b), which takes them in an order of its own"
        )

    def _job(self, place: Place) -> bytes:
        return place.caller.lock_job(self._hold, place.title)

    def _extends(self, block: Block) -> dict[str, float]:
        """Return what must not lapse while another lock of the block is waited for."""
        return {place.holder_lane: self._hold for place in block.held.taken}

    def _begin(self, block: Block) -> None:
        self._blocks[block] = None
        block.begin()

    def _innermost(self) -> Block | None:
        """Return the block to end: none in a forked child.

        That of a generator may end in another thread or task than it has begun in.
        """
        held, process = current(), os.getpid()
        mine = [block for block in list(self._blocks) if block.held.owner[0] == process]
        own = [block for block in mine if block.held is held]
        return own[-1] if own else mine[0] if mine else None

    def _end(self, block: Block) -> None:
        block.end()
        self._blocks.pop(block, None)
