"""What callers are told of the quota is a bound of what the line at the valve does."""

from __future__ import annotations

from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st
from slot_world import SlotWorld

from queued_gspread.broker import QUOTA, SHARED, Holdup
from queued_gspread.broker.waiting.reason import bound

CALLS = st.lists(
    st.tuples(st.sampled_from("ABCD"), st.floats(0.0, 100.0), st.integers(1, 60)), min_size=1
)


@given(st.integers(1, 60), CALLS, st.booleans())
# One has just used all slots, so that all come back at once, and not all of them as they come.
@example(limit=60, calls=[("B", 99.0, 60), ("A", 99.5, 50)], fair=True)
# One alone may take them all as they come.
@example(limit=60, calls=[("A", 99.0, 180)], fair=False)
def test_no_request_waits_longer_than_its_caller_is_told(limit, calls, fair):
    """Whatever came before, and whoever waits, each lane's last request goes within its bound."""
    world = SlotWorld(limit, fair=fair)
    for lane, moment, count in calls:
        world.calls(lane, moment, count)
    world.run(100.0)
    sent = Counter(each[1] for each in world.sent)
    total = Counter()
    for lane, _, count in calls:
        total[lane] += count
    waiting = {lane: count - sent[lane] for lane, count in total.items() if count > sent[lane]}
    began, is_shared = world.now, world.tickets.is_shared
    world.run(10_000.0)
    last = {lane: moment for moment, lane, *_ in world.sent}
    for lane, count in waiting.items():
        holdup = Holdup(SHARED if is_shared else QUOTA, 60.0, len(waiting), limit)
        told = bound(holdup, count - 1)
        assert last[lane] - began <= told + 1e-6, (lane, count, waiting)
