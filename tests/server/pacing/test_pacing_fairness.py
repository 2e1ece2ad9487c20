"""Fairness between lanes: whom it delays, how little that costs, and that nobody waits for ever."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slot_world import SlotWorld

from queued_gspread.broker import Permit, Slot
from queued_gspread.protocol.routing import ACCOUNT_LANE
from queued_gspread.server.pacing.fairness import Fairness, burst_of, headroom_of, in_use_for
from queued_gspread.server.pacing.quota import Quota
from queued_gspread.server.pacing.ticket_queue import Ticket, TicketQueue
from queued_gspread.server.policy.request import Request

WINDOW = 60.0
MANY = 1_000
LIMITS = st.one_of(st.integers(1, 6), st.integers(1, 80))
LATENCIES = st.sampled_from([0.0, 0.01, 0.3])
TOLD = Permit("go", limit=60)


def slot(name, lane="a", kind="write", limit=60, window=WINDOW):
    return Slot(kind, name, limit, window, lane=lane)


def take(fairness, *names, lane="a", now=0.0, permit=TOLD, **options):
    """Have a lane take slots; return them."""
    slots = [slot(name, lane, **options) for name in names]
    for each in slots:
        fairness.comes(each, now)
        fairness.ask(each, now)
        fairness.told(each, permit)
    return slots


def names(count, of="n"):
    return [f"{of}{number}" for number in range(count)]


def both_used(limit=60):
    """Return fairness between two spreadsheets, neither of which has a slot."""
    fairness = Fairness()
    for lane in "ab":
        fairness.comes(slot("x", lane, limit=limit), 0.0)
    return fairness


# The rule ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "burst", "headroom"),
    [(1, 1, 0), (2, 1, 0), (3, 2, 0), (19, 12, 0), (20, 13, 1), (60, 40, 1), (300, 200, 1)],
)
def test_how_many_slots_are_taken_as_they_come(limit, burst, headroom):
    """Two thirds of the slots are a burst, one at the least; of few slots none is untouched."""
    assert (burst_of(limit), headroom_of(limit)) == (burst, headroom)


@pytest.mark.parametrize(("window", "seconds"), [(60.0, 600.0), (90.0, 600.0), (6.0, 12.0)])
def test_for_how_long_a_spreadsheet_is_in_use(window, seconds):
    """A spreadsheet is in use for ten minutes after a request, or for two short windows."""
    assert in_use_for(window) == seconds


def test_one_spreadsheet_alone_waits_for_nobody():
    """As long as no other spreadsheet is in use, one takes every slot as it comes."""
    fairness = Fairness()
    take(fairness, *names(59))
    fairness.comes(slot("x", ACCOUNT_LANE), 0.0)
    assert fairness.moment(slot("next")) == -math.inf
    fairness.comes(slot("x", "b"), 0.0)
    assert fairness.moment(slot("next")) > 0.0


def test_after_the_burst_slots_are_spaced():
    """A lane takes two thirds of the slots as they come, and then one after the other."""
    fairness = both_used()
    taken = take(fairness, *names(40))
    assert fairness.moment(slot("next")) == -math.inf
    take(fairness, "spaced")
    due = fairness.moment(slot("next"))
    assert 0.0 < due <= WINDOW / 20
    fairness.pass_time(due)
    take(fairness, "second", now=due)
    assert fairness.moment(slot("next")) == due + WINDOW / 20
    fairness.answered(taken[0], 1.0)
    assert fairness.moment(slot("next")) == due + WINDOW / 20
    fairness.pass_time(1.0 + WINDOW)
    assert fairness.moment(slot("next")) == -math.inf


def test_a_slot_of_the_burst_that_comes_back_is_not_waited_past():
    """Where a slot of the burst comes back before the next spaced one is due, it is asked for."""
    fairness, four = both_used(limit=4), {"limit": 4, "permit": Permit("go", limit=4)}
    first, _ = take(fairness, *names(2), **four)
    fairness.answered(first, 0.0)
    take(fairness, "spaced", now=WINDOW - 1.0, **four)
    assert fairness.moment(slot("next", limit=4)) == WINDOW


def test_a_spaced_slot_that_was_late_makes_the_next_one_earlier():
    """Who asks seldom, or is slow, gets as many spaced slots as who asks at the moment."""
    fairness = both_used()
    take(fairness, *names(40))
    take(fairness, "first", now=10.0)
    due = fairness.moment(slot("next"))
    take(fairness, "late", now=due + 1.0)
    assert fairness.moment(slot("next")) == due + WINDOW / 20


def test_a_spreadsheet_is_in_use_for_a_time():
    """A spreadsheet that is left alone holds up no other one ten minutes after its last request."""
    fairness = both_used()
    take(fairness, *names(50), now=100.0)
    fairness.pass_time(599.0)
    assert fairness.moment(slot("next")) > -math.inf
    fairness.pass_time(600.0)
    assert fairness.moment(slot("next")) == -math.inf


def test_one_slot_is_left_untouched():
    """A lane that has had its share does not take the last slot; one that has not takes it."""
    fairness = both_used()
    taken = take(fairness, *names(59))
    assert fairness.moment(slot("next")) == math.inf
    assert fairness.moment(slot("other", "b")) == -math.inf
    fairness.answered(taken[0], 7.0)
    assert fairness.moment(slot("next")) == 7.0 + WINDOW


def test_a_share_is_an_equal_part_of_the_burst():
    """Of three lanes with slots each may hold a third of the burst before it waits for fairness."""
    fairness = both_used(limit=90)
    for lane, count in (("a", 40), ("c", 20)):
        take(fairness, *names(count, of=lane), lane=lane, limit=90, permit=Permit("go", limit=90))
    assert fairness.moment(slot("x", "c", limit=90)) == -math.inf
    take(fairness, *names(19, of="b"), lane="b", limit=90, permit=Permit("go", limit=90))
    fairness.ask(slot("x", "a", limit=90), 0.0)
    assert fairness.moment(slot("next", "a", limit=90)) > 0.0
    assert fairness.moment(slot("x", "b", limit=90)) == -math.inf
    take(fairness, "b19", lane="b", limit=90, permit=Permit("go", limit=90))
    assert fairness.moment(slot("x", "b", limit=90)) > 0.0


def test_kinds_are_counted_apart():
    """Who has taken all writes has taken no read, though a read shows that a lane is in use."""
    fairness = Fairness()
    fairness.comes(slot("x", "b", "read"), 0.0)
    take(fairness, *names(59))
    assert fairness.moment(slot("next")) > 0.0
    assert fairness.moment(slot("next", kind="read")) == -math.inf
    assert (fairness.rank(slot("x")), fairness.rank(slot("x", kind="read"))) == (59, 0)


@pytest.mark.parametrize("permit", [Permit("wait", 5.0, limit=60), Permit("late"), None])
def test_what_was_asked_for_in_vain_does_not_count(permit):
    """A slot that Redis did not give, or was not asked for, is none that the lane has had."""
    fairness = both_used()
    take(fairness, *names(40))
    before = fairness.moment(slot("next"))
    for name in names(20, of="vain"):
        (vain,) = take(fairness, name, permit=permit)
        fairness.answered(vain, 0.0)
    assert fairness.rank(slot("next")) == 40
    assert fairness.moment(slot("next")) == before


def test_the_limit_is_the_one_that_holds_now():
    """After a refusal shares are those of the lower limit; where none is left, nobody waits."""
    fairness = both_used()
    take(fairness, *names(12), permit=Permit("go", limit=15))
    assert fairness.moment(slot("next")) > 0.0
    unlimited = Fairness()
    for lane in "ab":
        unlimited.comes(slot("x", lane, limit=0), 0.0)
    take(unlimited, *names(99), limit=0, permit=Permit("go"))
    assert unlimited.rank(slot("next", limit=0)) == 0
    take(unlimited, *names(200, of="m"), limit=0, permit=Permit("go", limit=150))
    assert unlimited.moment(slot("next", limit=0)) > 0.0
    take(unlimited, "last", limit=0, permit=Permit("go"))
    assert unlimited.moment(slot("next", limit=0)) == -math.inf


def test_who_waits_for_nobody_has_no_lane():
    """With is_fair off slots are of no lane, and count for nobody."""
    book = Request("get", "https://sheets.googleapis.com/v4/spreadsheets/book")
    assert Quota().slot(book, "1", "book").lane == "book"
    whose = Quota(is_fair=False).slot(book, "1", "book").lane
    fairness = both_used()
    take(fairness, *names(60), lane=whose)
    assert fairness.rank(slot("x", whose)) == 0
    assert fairness.moment(slot("x", whose)) == -math.inf


# In line ----------------------------------------------------------------------------------------


def ticket(number, lane, kind="write"):
    of = slot(f"t{number}", lane, kind)
    return Ticket(kind, number, slot=of)


def holding(tickets, **counts):
    """Have lanes hold slots; return these."""
    held = []
    for lane, count in counts.items():
        for number in range(count):
            one = Ticket("write", number, slot=slot(f"{lane}{number}", lane))
            assert tickets.passes(one, 0.0)
            tickets.told(one, TOLD)
            held.append(one.slot)
    return held


def taken(tickets, now=0.0):
    found = []
    while (due := tickets.take(now)) is not None:
        found.append(due.number)
    return found


def test_who_has_had_less_goes_first():
    """Among those who wait the lane with the fewest slots is the next, and then who came first."""
    tickets = TicketQueue()
    holding(tickets, a=3, b=1)
    for number, lane in enumerate("abcde", start=1):
        tickets.add(ticket(number, lane))
    assert taken(tickets) == [3, 4, 5, 2, 1]


def test_a_slot_that_comes_back_counts_no_more():
    """A lane whose slots come back while it waits goes before those that came earlier."""
    tickets = TicketQueue()
    held = holding(tickets, a=3, b=1)
    tickets.add(ticket(1, "b"))
    tickets.add(ticket(2, "a"))
    for each in held[:3]:
        tickets.answered(each, 0.0)
    assert taken(tickets, WINDOW) == [2, 1]
    assert len(tickets) == 0


def test_a_lane_that_waits_for_fairness_is_passed_by():
    """While one lane waits for its moment, another one's request goes, and asks nobody before."""
    tickets = TicketQueue()
    holding(tickets, b=1, a=40)
    tickets.add(ticket(1, "a"))
    assert taken(tickets) == []
    assert tickets.passes(ticket(2, "b"), 0.0)
    moment = tickets.next_moment()
    assert 0.0 < moment < WINDOW
    assert taken(tickets, moment) == [1]


