"""How much memory calls may take at a time; calls that would take more wait for their turn.

A job's values are many times larger in the server's memory than in the job. So before its job is
decoded, a call takes its estimated need from a budget, and gives it back when it is answered. A job
that waits for memory stays in Redis. Large answers from Google wait too, undecoded, until there is
memory to read them.

Small calls, large calls and answers have separate budgets, so a large call waits for other large
calls alone and holds up nothing else. Most calls are so small that they are not counted. A call
that needs more than a whole budget gets all of it once it is unused. A call that has memory for its
answer waits for nothing more, so no call waits forever.
"""

from __future__ import annotations

import re
import sys
import threading
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import Permit
from queued_gspread.server.pacing.ticket_queue import ANSWERS, FREE, LARGE, SMALL, Ticket
from queued_gspread.server.pacing.valve import TURN
from queued_gspread.server.policy.rectangles import MOST_OBJECTS, made_of
from queued_gspread.server.policy.request import Exchange, answer_of, bytes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from queued_gspread.broker import Entry
    from queued_gspread.protocol.messages import Job
    from queued_gspread.server.pacing.valve import Valve

    from .call import Call

__all__ = ["DEFAULT_MAX_MEMORY", "Memory", "Portion", "estimate", "estimate_answers"]

DEFAULT_MAX_MEMORY: Final = 1024**3

_GO: Final = Permit("go")
_WAIT: Final = Permit("wait", wait=float("inf"))
# The whole is divided by these.
_SMALL_CALLS, _ANSWERS, _SMALL_CALL, _FREE_CALL = 4, 4, 64, 65_536
# Bytes, as measured (docs/guarantees.md): for a byte of text, decoded and in a request; for an item
# of a list; and for an item of a dict, whose keys and values are decoded
# as pairs first.
_BYTE, _ITEM, _PAIR = 12, 64, 160
# The same for an upsert, whose rows are looked up by their keys: for each more, and for each value.
_ROW, _VALUE = 1_300, 64
# For a cell of the rectangle that gspread sends for a few cells.
_FILLED: Final = 24
# For a cell that becomes an object of gspread's, with what is answered for it.
_OBJECT: Final = 550
# Up to so many bytes, a job is searched for the cells of such a rectangle.
_LOOKED_THROUGH: Final = 100_000
_PLACE: Final = re.compile(rb'\["cell",(\d{1,8}),(\d{1,8}),')
# A job that our clients did not write may hide cells, such as by escaping letters.
_CELL: Final = re.compile(rb'"cell"\s*,')
_ESCAPED: Final = re.compile(rb"\\u00[2-7]")


def estimate(body: bytes) -> int:
    """Return how many bytes a job's call takes at most, for what is sent in one request."""
    return _read(body) + _FILLED * _filled(body) + _looked_up(body)


def estimate_answers(results: Iterable[tuple[Call, object]]) -> int:
    """Return how many bytes answers take at most, including the results made from them."""
    size = 0
    for call, result in results:
        if isinstance(result, Exchange):
            size += _of_answer(call.job, result)
    return size


def _of_answer(job: Job, exchange: Exchange) -> int:
    content = bytes_of(answer_of(exchange.outcome))
    cells, are_objects = made_of(job, exchange.request, content)
    return _read(content) + cells * (_OBJECT if are_objects else _FILLED)


def _read(text: bytes) -> int:
    """Return how many bytes a JSON text and the values decoded from it take."""
    items = text.count(b",") + text.count(b"[")
    return _BYTE * len(text) + _ITEM * items + _PAIR * text.count(b":")


def _looked_up(body: bytes) -> int:
    """Return how many bytes the rows of an upsert take besides."""
    if b'"upsert_rows"' not in body and _ESCAPED.search(body) is None:
        return 0
    rows = body.count(b"[") + body.count(b"{")
    return _ROW * rows + _VALUE * (body.count(b",") + rows)


def _filled(body: bytes) -> int:
    """Return how many cells the rectangle around a job's cells has at most."""
    is_hidden = _ESCAPED.search(body) is not None
    if not is_hidden and b'"update_cells"' not in body:
        return 0
    if is_hidden or len(body) > _LOOKED_THROUGH:
        return MOST_OBJECTS
    places = [(int(row), int(column)) for row, column in _PLACE.findall(body)]
    if len(places) != len(_CELL.findall(body)):
        return MOST_OBJECTS
    rows, columns = [[place[axis] for place in places or [(1, 1)]] for axis in (0, 1)]
    return min((max(rows) - min(rows) + 1) * (max(columns) - min(columns) + 1), MOST_OBJECTS)


