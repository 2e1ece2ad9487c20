"""Slots of the quota that Redis has forgotten, and that the server which took them has not."""

from __future__ import annotations

import math

import pytest
from broker_helpers import enqueue
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from permits_helpers import LANE, WINDOW, Asked
from test_broker_permits import most_in_a_window, requests_of_all_kinds, simulate

from queued_gspread.broker import Consumer, Slot
from queued_gspread.broker import held as slots
from queued_gspread.broker.keys import Keys

EXAMPLES = examples(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def forget(raw, namespace):
    """Return what has Redis lose all that it holds of the namespace, but for the tests' clock."""

    def lose():
        kept = Keys(namespace).control("clock")
        raw.delete(*(key for key in raw.keys(f"*{{{namespace}}}*") if key != kept))

    return lose


def test_slots_that_redis_forgets_are_held(queue, entry, clock, raw, keys):
    """A server puts its slots back, each until a window after its answer, or as one in the air."""
    asked = Asked(queue(), entry, 3)
    asked.go()
    clock.advance(10)
    asked.go()
    slot, permit = asked.acquire()
    raw.delete(keys.slots("write"))
    assert asked.acquire()[1].wait == pytest.approx(WINDOW - 10, abs=0.01)
    clock.advance(WINDOW - 9.9)
    assert asked.acquire()[1].word == "go"
    raw.delete(keys.slots("write"))
    clock.advance(10)
    assert asked.acquire()[1].word == "go"
    raw.delete(keys.slots("write"))
    assert asked.acquire()[1].wait == math.inf
    asked.release_slot(slot, permit)
    assert asked.acquire()[1].wait == pytest.approx(WINDOW, abs=0.01)


def test_slots_are_held_over_a_redis_that_was_emptied(queue, entry, clock, forget, settings):
    """The server's next epoch knows what its earlier one has sent, and what that has in the air."""
    asked = Asked(queue(), entry, 2)
    asked.go()
    asked.acquire()
    clock.advance(20)
    forget()
    assert asked.server.beat(5.0).state == "taken"
    enqueue(settings)
    following = asked.server.under(asked.server.epoch)
    following.recover(WINDOW)
    asked = Asked(following, following.head(LANE), 2)
    assert asked.acquire()[1].wait == pytest.approx(WINDOW - 20, abs=0.01)
    clock.advance(WINDOW - 19.9)
    # What was in the air is held for a window from the takeover on, as that of any server.
    asked.go()
    assert asked.acquire()[1].wait == pytest.approx(19.9, abs=0.01)


def test_an_answer_puts_no_forgotten_slot_back_alone(queue, entry, clock, raw, keys):
    """Answers to what was in the air while Redis forgot hide no slot that was forgotten as well."""
    asked = Asked(queue(), entry, 2)
    first, second = asked.acquire(), asked.acquire()
    asked.release_slot(*first)
    raw.delete(keys.slots("write"))
    asked.release_slot(*second)
    clock.advance(1)
    assert asked.acquire()[1].wait == pytest.approx(WINDOW - 1, abs=0.01)


def test_a_slot_about_to_be_free_that_redis_forgets(queue, entry, clock, raw, keys):
    """It is held to its end, also while Redis knows an earlier one that is in the air."""
    asked, key = Asked(queue(), entry, 2), keys.slots("write")
    asked.acquire()
    before = raw.dump(key)
    asked.go()
    clock.advance(WINDOW - 0.03)
    raw.restore(key, 0, before, replace=True)
    assert asked.acquire()[1].wait == pytest.approx(0.03, abs=0.01)


def test_an_answer_that_redis_forgets_is_known(queue, entry, clock, raw, keys):
    """A slot that an older state of Redis has in the air is held no longer than it would be."""
    asked, key = Asked(queue(), entry, 1), keys.slots("write")
    slot, permit = asked.acquire()
    before = raw.dump(key)
    asked.release_slot(slot, permit)
    clock.advance(WINDOW / 2)
    raw.restore(key, 0, before, replace=True)
    asked.server.recover(WINDOW)
    assert asked.acquire()[1].wait == pytest.approx(WINDOW / 2, abs=0.01)
    clock.advance(WINDOW / 2 + 0.1)
    asked.go()


def test_a_request_in_the_air_is_in_the_air_after_a_recovery(queue, entry, clock):
    """A server that reads the queue again holds its own slots until their answers."""
    asked = Asked(queue(), entry, 1)
    asked.acquire()
    asked.server.recover(WINDOW)
    clock.advance(WINDOW * 2)
    assert asked.acquire()[1].wait == math.inf


def test_who_still_asks_under_an_earlier_epoch_ends_no_slot():
    """A request in the air under a later epoch is known to be, whatever the earlier one asks."""
    held, slot = slots.Held(), Slot("write", "12/1", 1)
    held.take(slot)
    assert held.latest(Slot("write", "9/7", 1)) == (slot.name, False)
    assert held.args(slot) == [slot.name, "inf"]


def test_a_server_that_knows_nothing_holds_nothing_back(queue, entry, clock, forget, settings):
    """One that begins at a Redis without its data cannot know what was sent before."""
    Asked(queue(), entry, 1).go()
    forget()
    enqueue(settings)
    other = Consumer(settings, "other")
    other.beat(5.0)
    assert Asked(other, other.head(LANE), 1).acquire()[1].word == "go"


@EXAMPLES
@given(requests=requests_of_all_kinds, limit=st.integers(1, 6), data=st.data())
def test_no_window_holds_more_than_the_quota_whatever_redis_forgets(
    queue, entry, clock, raw, keys, requests, limit, data
):
    """Slots may be lost, or those of an earlier moment come back, at any answer."""
    kept, key = [], keys.slots("write")
    moments = data.draw(st.dictionaries(st.integers(0, len(requests) - 1), st.integers(0, 9)))

    def lose(number):
        kept.append(raw.dump(key))
        if number in moments:
            raw.delete(key)
            older = kept[min(moments[number], len(kept) - 1)]
            if older and moments[number]:
                raw.restore(key, 0, older)

    found = simulate(clock, queue(), entry, limit, requests, after=lose)
    assert most_in_a_window(list(found.values())) <= limit