def test_between_kinds_it_counts_who_came_first():
    """A write of a lane that holds slots goes before a read that came later."""
    tickets = TicketQueue()
    holding(tickets, a=3)
    tickets.add(ticket(1, "a"))
    tickets.add(ticket(2, "b", "read"))
    assert taken(tickets) == [1, 2]


# As time passes ---------------------------------------------------------------------------------


def saturated(world, *lanes):
    for lane in lanes:
        world.calls(lane, count=MANY)
    return world


@given(LIMITS, LATENCIES)
@settings(deadline=None, max_examples=25)
def test_one_spreadsheet_is_served_as_ever(limit, latency):
    """With one spreadsheet in use each of its requests goes when it went without fairness."""
    fair, greedy = (
        saturated(SlotWorld(limit, 6.0, latency, fair=is_fair), "a").run(24.0).sent
        for is_fair in (True, False)
    )
    assert fair == greedy


@given(LIMITS, LATENCIES, st.integers(2, 8), st.sampled_from([0.0, 0.02, 0.09]))
@settings(deadline=None, max_examples=60)
def test_what_fairness_costs(limit, latency, lanes, interval):
    """However few slots and many lanes there are, nine tenths of the requests go all the same."""
    fair, greedy = (
        saturated(SlotWorld(limit, 6.0, latency, interval, fair=is_fair), *names(lanes)).run(60.0)
        for is_fair in (True, False)
    )
    assert fair.count(since=6.0) >= 0.9 * greedy.count(since=6.0) - 1
    counts = [fair.count(name) for name in names(lanes)]
    assert max(counts) - min(counts) <= max(2, max(counts) / 10)