class Memory:
    """The budgets of a server.

    Args:
        most: Estimated bytes that calls may take at a time; 0 for no limit.

    Attributes:
        taken: Bytes that are taken, of each budget.
        is_short: Whether the first in the queue for a budget was refused: then no call may jump
            that queue.

    """

    def __init__(self, most: int = DEFAULT_MAX_MEMORY) -> None:
        most = most or sys.maxsize
        small, answers = most // _SMALL_CALLS, most // _ANSWERS
        self._most = {SMALL: small, LARGE: most - small - answers, ANSWERS: answers}
        self._largest_small, self._largest_free = most // _SMALL_CALL, most // _FREE_CALL
        self.taken = dict.fromkeys(self._most, 0)
        self.is_short = dict.fromkeys(self._most, False)
        self._lock = threading.Lock()
        self._on_free: Callable[[str], None] = lambda _: None

    def on_free(self, callback: Callable[[str], None]) -> None:
        """Call ``callback`` with the kind for which there is memory again."""
        self._on_free = callback

    def kind(self, size: int) -> str:
        """Return whether a call of this size is small or large, or too small to be counted."""
        if size <= self._largest_free:
            return FREE
        return SMALL if size <= self._largest_small else LARGE

    def take(self, kind: str, size: int, *, in_line: bool = False) -> bool:
        """Take memory from a budget if there is enough; return whether it was taken.

        Args:
            kind: Which budget.
            size: Bytes.
            in_line: Whether it is the turn of the one that asks.

        """
        if kind == FREE:
            return True
        with self._lock:
            taken = self.taken[kind]
            fits = taken + size <= self._most[kind] or not taken
            is_taken = fits and (in_line or not self.is_short[kind])
            self.taken[kind] += size if is_taken else 0
            self.is_short[kind] = not is_taken if in_line else self.is_short[kind]
            return is_taken

    def give_back(self, kind: str, size: int) -> None:
        """Give back what was taken."""
        if kind == FREE:
            return
        with self._lock:
            self.taken[kind] -= size
            is_waited_for = self.is_short[kind]
        if is_waited_for:
            self._on_free(kind)


class Portion:
    """The memory that the calls of one lane have taken.

    Args:
        memory: The server's budgets.

    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._sizes: dict[tuple[str, str], int] = {}
        self._reserved = self._answers = 0
        # What it waits for.
        self._wanted = 0

    def take(self, entry: Entry) -> bool:
        """Take what a job's call needs if there is enough; return whether it was taken."""
        if self._sizes:
            self.give_back(entry)  # from an attempt that failed half-way
        size, reserved, self._reserved = estimate(entry.body), self._reserved, 0
        if reserved < size:
            if reserved:
                self._return(reserved)
            kind = self._memory.kind(size)
            if kind == FREE:
                return True
            if not self._memory.take(kind, size):
                return False
        self._sizes[entry.key] = max(size, reserved)
        return True

    def ticket(self, entry: Entry) -> Ticket:
        """Return a ticket for as much as a job's call needs; the job itself need not be kept."""
        self._wanted = estimate(entry.body)
        return Ticket(self._memory.kind(self._wanted))

    def give_back(self, entry: Entry) -> None:
        """Give back what a job's call had, if it had anything."""
        if size := self._sizes.pop(entry.key, 0):
            self._return(size)

    def take_answers(self, size: int) -> Ticket | None:
        """Take what is needed to read answers; return a ticket where that is to be waited for."""
        if self._memory.kind(size) != LARGE:
            return None
        if self._memory.take(ANSWERS, size):
            self._answers = size
            return None
        self._wanted = size
        return Ticket(ANSWERS)

    def in_turn(self, ticket: Ticket, valve: Valve) -> Generator[Ticket, Permit, Permit]:
        """Wait for a ticket's turn, and take what it is for; or return how it ends."""
        try:
            turn = yield ticket
            while turn is TURN and ticket.kind != FREE:
                permit = self.ask(ticket)
                valve.told(ticket, permit)
                if permit.word == "go":
                    break
                turn = yield ticket
        except GeneratorExit:
            valve.told(ticket)
            raise
        return turn

    def ask(self, ticket: Ticket) -> Permit:
        """Take what a ticket is for whose turn has come; or say that it has to wait again."""
        if not self._memory.take(ticket.kind, self._wanted, in_line=True):
            return _WAIT
        if ticket.kind == ANSWERS:
            self._answers = self._wanted
        else:
            self._reserved = self._wanted
        return _GO

    def give_answers_back(self) -> None:
        """Give back what answers had waited for and taken, now that they are read."""
        size, self._answers = self._answers, 0
        if size:
            self._memory.give_back(ANSWERS, size)

    @property
    def is_counted(self) -> bool:
        """Whether any call has so much that others may wait for it."""
        return bool(self._sizes)

    def close(self) -> None:
        """Give everything back."""
        sizes = [self._reserved, *self._sizes.values()]
        self._sizes.clear()
        self._reserved = 0
        for size in filter(None, sizes):
            self._return(size)
        self.give_answers_back()

    def _return(self, size: int) -> None:
        self._memory.give_back(self._memory.kind(size), size)
