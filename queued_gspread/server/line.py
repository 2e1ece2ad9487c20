"""The line at the valve: who is next, given what time it is. Pure: no clock, no thread, no I/O."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import ALL

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker import Permit

__all__ = ["ANSWERS", "FREE", "LARGE", "SLOTLESS", "SMALL", "Line", "Ticket"]

FREE: Final = ""
"""The kind of a request that takes no slot, and waits for nobody."""

SMALL, LARGE, ANSWERS = "small", "large", "answers"
"""The kinds of what waits for memory, and neither for a slot nor for a token."""

SLOTLESS: Final = frozenset({FREE, SMALL, LARGE, ANSWERS})

_SPARE: Final = 64


@dataclass(eq=False)
class Ticket:
    """A request's place in line. Moments are of one monotonic clock, in seconds.

    Attributes:
        kind: The kind of request, as to the quota.
        ask: Asks Redis for a permit.
        number: Its place; a request that is sent again keeps the one it had.
        not_before: When it may be sent at the earliest.
        until: When it gives up.
        resume: Called with what the waiting has come to.
        on_wait: Called before it waits.
        is_in_line: Whether it stands in line.
        lane: Whose request it is.

    """

    kind: str
    ask: Callable[[], Permit]
    number: int = 0
    not_before: float = -math.inf
    until: float = math.inf
    resume: Callable[[Permit | Exception], None] = field(default=lambda _: None, repr=False)
    on_wait: Callable[[], None] = field(default=lambda: None, repr=False)
    is_in_line: bool = False
    lane: str = ""


# By moment and number; then by when it was put in, as a request that comes again keeps its number.
_Heap = list[tuple[float, int, int, Ticket]]


class Line:
    """Tickets, first come first served within a kind; no kind waits for another.

    A lane has one ticket at the most, so those who wait get slots in turn however much work
    each has.
    """

    def __init__(self) -> None:
        self._ready: defaultdict[str, _Heap] = defaultdict(list)
        self._early: _Heap = []
        self._ends: _Heap = []
        self._blocked: dict[str, float] = {}
        self._count = 0
        self._entries = itertools.count()

    def __len__(self) -> int:
        """Return how many wait."""
        return self._count

    def add(self, ticket: Ticket) -> None:
        """Put a ticket in line, where its number belongs."""
        ticket.is_in_line = True
        self._count += 1
        if ticket.not_before > -math.inf:
            self._insert(self._early, ticket.not_before, ticket)
        else:
            self._push(ticket)
        if ticket.until < math.inf:
            self._insert(self._ends, ticket.until, ticket)

    def block(self, kind: str, until: float) -> None:
        """Let a kind of request, or :data:`ALL` that take slots, wait until a moment."""
        self._blocked[kind] = until

    def unblock(self, kind: str) -> None:
        """Let a kind of request, or ALL, be asked for again."""
        self._blocked.pop(kind, None)

    def is_free(self, kind: str, now: float) -> bool:
        """Tell whether a new ticket of that kind would be the next."""
        self._admit(now)
        return not self._top(kind) and self._blocked_until(kind) <= now

    def take(self, now: float) -> Ticket | None:
        """Take the next ticket that may be asked for, or that has to give up."""
        self._admit(now)
        ended = self._first(self._ends)
        if ended is not None and ended[0] <= now:
            return self._taken(ended[3])
        tops = [self._top(kind) for kind in self._ready if self._blocked_until(kind) <= now]
        due = min((top for top in tops if top), default=None)
        if due is None:
            return None
        heapq.heappop(self._ready[due[3].kind])
        return self._taken(due[3])

    def next_moment(self) -> float:
        """Return the moment at which :meth:`take` may have one; infinite without new events."""
        moments = [self._blocked_until(kind) for kind in self._ready if self._top(kind)]
        firsts = (self._first(self._early), self._first(self._ends))
        return min([*moments, *(first[0] for first in firsts if first)], default=math.inf)

    def remove(self, is_meant: Callable[[Ticket], bool]) -> list[Ticket]:
        """Take all tickets that are meant, in order."""
        heaps = (self._early, self._ends, *self._ready.values())
        waiting = {item[3] for heap in heaps for item in heap if item[3].is_in_line}
        meant = sorted(filter(is_meant, waiting), key=lambda ticket: ticket.number)
        return [self._taken(ticket) for ticket in meant]

    def lanes(self, most: int) -> dict[str, tuple[int, list[str]]]:
        """Return of each kind how many wait, and the lanes of so many of them."""
        found = {}
        for kind, heap in self._ready.items():
            waiting = dict.fromkeys(item[3] for item in heap if item[3].is_in_line)
            if waiting:
                lanes = [ticket.lane for ticket in itertools.islice(waiting, most)]
                found[kind] = len(waiting), lanes
        return found

    def early(self, most: int) -> list[Ticket]:
        """Return so many of those that stand in no line yet, but for those that take no slot."""
        waiting = (item[3] for item in self._early[:most] if item[3].is_in_line)
        return [ticket for ticket in waiting if ticket.kind not in SLOTLESS]

    def _push(self, ticket: Ticket) -> None:
        self._insert(self._ready[ticket.kind], ticket.number, ticket)

    def _insert(self, heap: _Heap, moment: float, ticket: Ticket) -> None:
        heapq.heappush(heap, (moment, ticket.number, next(self._entries), ticket))

    def _admit(self, now: float) -> None:
        """Let those stand in line whose earliest moment has come."""
        while (first := self._first(self._early)) and first[0] <= now:
            heapq.heappop(self._early)
            self._push(first[3])

    def _blocked_until(self, kind: str) -> float:
        if kind == FREE:
            return -math.inf
        none = -math.inf
        of_all = none if kind in SLOTLESS else self._blocked.get(ALL, none)
        return max(self._blocked.get(kind, none), of_all)

    def _top(self, kind: str) -> tuple[float, int, int, Ticket] | None:
        return self._first(self._ready[kind]) if kind in self._ready else None

    @staticmethod
    def _first(heap: _Heap) -> tuple[float, int, int, Ticket] | None:
        while heap and not heap[0][3].is_in_line:
            heapq.heappop(heap)
        return heap[0] if heap else None

    def _taken(self, ticket: Ticket) -> Ticket:
        ticket.is_in_line = False
        self._count -= 1
        if len(self._ends) > 2 * self._count + _SPARE:
            # Else those that end late were kept, with their jobs, until all earlier ones end.
            waiting = {item[3]: item for item in self._ends if item[3].is_in_line}
            self._ends = sorted(waiting.values())
        return ticket