@given(LIMITS, LATENCIES, st.data())
@settings(deadline=None, max_examples=60)
def test_nobody_waits_for_ever(limit, latency, data):
    """Whatever comes, every request is sent, in little more windows than there are slots for."""
    world = SlotWorld(limit, 6.0, latency)
    moments = st.floats(0, 30, allow_nan=False).map(lambda moment: round(moment, 3))
    come = st.tuples(st.sampled_from("abcdef-"), moments, st.integers(1, 60))
    given_calls = data.draw(st.lists(come, min_size=1, max_size=12))
    for lane, moment, count in given_calls:
        world.calls(lane, moment, count)
    total = sum(count for *_, count in given_calls)
    world.run(30.0 + (total / limit / 0.9 + 2) * 6.0 + total * latency)
    assert world.count() == total


@given(st.integers(20, 80), LATENCIES, st.integers(1, 6))
@settings(deadline=None, max_examples=40)
def test_there_is_a_slot_for_who_comes_seldom(limit, latency, busy):
    """Beside lanes with calls without end, one that makes a call in a while is let go at once."""
    world = saturated(SlotWorld(limit, 6.0, latency), *names(busy))
    for number in range(9):
        world.calls("seldom", number * 5.9)
    world.run(60.0)
    assert len(world.waits_of("seldom")) == 9
    # The lanes take their share as it comes, and so may be the first after a burst.
    assert max(world.waits_of("seldom")[1:]) <= 6.0 / (limit - burst_of(limit))


