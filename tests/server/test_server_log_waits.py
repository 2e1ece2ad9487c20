"""How long a call has waited, as its line in the log tells."""

from __future__ import annotations

import io
import json
import time
from types import SimpleNamespace

import pytest
from calls import write
from gate import google_error
from gspread.exceptions import APIError
from waiting import PATIENCE, eventually

from queued_gspread.errors import CallTimeoutError
from queued_gspread.server import tally as tallies
from queued_gspread.server.log import configure
from queued_gspread.server.tally import Tally

WINDOW = 1.0


@pytest.fixture
def ended(restored_log):
    """Return what returns the line of the one call that has ended."""
    stream = io.StringIO()
    configure("info", "json", stream)

    def wait():
        found = lambda: [line for line in stream.getvalue().splitlines() if '"method"' in line]  # noqa: E731
        eventually(found)
        (line,) = found()
        return json.loads(line)

    return wait


def test_a_wait_before_a_retry_counts(serve, client, gate, background, ended):
    """A request that waits for a slot to be retried has waited, and Google has not."""
    serve(writes_per_minute=1, quota_window=WINDOW)
    call = background(write, client)
    gate.next().fail(google_error(503))
    second = gate.next()
    arrived = time.monotonic()
    # A slot is held for a window after the answer.
    second.answer({})
    answered = time.monotonic()
    call.result(PATIENCE)
    line = ended()
    assert line["requests"] == 2
    assert line["waited_ms"] >= WINDOW * 1000 - 10
    assert line["duration_ms"] - line["waited_ms"] >= (answered - arrived) * 1000 - 2


def test_a_wait_in_vain_counts(serve, authorize, auth, gate, background, ended):
    """A call whose timeout passes before its request is retried has waited until then."""
    serve(writes_per_minute=1, quota_window=60)
    call = background(write, authorize(auth, timeout=3))
    gate.next().fail(google_error(503))
    with pytest.raises((APIError, CallTimeoutError)):
        call.result(PATIENCE)
    line = ended()
    assert line["requests"] == 1
    # Of three seconds; that attempt may take long on a machine that is busy.
    assert line["waited_ms"] > 1000


def test_all_but_attempts_is_waiting(clock, monkeypatch):
    """All the time until the end of the last attempt, or wait, was waited, except the attempts."""
    monkeypatch.setattr(tallies, "time", SimpleNamespace(monotonic=clock))
    tally, began = Tally(), clock()
    clock.now += 5
    assert tally.waited(began, clock()) == 5
    tally.begin()
    clock.now += 3
    assert tally.waited(began, clock()) == 5
    tally.end()
    clock.now += 7
    assert tally.waited(began, clock()) == 5
    tally.begin()
    clock.now += 2
    tally.end()
    assert tally.waited(began, clock()) == 12
    clock.now += 4
    tally.give_up()
    assert tally.waited(began, clock()) == 16
