"""Redis's clock is set while calls wait: a step is no wait."""

from __future__ import annotations

import pytest
from hand_clock import HandClock
from one_job import acquire

from queued_gspread.broker import Entry
from queued_gspread.broker.connection import clock_steps as steps
from queued_gspread.broker.connection.clock_steps import Steps

LANE = "lane"
STEP = 300.0
TIMEOUT = 60


@pytest.fixture
def here(monkeypatch):
    """Return what lets time pass on this machine's clock."""
    clock = HandClock(1000.0)
    monkeypatch.setattr(steps, "now", clock)

    def advance(seconds):
        clock.now += seconds
        return clock.now

    return advance


def test_no_step_is_more_than_was_seen(here):
    """A pause of this process, at whatever point of a look, makes no step of what has passed."""
    seen = Steps()
    seen.saw(1_000_000, here(0))
    since = here(5)
    here(10)
    seen.saw(1_005_000, since)
    seen.saw(1_020_000, here(5))
    assert seen.since(0) == 0


def test_a_step_counts_for_what_was_put_in_before_it(here):
    """What was put in since then has waited for all the time that the clock shows."""
    seen = Steps()
    seen.saw(1_000_000, here(0))
    seen.saw(1_301_000, here(1))
    seen.saw(1_902_000, here(1))
    assert [seen.since(at) for at in (999_000, 1_301_000, 1_902_000)] == [900_000, 600_000, 0]
    seen.saw(1_302_000, here(0.5))
    assert seen.since(999_000) == 0


@pytest.fixture
def put_in(raw, keys, clock):
    """Return what puts a job in at the time that the clock shows; its entry is the value."""

    def put(job_id="a" * 32):
        raw.sadd(keys.active, LANE)
        place = f"{round(clock.now * 1000)}-0"
        raw.xadd(keys.lane(LANE), {"id": job_id, "body": "job"}, id=place)
        return Entry(LANE, place, job_id, b"job", "", 1)

    return put


def test_a_step_makes_no_call_late(queue, clock, put_in):
    """A call whose timeout has passed on Redis's clock alone is begun, seen before it or not."""
    server = queue()
    seen = put_in()
    assert server.head(LANE).age == 0
    clock.advance(STEP)
    assert acquire(server, seen, "r", TIMEOUT).word == "go"
    clock.advance(STEP)
    head = server.head(LANE)
    assert head.age < TIMEOUT
    assert acquire(server, head, "r", TIMEOUT).word == "go"
    later = put_in("b" * 32)
    assert acquire(server, later, "r", TIMEOUT).word == "go"


def test_no_call_is_begun_late_after_a_step(queue, clock, put_in, here):
    """What passes on both clocks counts, after a step too, and before it."""
    server = queue()
    seen = put_in()
    clock.advance(TIMEOUT / 2)
    here(TIMEOUT / 2)
    clock.advance(STEP)
    assert acquire(server, seen, "r", TIMEOUT).word == "go"
    clock.advance(TIMEOUT / 2 + 1)
    here(TIMEOUT / 2 + 1)
    assert acquire(server, seen, "r", TIMEOUT).word == "late"
    assert server.head(LANE).age > TIMEOUT


def test_a_step_back_ends_what_was_allowed_for_one(queue, clock, put_in, here):
    """Where the clock comes back, Redis's time holds again."""
    server = queue()
    seen = put_in()
    clock.advance(STEP)
    assert acquire(server, seen, "r", TIMEOUT).word == "go"
    clock.advance(-STEP)
    server.beat(5.0)
    clock.advance(TIMEOUT + 1)
    here(TIMEOUT + 1)
    assert acquire(server, seen, "r", TIMEOUT).word == "late"
