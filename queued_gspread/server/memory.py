"""How much memory calls may take at a time; those that would take more wait for their turn.

A job's values are many times as large in the server's memory as they are in the job. So a call
takes what it is estimated to need from a budget before its job is decoded, and gives it back when
it is answered. A job that waits for memory stays in Redis.

Small calls and large ones have budgets of their own, so that a large call waits for large ones
alone, and holds up no others. One that needs more than a whole budget runs when that is unused.
"""

from __future__ import annotations

import re
import sys
import threading
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import Permit

from .line import LARGE, SMALL, Ticket
from .rectangles import MOST_OBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker import Entry

__all__ = ["DEFAULT_MAX_MEMORY", "Memory", "Portion", "estimate"]

DEFAULT_MAX_MEMORY: Final = 1024**3

_GO: Final = Permit("go")
_WAIT: Final = Permit("wait", wait=float("inf"))
# Of the whole, in parts.
_SMALL_CALLS, _SMALL_CALL = 4, 64
# Bytes, as measured (docs/guarantees.md): of a byte of text, decoded and in a request; of a list's
# item; and of a dict's, where its keys and values come in pairs at first.
_BYTE, _ITEM, _PAIR = 12, 64, 160
# The same of a cell of the rectangle that is sent for a few cells, which a job of so many bytes is
# looked through for.
_FILLED: Final = 24
_LOOKED_THROUGH: Final = 100_000
_PLACE: Final = re.compile(rb'\["cell",(\d{1,8}),(\d{1,8}),')


def estimate(body: bytes) -> int:
    """Return how many bytes a job's call takes at the most, of what is sent for it in one piece."""
    items = body.count(b",") + body.count(b"[")
    return _BYTE * len(body) + _ITEM * items + _PAIR * body.count(b":") + _FILLED * _filled(body)


def _filled(body: bytes) -> int:
    """Return how many cells the rectangle around those of a job has at the most."""
    if b'"update_cells"' not in body:
        return 0
    if len(body) > _LOOKED_THROUGH:
        return MOST_OBJECTS
    places = [(int(row), int(column)) for row, column in _PLACE.findall(body)] or [(1, 1)]
    rows, columns = [row for row, _ in places], [column for _, column in places]
    return min((max(rows) - min(rows) + 1) * (max(columns) - min(columns) + 1), MOST_OBJECTS)


class Memory:
    """The budgets of a server.

    Args:
        most: Bytes that calls may take at a time, as they are estimated; 0 for any amount.

    """

    def __init__(self, most: int = DEFAULT_MAX_MEMORY) -> None:
        most = most or sys.maxsize
        self._most = {SMALL: most // _SMALL_CALLS, LARGE: most - most // _SMALL_CALLS}
        self._largest_small = most // _SMALL_CALL
        self._taken = {SMALL: 0, LARGE: 0}
        # Whether the first in line was refused: then nobody passes by the line.
        self._is_short = {SMALL: False, LARGE: False}
        self._lock = threading.Lock()
        self._on_free: Callable[[str], None] = lambda _: None

    def on_free(self, callback: Callable[[str], None]) -> None:
        """Have a function called with the kind of calls for which there is memory again."""
        self._on_free = callback

    def kind(self, size: int) -> str:
        """Return whether a call that takes so much is small or large."""
        return SMALL if size <= self._largest_small else LARGE

    def take(self, size: int, *, in_line: bool = False) -> bool:
        """Take so much, if there is as much; tell whether it was taken.

        Args:
            size: Bytes.
            in_line: Whether the valve asks, for the first in line.

        """
        kind = self.kind(size)
        with self._lock:
            taken = self._taken[kind]
            fits = taken + size <= self._most[kind] or not taken
            is_taken = fits and (in_line or not self._is_short[kind])
            self._taken[kind] += size if is_taken else 0
            self._is_short[kind] = not is_taken if in_line else self._is_short[kind]
            return is_taken

    def give_back(self, size: int) -> None:
        """Give back what was taken."""
        kind = self.kind(size)
        with self._lock:
            self._taken[kind] -= size
            is_waited_for = self._is_short[kind]
        if is_waited_for:
            self._on_free(kind)


class Portion:
    """What the calls of one lane have taken.

    Args:
        memory: From where.

    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._sizes: dict[str, int] = {}
        self._reserved = 0

    def take(self, entry: Entry) -> bool:
        """Take what a job's call needs, if there is as much; tell whether it was taken."""
        size, reserved, self._reserved = estimate(entry.body), self._reserved, 0
        if reserved < size:
            self._return(reserved)
            if not self._memory.take(size):
                return False
        self._sizes[entry.entry] = max(size, reserved)
        return True

    def ticket(self, entry: Entry) -> Ticket:
        """Return a ticket for as much as a job's call needs; the job itself need not be kept."""
        size = estimate(entry.body)
        return Ticket(self._memory.kind(size), lambda: self._ask(size))

    def give_back(self, entry: Entry) -> None:
        """Give back what a job's call had, if it had anything."""
        self._return(self._sizes.pop(entry.entry, 0))

    def close(self) -> None:
        """Give everything back."""
        for size in (self._reserved, *self._sizes.values()):
            self._return(size)
        self._sizes.clear()
        self._reserved = 0

    def _ask(self, size: int) -> Permit:
        if not self._memory.take(size, in_line=True):
            return _WAIT
        self._reserved = size
        return _GO

    def _return(self, size: int) -> None:
        if size:
            self._memory.give_back(size)
