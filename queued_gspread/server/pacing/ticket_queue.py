"""The queue of tickets at the valve: who is next, given the time. Pure: no clock, thread or I/O."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import defaultdict
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import ALL, NO_SLOT

from .fairness import Fairness

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker import Permit, Slot

__all__ = ["ANSWERS", "FREE", "LARGE", "SLOTLESS", "SMALL", "Ticket", "TicketQueue"]

FREE: Final = ""
"""The kind of a request that takes no slot, and waits for nobody."""

SMALL, LARGE, ANSWERS = "small", "large", "answers"
"""The kinds of what waits for memory, and neither for a slot nor for a token."""

SLOTLESS: Final = frozenset({FREE, SMALL, LARGE, ANSWERS})

_SPARE: Final = 64


@dataclass(eq=False)
class Ticket:
    """A request's place in the queue. Moments are of one monotonic clock, in seconds.

    Attributes:
        kind: The kind of request, as to the quota.
        number: Its place; a request that is sent again keeps the one it had.
        not_before: When it may be sent at the earliest.
        until: When it gives up.
        slot: The slot that it asks for.
        lane: Whose request it is.
        is_in_line: Whether it stands in the queue.
        entry: The latest of its entries among those that may be sent.

    """

    kind: str
    number: int = 0
    not_before: float = -math.inf
    until: float = math.inf
    slot: Slot = NO_SLOT
    lane: str = ""
    is_in_line: bool = False
    entry: int = -1

    @property
    def turns(self) -> str:
        """Which tickets have their turns one at a time: its kind, or ALL that keep an interval."""
        return ALL if self.slot.interval else self.kind


# By moment or rank, and number; then by when it was put in, as a request that comes again keeps its
# number.
_Item = tuple[float, int, int, Ticket]
_Heap = list[_Item]


class TicketQueue:
    """Tickets: within a kind the lane with the fewest slots, and who came first, is the next.

    No kind waits for another. A lane has one ticket at the most. Where the next one of a kind has
    to wait for fairness' sake, so have the others of it, whose lanes hold no fewer slots.
    """

    def __init__(self) -> None:
        self._ready: defaultdict[str, _Heap] = defaultdict(list)
        self._early: _Heap = []
        self._ends: _Heap = []
        self._blocked: dict[str, float] = {}
        # Who has the turn, of those that have it one at a time.
        self._turns: dict[str, Ticket] = {}
        self._count = 0
        self._fairness = Fairness()
        # By kind and lane, those that may be sent.
        self._of_lanes: dict[tuple[str, str], Ticket] = {}
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

    def passes(self, ticket: Ticket, now: float) -> bool:
        """Tell whether a new ticket is the next; then it counts as taken."""
        self._admit(now)
        self._fairness.comes(ticket.slot, now)
        top = self._top(ticket.kind)
        is_first = top is None or self._fairness.rank(ticket.slot) < top[0]
        is_next = is_first and self._moment(ticket) <= now
        if is_next:
            self._fairness.ask(ticket.slot, now)
        return is_next

    def held_back(self, ticket: Ticket, now: float) -> float:
        """Return the seconds for which fairness keeps a ticket from asking; negative for none."""
        return self._fairness.moment(ticket.slot) - now

    def told(self, ticket: Ticket, permit: Permit | None = None) -> None:
        """Note what a ticket that was taken has been told; None where asking failed."""
        self._fairness.told(ticket.slot, permit)

    def hold(self, ticket: Ticket) -> None:
        """Give nobody else of its kind a turn, until this ticket is let go."""
        self._turns.setdefault(ticket.turns, ticket)

    def let_go(self, ticket: Ticket) -> bool:
        """Let others of its kind have a turn, if it was this ticket's; return whether it was."""
        is_held = bool(self._turns) and self._turns.get(ticket.turns) is ticket
        if is_held:
            del self._turns[ticket.turns]
        return is_held

    @property
    def held(self) -> list[Ticket]:
        """Those that have the turn of their kind, and stand in no queue."""
        return list(self._turns.values())

    def answered(self, slot: Slot, now: float) -> None:
        """Note that the request of a slot was answered, so that its kind may be asked for."""
        self._fairness.answered(slot, now)
        self.unblock(slot.kind)

    def take(self, now: float) -> Ticket | None:
        """Take the next ticket that may be asked for, or that has to give up."""
        self._admit(now)
        ended = self._first(self._ends)
        if ended is not None and ended[0] <= now:
            return self._taken(ended[3])
        due = [top for top in self._tops() if self._moment(top[3]) <= now]
        if not due:
            return None
        # Between kinds it counts who came first.
        ticket = min(due, key=lambda top: top[1:3])[3]
        heapq.heappop(self._ready[ticket.kind])
        self._fairness.ask(ticket.slot, now)
        return self._taken(ticket)

    def next_moment(self) -> float:
        """Return the moment at which :meth:`take` may have one; infinite without new events."""
        moments = [self._moment(top[3]) for top in self._tops()]
        firsts = (self._first(self._early), self._first(self._ends))
        return min([*moments, *(first[0] for first in firsts if first)], default=math.inf)

    def remove(self, is_meant: Callable[[Ticket], bool]) -> list[Ticket]:
        """Take all tickets that are meant, in order."""
        heaps = (self._early, self._ends, *self._ready.values())
        waiting = {item[3] for heap in heaps for item in heap if item[3].is_in_line}
        meant = sorted(filter(is_meant, waiting), key=lambda ticket: ticket.number)
        return [self._taken(ticket) for ticket in meant]

    @property
    def is_shared(self) -> bool:
        """Whether slots are shared out between lanes."""
        return self._fairness.is_bound

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
        ticket.entry = self._insert(
            self._ready[ticket.kind], self._fairness.rank(ticket.slot), ticket
        )
        if ticket.slot.lane:
            self._of_lanes[ticket.kind, ticket.slot.lane] = ticket

    def _insert(self, heap: _Heap, key: float, ticket: Ticket) -> int:
        entry = next(self._entries)
        heapq.heappush(heap, (key, ticket.number, entry, ticket))
        return entry

    def _tidy(self, heap: _Heap) -> None:
        """Let go of tickets that have left, with their jobs, though they are not at the top.

        They would be kept for as long as others stand before them, which may be for ever.
        """
        if len(heap) > 2 * self._count + _SPARE:
            latest = {item[3]: item for item in sorted(heap, key=itemgetter(2))}
            heap[:] = sorted(item for item in latest.values() if item[3].is_in_line)

    def _admit(self, now: float) -> None:
        """Let those stand in line whose earliest moment has come, each where it belongs now."""
        for freed in self._fairness.pass_time(now):
            if freed in self._of_lanes:
                self._push(self._of_lanes[freed])
        while (first := self._first(self._early)) and first[0] <= now:
            heapq.heappop(self._early)
            self._push(first[3])

    def _moment(self, ticket: Ticket) -> float:
        """Return when a ticket that is the next may be asked for."""
        return max(self._blocked_until(ticket.kind), self._fairness.moment(ticket.slot))

    def _blocked_until(self, kind: str) -> float:
        if kind == FREE or not (self._blocked or self._turns):
            return -math.inf
        which = (kind,) if kind in SLOTLESS else (kind, ALL)
        if any(each in self._turns for each in which):
            return math.inf
        return max(self._blocked.get(each, -math.inf) for each in which)

    def _tops(self) -> list[_Item]:
        return [top for kind in self._ready if (top := self._top(kind))]

    def _top(self, kind: str) -> _Item | None:
        heap = self._ready.get(kind, [])
        # One that was put elsewhere since, as its lane holds fewer slots, has a later entry.
        while (first := self._first(heap)) and first[2] != first[3].entry:
            heapq.heappop(heap)
        return first

    @staticmethod
    def _first(heap: _Heap) -> _Item | None:
        while heap and not heap[0][3].is_in_line:
            heapq.heappop(heap)
        return heap[0] if heap else None

    def _taken(self, ticket: Ticket) -> Ticket:
        ticket.is_in_line = False
        self._count -= 1
        self._of_lanes.pop((ticket.kind, ticket.slot.lane), None)
        self._tidy(self._ends)
        self._tidy(self._ready[ticket.kind])
        return ticket
