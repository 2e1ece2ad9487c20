"""The expected wait of a call put in now, against the wait that comes: on a clock of its own."""

from __future__ import annotations

import heapq
import itertools
import math
import random
import statistics
from dataclasses import dataclass, field

import pytest

from queued_gspread.broker import Permit, Slot
from queued_gspread.monitor.expected import IN_THE_AIR, Slots, in_kind, in_lane
from queued_gspread.server.pacing.ticket_queue import Ticket, TicketQueue

AIR = math.inf


@pytest.mark.parametrize(
    ("limit", "releases", "ahead", "seconds"),
    [
        (0, [], 99, 0.0),
        (3, [], 0, 0.0),
        (3, [], 2, 0.0),
        (3, [50, 10], 0, 0.0),
        (3, [50, 10], 1, 10.0),
        (3, [50, 10, 30], 0, 10.0),
        (3, [50, 10, 30], 2, 50.0),
        (3, [50, 10, 30], 3, 70.0),
        (3, [50, 10, 30], 7, 30 + 2 * 60.0),
        (3, [], 3, 60.0),
        (2, [50, 10, 30], 0, 30.0),  # the limit was lowered since
        (2, [50, 10, 30], 1, 50.0),
        (3, [AIR, 10, 30], 1, 30.0),
        (3, [AIR, 10, 30], 2, AIR),
        (3, [AIR, 10, 30], 5, AIR),
        (3, [AIR, 10, 30], 4, 90.0),
    ],
)
def test_the_kth_release_is_waited_for(limit, releases, ahead, seconds):
    """With k requests ahead, the k-th release of held slots counts, in rounds of a window."""
    assert Slots(limit, releases, 60.0).until(ahead) == seconds


def test_what_comes_on_top_of_the_slots():
    """Each request keeps the interval, and a slot is held until a window after its answer."""
    assert Slots(2, [1.0, 2.0], 60.0, slowest=3.0).until(2) == 1.0 + 63.0
    assert Slots(0, interval=2.0).until(4) == 10.0
    assert in_lane(Slots(0, slowest=3.0), 4, 0).at_most == 12.0


def test_what_hangs_on_an_answer_is_not_known():
    """A wait for a slot whose request is in the air is unknown, and says so."""
    expected = in_kind(Slots(1, [AIR]), 0)
    assert (expected.at_most, expected.why) == (None, IN_THE_AIR)


def test_a_lane_that_shares_waits_for_a_turn_and_a_window():
    """Where slots are shared out, free ones shorten a wait, and each lane has a turn first."""
    # Forty of sixty may be taken at once: eight turns fit beside 32 that are held.
    assert in_lane(Slots(60, [9.0] * 32, 60.0), 1, 3, is_shared=True).at_most == 0.0
    assert in_lane(Slots(60, [9.0] * 33, 60.0), 1, 3, is_shared=True).at_most == 60.0
    # Nine turns, of which nine tenths of the slots are sure: the tenth release.
    held = [float(end) for end in range(1, 61)]
    assert in_lane(Slots(60, held, 60.0), 2, 2, is_shared=True).at_most == 10.0 + 60.0
    # Each turn keeps the interval, as do those of other kinds.
    assert in_lane(Slots(60, [], 60.0, 5.0), 10, 4, is_shared=True).at_most >= 55 * 5.0
    assert in_lane(Slots(60, [], 60.0, 5.0), 10, 4).at_most >= 55 * 5.0
    # What hangs on an answer is bound by whole windows.
    assert in_lane(Slots(2, [AIR, AIR], 60.0), 0, 1, is_shared=True).at_most == 240.0