def test_who_comes_often_gets_what_a_burst_leaves():
    """A request every 2 s beside a job that took the burst: served for 25 s, then none for 35 s."""
    world = SlotWorld(60)
    world.calls("handler")
    world.calls("job", 0.5, 400)
    for number in range(1, 60):
        world.calls("handler", number * 2.0)
    world.run(100.0)
    served = [moment for moment, lane, *_ in world.sent if lane == "handler"]
    gap, end = max((after - moment, after) for moment, after in itertools.pairwise(served))
    assert (round(end), round(end - gap)) == (60, 24)
    assert 33 < max(world.waits_of("handler")) < 37


@given(st.integers(20, 80), st.integers(2, 5))
@settings(deadline=None, max_examples=40)
def test_no_more_than_a_burst_comes_at_once(limit, busy):
    """In any stretch of time lanes with calls without end send a burst, and the spaced ones."""
    world = saturated(SlotWorld(limit, 6.0), *names(busy)).run(30.0)
    moments = [moment for moment, *_ in world.sent]
    gap = 6.0 / (limit - burst_of(limit))
    stretch = 5 * gap
    # Shares are not whole numbers of slots.
    most = burst_of(limit) + busy + stretch / gap + 2
    for first, moment in enumerate(moments):
        within = [each for each in moments[first:] if each < moment + min(stretch, 5.9)]
        assert len(within) <= most
    assert min(free for *_, free in world.sent) >= 1


def test_a_burst_of_another_waits_for_slots_that_come_back():
    """Ten calls at once beside a lane without end take a third of a window at the most."""
    world = saturated(SlotWorld(60, 6.0, 0.01), "a")
    for number in range(12):
        world.calls("b", 5.0 * number, 10)
    world.run(66.0)
    assert len(world.waits_of("b")) == 120
    assert max(world.waits_of("b")[10:]) <= 2.5
    assert world.count("a", since=6.0) >= 0.95 * (60 * 10 - world.count("b", since=6.0))
