"""A server that was stopped for longer than its lease: what it had begun is another's by then."""

from __future__ import annotations

import math
import os
import signal
import time

import pytest
from calls import append, read, write
from gate import GatedGoogle
from waiting import PATIENCE, eventually

from queued_gspread.broker import Consumer, StaleEpochError
from queued_gspread.errors import OutcomeUnknownError
from queued_gspread.server.lease import Lease
from queued_gspread.settings import Settings


@pytest.fixture
def queue(redis_url, namespace):
    return Consumer(Settings(redis_url=redis_url, namespace=namespace), "aaaa", "server a")


@pytest.fixture
def lease(queue, clock):
    """Return a lease that beats when it is told to, and has beaten once."""
    lease = Lease(queue, 60.0, clock)
    lease.beat()
    return lease


def test_a_lease_is_certain_for_as_long_as_it_holds(lease, clock):
    """Until a lease's length after its last beat, an epoch is confirmed without asking anybody."""
    lease.confirm(lease.epoch)
    clock.now = 59.9
    lease.confirm(lease.epoch)
    with pytest.raises(StaleEpochError):
        lease.confirm("an earlier one")


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="there is no such clock here")
def test_a_lease_runs_out_while_the_machine_sleeps(queue, monkeypatch):
    """The clock of a lease counts the time for which the whole machine was suspended."""
    lease = Lease(queue, 60.0)
    lease.beat()
    assert lease.confirms_at_once
    since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    monkeypatch.setattr(time, "clock_gettime", {time.CLOCK_BOOTTIME: since_boot + 60}.__getitem__)
    assert not lease.confirms_at_once


def test_a_lease_that_may_have_lapsed_waits_for_a_beat(lease, clock, background):
    """After a pause an epoch is confirmed by the next beat, where nobody has taken over."""
    clock.now = 60.0
    confirmed = background(lease.confirm, lease.epoch)
    assert not confirmed.done()
    lease.beat()
    assert confirmed.result(PATIENCE) is None


def test_a_lease_that_has_lapsed_is_not_confirmed(lease, clock, background, usurp):
    """After a pause in which another server has taken over, the epoch has ended."""
    clock.now = 60.0
    confirmed = background(lease.confirm, lease.epoch)
    usurp()
    assert not confirmed.done()
    lease.beat()
    assert isinstance(confirmed.exception(PATIENCE), StaleEpochError)


def test_a_lease_counts_from_before_its_beat(lease, queue, clock, monkeypatch):
    """However long the answer to a beat takes, the lease is no longer for it."""
    beat = queue.beat

    def slow(seconds, **own):
        found = beat(seconds, **own)
        clock.now += 50.0
        return found

    monkeypatch.setattr(queue, "beat", slow)
    lease.beat()
    assert lease.confirms_at_once
    clock.now = 60.0
    assert not lease.confirms_at_once


def test_every_request_asks_the_lease(serve, client, gate, background, raw, keys, monkeypatch):
    """A server asks before it sends a request whether the epoch lasts under which it works."""
    asked = []
    monkeypatch.setattr(Lease, "confirm", lambda _, epoch: asked.append(epoch))
    serve()
    reading = background(read, client)
    arrival = gate.next()
    assert asked == [raw.hget(keys.server, "epoch")]
    arrival.answer({})
    assert reading.result(PATIENCE) == {}


def test_a_lease_that_is_given_up_confirms_nothing(lease, clock, background):
    """Who waits for a beat that comes no more is told that the epoch has ended."""
    # Never before the end of any lease, whatever beats there are.
    clock.now = math.inf
    confirmed = background(lease.confirm, lease.epoch)
    lease.start()
    assert not confirmed.done()
    lease.stop()
    assert isinstance(confirmed.exception(PATIENCE), StaleEpochError)


@pytest.fixture
def other_google():
    """Return a second server in Google's place: what arrives there tells who has sent it."""
    with GatedGoogle() as server:
        yield server


def test_a_server_that_wakes_up_sends_and_answers_nothing(
    start_process, client, google, other_google, background, raw, keys
):
    """A server stopped with requests in the air and in line leaves all of them to the next."""
    limited = ["--writes-per-minute", 1, "--quota-window", 0.3]
    paused = start_process(*limited)
    other = start_process(*limited, "--api-endpoint", other_google.url, wait="standing by")
    in_the_air = background(write, client, "one", "first")
    arrival = google.gate.next()
    behind_it = background(read, client, "one")
    in_line = background(write, client, "two", "second")
    eventually(lambda: raw.xlen(keys.lane("one")) == 2)
    eventually(lambda: raw.xlen(keys.lane("two")) == 1)
    paused.signal(signal.SIGSTOP)
    try:
        other.until_log("working as")
        other_google.gate.next()
        arrival.answer({"by": "paused"})
    finally:
        paused.signal(signal.SIGCONT)
    paused.until_log("standing by")
    other_google.gate.open()
    assert [call.result(PATIENCE) for call in (behind_it, in_line)] == [{}, {}]
    assert isinstance(in_the_air.exception(PATIENCE), OutcomeUnknownError) or (
        in_the_air.result() == {}
    )
    assert [seen.lane for seen in google.gate.seen] == ["one"]
    eventually(lambda: not raw.exists(keys.active))
    assert not raw.exists(keys.progress)
    for server in (paused, other):
        server.signal(signal.SIGTERM)
        assert server.exit_status() == 0


# Makes a server stop itself right before its first request is sent.
STOPS_BEFORE_IT_SENDS = """
import signal, threading
from queued_gspread.server.lease import Lease

confirm, stops = Lease.confirm, [signal.SIGSTOP]

def stop_and_confirm(lease, epoch):
    if stops:
        # This very thread takes the signal: where another did, this one would go on for a moment.
        signal.pthread_kill(threading.get_ident(), stops.pop())
    confirm(lease, epoch)

Lease.confirm = stop_and_confirm
"""


def test_a_server_stopped_between_intent_and_request(
    start_process, client, google, background, raw, keys, redis_url, namespace
):
    """What it intended and could not send before its lease lapsed, it takes back."""
    # This process sees it stop as its parent.
    paused = start_process(patch=STOPS_BEFORE_IT_SENDS, fresh=True)
    appending = background(append, client)
    os.waitid(os.P_PID, paused.process.pid, os.WSTOPPED | os.WNOWAIT)
    (journal,) = raw.keys(keys.journal("*"))
    other = Consumer(Settings(redis_url=redis_url, namespace=namespace), "ffff", "other")
    eventually(lambda: other.beat(60).state == "taken")
    assert [entry[0] for entry in raw.lrange(journal, 0, -1)] == [">"]
    paused.signal(signal.SIGCONT)
    eventually(lambda: not raw.exists(journal))
    assert list(raw.hgetall(keys.progress).values()) == ["r"]
    other.release()
    google.gate.next().answer({"appended": True})
    assert appending.result(PATIENCE) == {"appended": True}
    assert len(google.gate.seen) == 1
