"""The valve's queue: which ticket is next at a given time. Pure: no clock, thread or I/O."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import defaultdict
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import ALL, LENT, NO_SLOT

from .fairness import Fairness

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from queued_gspread.broker import Permit, Slot

__all__ = ["ANSWERS", "FREE", "LARGE", "SLOTLESS", "SMALL", "Ticket", "TicketQueue", "kind_of"]

FREE: Final = ""
"""The kind of a request that takes no slot and waits for no other request."""

SMALL, LARGE, ANSWERS = "small", "large", "answers"
"""The kinds of tickets that wait for memory, and need neither a slot nor a token."""

SLOTLESS: Final = frozenset({FREE, SMALL, LARGE, ANSWERS})

_SPARE: Final = 64


@dataclass(eq=False)
class Ticket:
    """A request's place in the queue. Moments are seconds on one monotonic clock.

    Attributes:
        kind: The line of its slot, which is named after the quota that the request counts
            against; or one of :data:`SLOTLESS`.
        number: Its place in order of arrival; a retried request keeps its number.
        not_before: The earliest moment at which it may be sent.
        until: When it gives up.
        slot: The slot that it asks for.
        lane: The lane that the request belongs to.
        is_in_line: Whether it is in the queue.
        entry: The latest of its entries in the heap of tickets that are ready.
        pause: The key of an operator's pause whose end it waits for; '' for none.
        held_kind: What kind of request that holds up, if not of the ticket's own kind.

    """

    kind: str
    number: int = 0
    not_before: float = -math.inf
    until: float = math.inf
    slot: Slot = NO_SLOT
    lane: str = ""
    is_in_line: bool = False
    entry: int = -1
    pause: str = ""
    held_kind: str = ""

    @property
    def turns(self) -> str:
        """The group that has turns one at a time: its kind, or ALL that keep an interval."""
        return ALL if self.slot.interval else self.kind


def kind_of(ticket: Ticket) -> str:
    """Return the kind of a ticket, whichever line it waits in."""
    return ticket.slot.kind or ticket.kind


# Ordered by moment or rank, then by number, then by insertion, since a request that comes back
# keeps its number.
_Item = tuple[float, int, int, Ticket]
_Heap = list[_Item]


class TicketQueue:
    """Tickets in order: within a kind the lane with the fewest slots is next, then the first come.

    No kind waits for another. A lane has at most one ticket. If the next ticket of a kind must wait
    for the sake of fairness, so must the others of that kind, as their lanes hold no fewer slots.
    """

    def __init__(self) -> None:
        self._ready: defaultdict[str, _Heap] = defaultdict(list)
        self._early: _Heap = []
        self._ends: _Heap = []
        self._blocked: dict[str, float] = {}
        # By group, the ticket that has the turn, of those that have turns one at a time.
        self._turns: dict[str, Ticket] = {}
        self._count = 0
        self._fairness = Fairness()
        # The tickets that wait for the end of an operator's pause.
        self._parked: dict[Ticket, None] = {}
        # By kind and lane, the tickets that are ready.
        self._of_lanes: dict[tuple[str, str], Ticket] = {}
        self._entries = itertools.count()

    def __len__(self) -> int:
        """Return how many tickets wait."""
        return self._count

    def add(self, ticket: Ticket) -> None:
        """Put a ticket into the queue, at the place that its number gives it."""
        ticket.is_in_line = True
        self._count += 1
        if ticket.pause:
            self._parked[ticket] = None
        else:
            self._line_up(ticket)
        if ticket.until < math.inf:
            self._insert(self._ends, ticket.until, ticket)

    def unpark(self, pauses: Collection[str]) -> bool:
        """Line up the tickets whose pause is none of these any more; return whether there are."""
        over = [ticket for ticket in self._parked if ticket.pause not in pauses]
        for ticket in over:
            del self._parked[ticket]
            ticket.pause = ""
            self._line_up(ticket)
        return bool(over)

    def parked(self, most: int) -> list[tuple[str, str]]:
        """Return the lanes of up to ``most`` tickets that a pause holds up, with their kinds."""
        parked = itertools.islice(self._parked, most)
        return [(ticket.lane, ticket.held_kind or kind_of(ticket)) for ticket in parked]

    def _line_up(self, ticket: Ticket) -> None:
        if ticket.not_before > -math.inf:
            self._insert(self._early, ticket.not_before, ticket)
        else:
            self._push(ticket)

    def block(self, kind: str, until: float) -> None:
        """Make a kind of request wait until a moment, or :data:`ALL` requests that take slots."""
        self._blocked[kind] = until

    def unblock(self, kind: str) -> None:
        """Let tickets of a kind, or of ALL, have turns again."""
        self._blocked.pop(kind, None)

    def passes(self, ticket: Ticket, now: float) -> bool:
        """Return whether a new ticket is next; if so, it counts as taken."""
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
        """Note what Redis answered a ticket that was taken; ``permit`` is None if asking failed."""
        self._fairness.told(ticket.slot, permit)

    def hold(self, ticket: Ticket) -> None:
        """Give no other ticket of its kind a turn until this one is let go."""
        self._turns.setdefault(ticket.turns, ticket)

    def let_go(self, ticket: Ticket) -> bool:
        """Let others of its kind have a turn, if this ticket had it; return whether it had."""
        is_held = bool(self._turns) and self._turns.get(ticket.turns) is ticket
        if is_held:
            del self._turns[ticket.turns]
        return is_held

    @property
    def held(self) -> list[Ticket]:
        """The tickets that have the turn of their kind, and so are not in the queue."""
        return list(self._turns.values())

    def answered(self, slot: Slot, now: float) -> None:
        """Note that the request for a slot was answered, so its kind may have turns again."""
        self._fairness.answered(slot, now)
        self.unblock(slot.kind)
        # A slot of any account may be one that a request of this kind in the other line takes.
        self._blocked.pop(slot.kind + LENT, None)

    def take(self, now: float) -> Ticket | None:
        """Take the next ticket whose turn has come, or one that must give up."""
        self._admit(now)
        ended = self._first(self._ends)
        if ended is not None and ended[0] <= now:
            return self._taken(ended[3])
        due = [top for top in self._tops() if self._moment(top[3]) <= now]
        if not due:
            return None
        # Rank holds within a kind only; between kinds the first come goes first.
        ticket = min(due, key=lambda top: top[1:3])[3]
        heapq.heappop(self._ready[ticket.kind])
        self._fairness.ask(ticket.slot, now)
        return self._taken(ticket)

    def next_moment(self) -> float:
        """Return when :meth:`take` may next return a ticket; infinite if that needs a new event."""
        moments = [self._moment(top[3]) for top in self._tops()]
        firsts = (self._first(self._early), self._first(self._ends))
        return min([*moments, *(first[0] for first in firsts if first)], default=math.inf)

    def remove(self, is_meant: Callable[[Ticket], bool]) -> list[Ticket]:
        """Take all tickets for which ``is_meant`` is true, in order."""
        heaps = (self._early, self._ends, *self._ready.values())
        waiting = {item[3] for heap in heaps for item in heap if item[3].is_in_line}
        waiting |= self._parked.keys()
        meant = sorted(filter(is_meant, waiting), key=lambda ticket: ticket.number)
        return [self._taken(ticket) for ticket in meant]

    @property
    def is_shared(self) -> bool:
        """Whether slots are shared out between lanes."""
        return self._fairness.is_bound

    @property
    def in_use(self) -> int:
        """How many spreadsheets slots are shared out between."""
        return self._fairness.in_use

    def lanes(self, most: int) -> dict[str, tuple[int, list[str]]]:
        """Return for each kind how many tickets wait, and the lanes of up to ``most`` of them."""
        found: dict[str, tuple[int, list[str]]] = {}
        for heap in self._ready.values():
            waiting = dict.fromkeys(item[3] for item in heap if item[3].is_in_line)
            if waiting:
                lanes = [ticket.lane for ticket in itertools.islice(waiting, most)]
                first = next(iter(waiting))
                before, named = found.get(kind_of(first), (0, []))
                found[kind_of(first)] = before + len(waiting), [*named, *lanes][:most]
        return found

    def early(self, most: int) -> list[Ticket]:
        """Return up to ``most`` tickets that take a slot and whose earliest moment is to come."""
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
        """Drop tickets that have left the queue, and their jobs with them, below the top as well.

        Otherwise they stay for as long as others are before them, which may be forever.
        """
        if len(heap) > 2 * self._count + _SPARE:
            latest = {item[3]: item for item in sorted(heap, key=itemgetter(2))}
            heap[:] = sorted(item for item in latest.values() if item[3].is_in_line)

    def _admit(self, now: float) -> None:
        """Admit tickets whose earliest moment has come; move those whose lane holds fewer slots."""
        for freed in self._fairness.pass_time(now):
            if freed in self._of_lanes:
                self._push(self._of_lanes[freed])
        while (first := self._first(self._early)) and first[0] <= now:
            heapq.heappop(self._early)
            self._push(first[3])

    def _moment(self, ticket: Ticket) -> float:
        """Return when a ticket may have its turn, if it is the next one."""
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
        heap = self._ready.get(kind)
        if not heap:
            return None
        # A ticket that has moved, because its lane holds fewer slots now, has a later entry.
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
        self._parked.pop(ticket, None)
        self._of_lanes.pop((ticket.kind, ticket.slot.lane), None)
        self._tidy(self._ends)
        self._tidy(self._ready[ticket.kind])
        return ticket
