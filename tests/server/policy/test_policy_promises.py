"""What a call under an idempotency key is, and what its end means for the key."""

from __future__ import annotations

from dataclasses import replace

import pytest
import requests
from calls import WORKSHEET
from gate import google_error, response

from queued_gspread.errors import (
    CallTimeoutError,
    LockLostError,
    MessageTooLargeError,
    PoisonedJobError,
)
from queued_gspread.protocol.messages import Job, Once
from queued_gspread.server.calls.outcome import unknown
from queued_gspread.server.policy.promises import End, Promise, digest_of, end_of
from queued_gspread.server.policy.request import (
    Exchange,
    Failure,
    RecordedExchange,
    Request,
    RequestDigest,
    Response,
)

URL = "https://sheets.googleapis.com/v4/spreadsheets/lane/values/A1"
READ = Exchange(Request("get", URL), Response(response()))
WRITTEN = Exchange(Request("post", f"{URL}:append"), Response(response()))
RECORDED = RecordedExchange(RequestDigest("post", URL), Response(response()))
JOB = Job("worksheet", "append_row", WORKSHEET, ([1, "x"],), {"table_range": "A1"})


def failed(error):
    return Exchange(Request("post", f"{URL}:append"), Failure(error))


def ended(error, *exchanges, mark="j"):
    """Return what an error means; the call has that mark."""
    return end_of(error, exchanges, is_marked=mark in "wj", is_journalled=mark == "j")


@pytest.mark.parametrize(
    ("end", "error", "exchanges", "mark"),
    [
        (End.UNKNOWN, unknown(None, "cut"), (), "j"),
        (End.UNKNOWN, PoisonedJobError("three"), (), "w"),
        (End.NOT_MADE, PoisonedJobError("three"), (), "r"),
        (End.FINAL, google_error(400), (failed(google_error(400)),), "r"),
        (End.FINAL, google_error(403), (failed(google_error(403)),), "r"),
        (End.NOT_MADE, google_error(429), (failed(google_error(429)),), "r"),
        (End.NOT_MADE, google_error(401), (failed(google_error(401)),), "r"),
        (End.NOT_MADE, google_error(503), (failed(google_error(503)),), "w"),
        (End.NOT_MADE, requests.ConnectTimeout(), (failed(requests.ConnectTimeout()),), "r"),
        (End.NOT_MADE, CallTimeoutError("late"), (READ,), "r"),
        (End.NOT_MADE, LockLostError("lapsed"), (), "r"),
        (End.NOT_MADE, ValueError("gspread's own"), (READ,), "r"),
        (End.FINAL, CallTimeoutError("late"), (WRITTEN,), "j"),
        (End.FINAL, google_error(429), (WRITTEN, failed(google_error(429))), "j"),
        (End.FINAL, google_error(503), (RECORDED, failed(google_error(503))), "j"),
        (End.NOT_MADE, google_error(503), (WRITTEN, failed(google_error(503))), "w"),
        (End.FINAL, MessageTooLargeError("its result"), (WRITTEN,), "w"),
        (End.UNKNOWN, None, (WRITTEN,), "j"),
        (End.NOT_MADE, None, (WRITTEN,), "w"),
        (End.NOT_MADE, None, (), "j"),
    ],
)
def test_what_the_end_of_a_call_means_for_its_key(end, error, exchanges, mark):
    """What was made in part, or refused, is final; what was not, or is idempotent, is not."""
    assert ended(error, *exchanges, mark=mark) is end


def digest(job, lane="lane"):
    return digest_of(job.encode(), lane)


def test_who_makes_a_call_is_not_of_the_call():
    """Its caller, account, timeouts, key, and what its worksheet is called or counts, are not."""
    other = {
        "spreadsheet": {"id": "lane", "title": "Renamed"},
        "properties": {"sheetId": 0, "title": "Renamed", "gridProperties": {"rowCount": 11}},
    }
    same = replace(
        JOB, target=other, timeout=9.0, http_timeout=1, caller=("b", 2), once=Once("a", 1, 60.0)
    )
    assert digest(same) == digest(JOB)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "append_rows"},
        {"kind": "spreadsheet"},
        {"args": ([1, "y"],)},
        {"args": ([1.0, "x"],)},
        {"args": (["1", "x"],)},
        {"args": ((1, "x"),)},
        {"kwargs": {}},
        {"target": {**WORKSHEET, "properties": {"sheetId": 1}}},
    ],
)
def test_what_is_of_the_call(change):
    """Another method, object or argument is another call; so is another spreadsheet."""
    assert digest(replace(JOB, **change)) != digest(JOB)
    assert digest(JOB, "another") != digest(JOB)


def test_where_an_upsert_found_its_columns_is_not_of_the_call():
    """What a client remembers for its next upsert does not make that another call."""
    job = Job("worksheet", "upsert_rows", WORKSHEET, ([{"a": 1}],), {"key": ["a"], "columns": [0]})
    assert digest(replace(job, kwargs={"columns": [3], "key": ["a"]})) == digest(job)


def test_a_key_is_named_with_its_number():
    """An error names the key, and which call of its block it is about, if not the first."""
    first, third = (Promise(Once("order-1", number, 60.0), "d") for number in (0, 2))
    assert str(first) == "the idempotency key 'order-1'"
    assert str(third) == "the idempotency key 'order-1', call 3 of its block"
    assert third.field == "2 order-1"