@dataclass
class Queue:
    """The valve's own queue, a server's lanes and the quota's slots, on a clock of their own."""

    spreadsheets: int
    is_fair: bool
    merges: bool
    latency: random.Random
    limit: int = 60
    window: float = 60.0
    slowest: float = 0.4
    now: float = 0.0
    held: dict = field(default_factory=dict)
    lanes: dict = field(default_factory=dict)
    waits: list = field(default_factory=list)
    came_new: list = field(default_factory=list)
    tickets: set = field(default_factory=set)
    looks: set = field(default_factory=set)

    def __post_init__(self):
        self.line, self.events, self.numbers = TicketQueue(), [], itertools.count(1)

    def at(self, moment, do, *args):
        """Let something happen at a moment."""
        heapq.heappush(self.events, (moment, next(self.numbers), do, args))

    def run(self):
        """Let everything happen, and the time between it pass."""
        while self.events:
            self.now, _, do, args = heapq.heappop(self.events)
            do(*args)
            self.give_turns()
            moment = self.line.next_moment()
            if len(self.line) and self.now < moment < math.inf and moment not in self.looks:
                self.looks.add(moment)
                self.at(moment, lambda: None)

    @property
    def slots(self):
        """The slots, as Redis has them."""
        held = [end - self.now for end in self.held.values() if end > self.now]
        return Slots(self.limit, held, self.window, slowest=self.slowest)

    def put_in(self, lane):
        """Put a call into a lane, and note how long it is expected to wait."""
        calls = self.lanes.setdefault(lane, [])
        calls.append((self.now, self.expected(lane)))
        if len(calls) == 1:
            self.enter(lane)

    def expected(self, lane):
        calls, is_shared = len(self.lanes[lane]), self.line.is_shared
        return in_lane(self.slots, calls, self.spreadsheets - 1, is_shared=is_shared).at_most

    def come_new(self, lane):
        """Put a call into a lane that was not in use, if what it waits for is known."""
        waiting = sum(ticket.is_in_line for ticket in self.tickets)
        if (expected := in_kind(self.slots, waiting).at_most) is not None:
            self.lanes[lane] = [(self.now, expected)]
            self.enter(lane)
        else:
            self.at(self.now + 0.5, self.come_new, lane)

    def enter(self, lane):
        number = next(self.numbers)
        whose = lane if self.is_fair else ""
        slot = Slot("write", str(number), self.limit, self.window, lane=whose)
        ticket = Ticket("write", number, slot=slot, lane=lane)
        self.tickets.add(ticket)
        if self.line.passes(ticket, self.now):
            self.ask(ticket)
        else:
            self.line.add(ticket)

    def give_turns(self):
        while (ticket := self.line.take(self.now)) is not None:
            self.ask(ticket)

    def ask(self, ticket):
        """Answer as Redis would, and send the request if it may go."""
        self.held = {name: end for name, end in self.held.items() if end > self.now}
        if len(self.held) >= self.limit:
            wait = sorted(self.held.values())[len(self.held) - self.limit] - self.now
            self.line.told(ticket, Permit("wait", wait, "write", limit=self.limit))
            self.line.add(ticket)
            self.line.block("write", self.now + wait)
            return
        self.line.told(ticket, Permit("go", limit=self.limit))
        self.held[ticket.slot.name] = math.inf
        count = len(self.lanes[ticket.lane]) if self.merges else 1
        for since, expected in self.lanes[ticket.lane][:count]:
            waits = self.came_new if ticket.lane.startswith("new") else self.waits
            waits.append((self.now - since, expected))
        self.at(self.now + self.latency.uniform(0.05, self.slowest), self.answer, ticket, count)

    def answer(self, ticket, count):
        self.held[ticket.slot.name] = self.now + self.window
        self.line.answered(ticket.slot, self.now)
        del self.lanes[ticket.lane][:count]
        if self.lanes[ticket.lane]:
            self.enter(ticket.lane)


@pytest.mark.parametrize("merges", [False, True], ids=["alone", "merged"])
@pytest.mark.parametrize("is_fair", [False, True], ids=["unfair", "fair"])
@pytest.mark.parametrize("lanes", [1, 7, 40])
def test_no_call_waits_longer_than_at_most(lanes, is_fair, merges):
    """Under a full quota, none of 500 calls waits longer than was expected at the most."""
    drawn = random.Random(lanes)
    queue = Queue(lanes, is_fair, merges, drawn)
    for _ in range(500):
        queue.at(drawn.uniform(0, 120), queue.put_in, f"lane{drawn.randrange(lanes)}")
    queue.run()
    known = [(came, expected) for came, expected in queue.waits if expected is not None]
    assert len(queue.waits) == 500
    assert len(known) > 400
    assert [pair for pair in known if pair[0] > pair[1] * 1.05 + 1e-9] == []
    # The quota was full, or the test would show nothing: but one lane alone merges what comes.
    assert max(came for came, _ in queue.waits) > (0.2 if merges and lanes == 1 else 30)


@pytest.mark.parametrize("lanes", [3, 7, 15])
def test_at_most_is_not_far_from_what_comes(lanes):
    """Under a full quota, unmerged, half of the waits are over half of what was expected."""
    drawn = random.Random(lanes)
    queue = Queue(lanes, is_fair=True, merges=False, latency=drawn)
    for _ in range(500):
        queue.at(drawn.uniform(0, 300), queue.put_in, f"lane{drawn.randrange(lanes)}")
    queue.run()
    shares = [came / expected for came, expected in queue.waits if expected]
    assert 0.5 < statistics.median(shares) < max(shares) <= 1.05


@pytest.mark.parametrize("is_fair", [False, True], ids=["unfair", "fair"])
def test_no_call_to_another_spreadsheet_waits_longer_than_at_most(is_fair):
    """Nor does one to a spreadsheet that was not in use, behind 40 that use the whole quota."""
    drawn = random.Random(is_fair)
    queue = Queue(40, is_fair, merges=False, latency=drawn)
    for _ in range(500):
        queue.at(drawn.uniform(0, 120), queue.put_in, f"lane{drawn.randrange(40)}")
    for place in range(50):
        queue.at(drawn.uniform(20, 200), queue.come_new, f"new{place}")
    queue.run()
    assert len(queue.came_new) == 50
    assert sum(came > 1 for came, _ in queue.came_new) > 10
    assert [pair for pair in queue.came_new if pair[0] > pair[1] * 1.05 + 1e-9] == []
