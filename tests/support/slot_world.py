"""The valve's queue of tickets with a simulated quota and lanes; events advance the time."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import defaultdict, deque

from queued_gspread.broker import Permit, Slot
from queued_gspread.server.pacing.ticket_queue import Ticket, TicketQueue


class SlotWorld:
    """Lanes that make requests of one kind, one after the other, under a quota.

    Args:
        limit: Slots per window.
        window: The window in seconds.
        latency: Seconds from a request to its answer, or a function that draws them.
        interval: Least seconds between two requests.
        fair: Whether lanes are fair to each other.

    Attributes:
        sent: Each request: its moment, its lane, how long it had waited, and how many slots were
            free after it.

    """

    def __init__(self, limit, window=60.0, latency=0.0, interval=0.0, *, fair=True):
        self.limit, self.window, self.interval, self.fair = limit, window, interval, fair
        self.latency = latency if callable(latency) else lambda: latency
        self.tickets, self.now, self.sent = TicketQueue(), 0.0, []
        self._next = -math.inf
        self._numbers, self._entries = itertools.count(1), itertools.count()
        self._events = []
        # When each slot is free again; infinite while its request is in the air.
        self._slots = {}
        self._waiting = defaultdict(deque)
        self._busy = set()

    def calls(self, lane, moment=0.0, count=1):
        """Make a lane send a number of requests from a moment on."""
        for _ in range(count):
            heapq.heappush(self._events, (moment, next(self._entries), self._come, (lane,)))

    def run(self, seconds):
        """Let some time pass."""
        end = self.now + seconds
        while True:
            self._let_through()
            event = self._events[0][0] if self._events else math.inf
            moment = max(self.now, min(event, self.tickets.next_moment()))
            if moment > end:
                self.now = end
                return self
            self.now = moment
            while self._events and self._events[0][0] <= self.now:
                _, _, happen, given = heapq.heappop(self._events)
                happen(*given)

    def waits_of(self, lane):
        return [waited for _, of, waited, _ in self.sent if of == lane]

    def count(self, *lanes, since=0.0):
        """Return how many requests lanes have sent since a moment; of all lanes by default."""
        return sum(moment >= since and (not lanes or of in lanes) for moment, of, _, _ in self.sent)

    def _come(self, lane):
        self._waiting[lane].append(self.now)
        self._begin(lane)

    def _begin(self, lane):
        if lane in self._busy or not self._waiting[lane]:
            return
        self._busy.add(lane)
        number = next(self._numbers)
        whose = lane if self.fair else ""
        slot = Slot("write", f"1/{number}", self.limit, self.window, self.interval, whose)
        ticket = Ticket("write", number, slot=slot, lane=lane)
        if not (self.tickets.passes(ticket, self.now) and self._goes(ticket)):
            self.tickets.add(ticket)

    def _let_through(self):
        while (ticket := self.tickets.take(self.now)) is not None:
            if not self._goes(ticket):
                self.tickets.add(ticket)

    def _goes(self, ticket):
        permit = self._permit(ticket.slot, ticket.lane)
        self.tickets.told(ticket, permit)
        if permit.word == "wait":
            self.tickets.block(ticket.kind, self.now + permit.wait)
        return permit.word == "go"

    def _permit(self, slot, lane):
        """Do what acquire.lua does."""
        self._slots = {name: end for name, end in self._slots.items() if end > self.now}
        if self._next > self.now:
            return Permit("wait", self._next - self.now, limit=self.limit)
        if len(self._slots) >= self.limit:
            free = sorted(self._slots.values())[len(self._slots) - self.limit]
            return Permit("wait", free - self.now, limit=self.limit)
        self._slots[slot.name], self._next = math.inf, self.now + self.interval
        waited = self.now - self._waiting[lane].popleft()
        self.sent.append((self.now, lane, waited, self.limit - len(self._slots)))
        answer = (self.now + self.latency(), next(self._entries), self._answer, (slot, lane))
        heapq.heappush(self._events, answer)
        return Permit("go", limit=self.limit)

    def _answer(self, slot, lane):
        self._slots[slot.name] = self.now + self.window
        self.tickets.answered(slot, self.now)
        self._busy.discard(lane)
        self._begin(lane)
