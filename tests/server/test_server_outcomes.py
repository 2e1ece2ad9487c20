"""What Redis keeps of calls that failed: the latest of each sort, without values."""

from __future__ import annotations

import pytest
import requests
from calls import append, write
from gate import cell_of, google_error
from waiting import PATIENCE, eventually

from queued_gspread.broker import Producer, consumer
from queued_gspread.broker.failed_calls import failed_call
from queued_gspread.broker.waiting.wait import Wait
from queued_gspread.errors import OutcomeUnknownError
from queued_gspread.protocol.messages import Job, caller_named, new_id
from queued_gspread.settings import Settings


@pytest.fixture
def kept(raw):
    """Return what returns the calls that are kept under a key, the latest first."""
    return lambda key: [
        failed_call(member.encode(), score)
        for member, score in raw.zrange(key, 0, -1, desc=True, withscores=True)
    ]


def test_an_unknown_outcome_is_kept(serve, client, gate, background, keys, kept):
    """It is kept which call it was, and on which spreadsheet, and nothing of its cells."""
    serve()
    call = background(append, client, "lane", "hidden")
    gate.next().fail(requests.ConnectionError("reset"))
    assert isinstance(call.exception(PATIENCE), OutcomeUnknownError)
    (outcome,) = kept(keys.outcomes)
    assert (outcome.sort, outcome.error) == ("unknown", "OutcomeUnknownError")
    assert (outcome.method, outcome.spreadsheet) == ("http_client.values_append", "lane")
    assert not outcome.is_unattended
    assert "hidden" not in outcome.encode().decode()


def test_a_failure_has_the_titles_of_its_sheet(ws, raw, keys, kept):
    """A failure of a worksheet's call names the sheet as well, and no argument."""
    with pytest.raises(Exception, match="hidden"):
        ws.get("hidden range")
    (error,) = kept(keys.errors)
    assert (error.title, error.sheet) == ("A spreadsheet", "Sheet1")
    assert (error.http_status, error.method) == (400, "worksheet.get")
    assert "hidden" not in error.encode().decode()


def test_a_poisoned_job_is_kept_as_an_outcome(settings, serve, raw, keys, kept):
    """A job of which three servers died is among the outcomes, with all that names it."""
    callers, wait = Producer(settings), Wait(new_id(), "lane", None)
    callers.enqueue(wait, Job("http_client", "request", args=("get", cell_of("lane"))).encode())
    raw.hset(keys.deliveries, wait.job_id, "/1//2//3/")
    serve()
    (outcome,) = eventually(lambda: kept(keys.outcomes))
    assert (outcome.sort, outcome.job_id, outcome.spreadsheet) == ("poisoned", wait.job_id, "lane")
    caller = ":".join(map(str, caller_named(None)))
    assert (outcome.method, outcome.caller) == ("http_client.request", caller)


@pytest.mark.parametrize("body", [b"", b"{", b"x" * 100, b'{"kind":1,"method":[],"caller":3}'])
def test_a_poisoned_job_that_tells_nothing_is_kept_too(settings, serve, raw, keys, kept, body):
    """Where method and caller are not known, the outcome says so."""
    callers, wait = Producer(settings), Wait(new_id(), "lane", None)
    callers.enqueue(wait, body)
    raw.hset(keys.deliveries, wait.job_id, "/1//2//3/")
    serve()
    (outcome,) = eventually(lambda: kept(keys.outcomes))
    assert (outcome.method, outcome.caller) == ("?", "?")


@pytest.fixture
def settings(redis_url, namespace):
    return Settings(redis_url, namespace)


def test_failures_push_out_only_their_like(
    serve, client, gate, background, keys, kept, raw, monkeypatch
):
    """Of each sort the latest are kept: no number of failures pushes out an unknown outcome."""
    monkeypatch.setattr(consumer, "MOST_FAILED", 2)
    serve()
    call = background(append, client)
    gate.next().fail(requests.ConnectionError("reset"))
    call.exception(PATIENCE)
    for _ in range(3):
        call = background(write, client)
        gate.next().fail(google_error(400))
        call.exception(PATIENCE)
    assert [len(kept(key)) for key in (keys.failed, keys.outcomes, keys.errors)] == [0, 1, 2]
