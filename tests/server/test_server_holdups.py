"""What a server says of what holds requests up: with its beats, for callers that wait."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
from calls import read, write
from gate import google_error
from waiting import PATIENCE, eventually

from queued_gspread.broker import (
    AGAIN,
    INTERVAL,
    MEMORY,
    PAUSE,
    QUOTA,
    SENT,
    SHARED,
    Holdups,
    Permit,
    Slot,
)
from queued_gspread.server.google.token_state import USABLE, TokenState
from queued_gspread.server.holdups import HoldupReporter
from queued_gspread.server.pacing.ticket_queue import LARGE, Ticket
from queued_gspread.server.pacing.valve import TURN, Valve
from queued_gspread.server.timing import Timing

SLOW = Timing().slow_answer


@pytest.fixture(autouse=True)
def abandoned(background, short_slices, raw, keys):
    """Have calls that still wait at the end fail at once."""
    yield
    for lane in raw.scan_iter(keys.lane("*")):
        raw.delete(lane)


@pytest.fixture
def said(raw, keys):
    """Return what waits until a server has said something that fits; it returns that."""

    def wait(fits):
        def fitting():
            _, _, text = (raw.hget(keys.server, "holdups") or "").partition(" ")
            found = Holdups.decode(text.encode())
            return found if fits(found) else None

        return eventually(fitting)

    return wait


@pytest.mark.parametrize(("no_fair", "why"), [(True, QUOTA), (False, SHARED)])
def test_a_quota_that_is_waited_for_is_told(serve, client, gate, background, said, no_fair, why):
    """It is told until when, under which limit, which spreadsheets wait, and if they share it."""
    serve(writes_per_minute=1, no_merge=True, no_fair=no_fair)
    first = background(write, client)
    gate.next().answer()
    first.result(PATIENCE)
    for lane in ("one", "two"):
        background(write, client, lane)
    found = said(lambda holdups: len(holdups.lanes) == 2)
    assert dict(found.lanes) == {"one": ("write", 0.0), "two": ("write", 0.0)}
    ((kind, holdup),) = found.kinds.items()
    assert (kind, holdup.why, holdup.lanes, holdup.limit) == ("write", why, 2, 1)
    assert holdup.window == 60.0
    assert 0 < holdup.next <= 60.0


def test_a_slot_that_an_answer_gives_back_has_no_time(serve, client, gate, background, said):
    """While all slots are in the air, nobody knows when one comes back."""
    serve(writes_per_minute=1, no_merge=True)
    background(write, client, "one")
    held = gate.next()
    background(write, client, "two")
    assert math.isinf(said(lambda holdups: holdups.kinds).kinds["write"].next)
    held.answer()


def test_a_request_without_an_answer_is_told(
    serve, client, gate, background, said, raw, keys, timing
):
    """A spreadsheet whose request is in the air is named until it is answered, and no longer."""
    serve(timing=replace(timing, slow_answer=0.0))
    call = background(read, client, "slow")
    held = gate.next()
    assert said(lambda holdups: holdups.lanes).lanes["slow"][0] == SENT
    held.answer()
    call.result(PATIENCE)
    eventually(lambda: raw.hget(keys.server, "holdups") == "")


def test_a_request_that_is_retried_is_told(serve, client, gate, background, said):
    """A spreadsheet whose request has failed is named until its next attempt."""
    serve()
    background(read, client, "failing")
    for _ in range(4):
        gate.next().fail(google_error(503))
    word, seconds = said(lambda holdups: "failing" in holdups.lanes).lanes["failing"]
    assert word == AGAIN
    assert 0 <= seconds <= 8.0


def test_a_pause_after_a_refusal_is_told(serve, client, gate, background, said):
    """A kind of request that pauses after a refusal is told apart from a quota that is used up."""
    serve(writes_per_minute=60, no_merge=True)
    background(write, client, "refused")
    for _ in range(3):
        gate.next().fail(google_error(429))
    assert said(lambda holdups: holdups.kinds).kinds["write"].why == PAUSE


def test_an_interval_is_told(serve, client, gate, background, said):
    """Where requests are sent at an interval, that is what is told, and no quota."""
    serve(interval=30.0)
    first = background(read, client)
    gate.next().answer()
    first.result(PATIENCE)
    background(read, client)
    assert said(lambda holdups: holdups.kinds).kinds["read"].why == INTERVAL


@pytest.fixture
def valve():
    """Return a valve that lets nothing through."""
    valve = Valve(lambda: USABLE, 600.0)
    valve.start()
    yield valve
    valve.close()
    valve.join()


def looked(valve, token=USABLE, air=None):
    holdup_reporter = HoldupReporter(lambda: token, 60.0)
    holdup_reporter.watch(valve, SimpleNamespace(in_the_air=lambda: air or {}))
    return Holdups.decode(holdup_reporter.look().encode())


def enter(valve, kind, lane):
    ticket = Ticket(kind, lane=lane)
    turn = valve.enter(ticket, lambda _: None)
    if turn is not None:
        valve.told(ticket, Permit("wait", math.inf))
        assert valve.enter(ticket, lambda _: None) is None


def test_a_wait_for_memory_is_told(valve):
    """A call that waits for the server's memory waits for no quota."""
    enter(valve, LARGE, "book")
    found = looked(valve)
    assert found.kinds[LARGE].why == MEMORY
    assert found.lanes["book"][0] == LARGE


def test_a_pause_that_is_over_is_told_no_more(clock):
    """A spreadsheet that waits for others once a pause is over, and asks nobody, is told so."""
    valve = Valve(lambda: USABLE, 600.0, clock)
    pause = Permit("wait", 3.0, PAUSE, limit=1)
    permits = [Permit("go", limit=60), Permit("go", limit=60), pause]
    for number, lane in enumerate(("other", "book", "book")):
        slot = Slot("write", f"1/{number}", 60, 60.0, lane=lane)
        ticket = Ticket("write", lane=lane, slot=slot)
        assert valve.enter(ticket, lambda _: None) is TURN
        valve.told(ticket, permits[number])
    assert valve.enter(ticket, lambda _: None) is None
    assert looked(valve).kinds["write"].why == PAUSE
    clock.now += 30.0
    assert looked(valve).kinds["write"].why == SHARED


def test_long_lines_are_told_in_short(valve):
    """However many spreadsheets wait, some of them are named, and all of them are counted."""
    for number in range(1000):
        enter(valve, "write", f"book-{number}")
    found = looked(valve, air={f"slow-{number}": 9.0 for number in range(1000)})
    assert found.kinds["write"].lanes == 1000
    assert 0 < len(found.lanes) <= 200


def test_an_answer_that_comes_in_time_is_not_told(valve):
    """A request that is in the air for no longer than any other is not worth a word."""
    assert not looked(valve, air={"book": SLOW / 2})
    assert looked(valve, air={"book": SLOW}).lanes == {"book": (SENT, SLOW)}


@pytest.mark.parametrize(
    ("token", "seconds"),
    [
        (USABLE, None),
        (TokenState(is_usable=False), 0.0),
        (TokenState(is_usable=False, error=ValueError("refused"), waited=12.5), 12.5),
        (TokenState(is_usable=False, error=ValueError("refused"), waited=math.inf), None),
    ],
)
def test_a_token_that_is_waited_for_is_told(valve, token, seconds):
    """It is told for how long there is no token, unless calls fail at once, and never why."""
    assert looked(valve, token).token == seconds


def test_a_server_that_does_not_work_yet_says_nothing():
    """Before there is anything to look at, there is nothing to say."""
    assert HoldupReporter(lambda: USABLE, 60.0).look() == ""
