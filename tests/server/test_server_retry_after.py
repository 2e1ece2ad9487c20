"""What Google asks to wait: believed as far as anybody waits, and whatever it looks like."""

from __future__ import annotations

import math

import pytest
from calls import read, send, write
from gate import cell_of, google_error
from gspread.exceptions import APIError
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict
from waiting import PATIENCE

from queued_gspread.protocol.messages import Job
from queued_gspread.server.policy.request import Exchange, Failure, Request
from queued_gspread.server.policy.retry import Attempts, RetryPolicy
from queued_gspread.server.policy.verdict import Verdict, VerdictKind, judge

YEARS = ["3600", "999999999", "Fri, 31 Dec 2099 23:59:59 GMT"]
each_long = pytest.mark.parametrize("after", YEARS)
each_status = pytest.mark.parametrize("status", [429, 503])
FAILED = Exchange(Request("get", "x"), Failure(google_error(503)))


# What it says -----------------------------------------------------------------------------------

ODD = [
    *("", " ", "-5", "+5", "NaN", "inf", "-inf", "1e3", "1.5", "0x10", "soon", "\x00", "é", "५"),
    *("9" * 400, "9" * 5000, "1" + "0" * 400, "5, 10", "5,5", "Thu", "Thu, 01 Jan 1970"),
    *("Thu, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"),
    *("Fri, 31 Dec 9999 23:59:59 -9999", "Thu, 01 Jan 0001 00:00:00 +9999"),
    *("Thu, 31 Dec 99999999999999999999 23:59:59 GMT", "Thu, 31 Dec 2099 99:99:99 GMT"),
    "Fri, 31 Dec 2099 23:59:59 GMT, Fri, 31 Dec 2099 23:59:59 GMT",
]
parts = st.sampled_from(
    ["Thu", ",", " ", "31", "Dec", "2099", "23:59:59", "GMT", "+99999", "-", "9"]
)
texts = st.one_of(st.sampled_from(ODD), st.text(max_size=30), st.lists(parts).map(" ".join))


@given(after=texts, date=texts, status=st.sampled_from([403, 429, 500, 503]))
def test_whatever_it_says(after, date, status):
    """No value of it, nor of the Date beside it, raises; it is seconds from 0 on, or nothing."""
    error = google_error(status)
    error.response.headers = CaseInsensitiveDict({"Retry-After": after, "Date": date})
    found = judge(Failure(error)).retry_after
    assert found is None or 0 <= found < math.inf


class Odd:
    """A value that has no text."""

    def __str__(self):
        raise ValueError


@pytest.mark.parametrize("value", [None, 5.5, math.nan, -1, b"7", ["7"], object(), Odd()])
def test_a_value_of_another_type(value):
    """A double's header that is no text raises nothing."""
    error = google_error(503)
    error.response.headers = {"Retry-After": value}
    assert judge(Failure(error)).retry_after is None


# How long is waited -----------------------------------------------------------------------------

long_waits = st.floats(0, 1e12) | st.just(math.inf)


@given(asked=long_waits, retry_for=st.floats(1, 1e6), end=st.floats(1, 1e6) | st.just(math.inf))
def test_a_wait_leaves_time_for_an_attempt(asked, retry_for, end):
    """Whatever is asked for, the next attempt comes before the end, and no sooner than it may."""
    attempts, retry_policy = Attempts(), RetryPolicy(retry_for=retry_for, window=0.06)
    verdict = Verdict(VerdictKind.UNKNOWN, asked)
    assert attempts.goes_on_after(FAILED, verdict, retry_policy, 0.0)
    pause = attempts.wait(verdict, retry_policy, 0.0, 1.0, 0.0, end)
    last = min(retry_for, end)
    assert pause < last
    assert pause >= min(asked, 0.89 * last)
    assert retry_policy.pause(verdict) < retry_for


@each_long
@each_status
def test_a_long_retry_after_is_followed_by_an_attempt(
    serve, client, gate, background, status, after
):
    """A read whose answer asks for a longer wait than --retry-for is sent once more before that."""
    serve(retry_for=1.0, quota_window=0.3)
    reading = background(read, client)
    gate.next().fail(google_error(status, retry_after=after))
    gate.next().answer({"second": True})
    assert reading.result(PATIENCE) == {"second": True}


def test_a_long_retry_after_is_waited_for_as_long_as_may_be(serve, client, gate, background):
    """The last attempt's failure is the caller's, where Google goes on to ask for more."""
    serve(retry_for=0.5, quota_window=12.0)
    reading = background(read, client)
    gate.next().fail(google_error(503, retry_after=3600))
    gate.next().fail(google_error(503, retry_after=3600))
    with pytest.raises(APIError):
        reading.result(PATIENCE)
    assert gate.is_idle


@each_long
def test_a_long_retry_after_pauses_its_kind_no_longer(serve, client, gate, background, after):
    """After a refusal that asks for hours, all writes go on within --retry-for."""
    serve(retry_for=1.0, quota_window=0.3, writes_per_minute=60)
    writing = [background(write, client, "one")]
    gate.next().fail(google_error(429, retry_after=after))
    writing.append(background(write, client, "two"))
    for _ in writing:
        gate.next().answer({"written": True})
    assert [each.result(PATIENCE) for each in writing] == [{"written": True}] * 2


def test_a_deadline_is_as_far_as_its_call_waits(serve, callers, gate, background):
    """A call whose deadline comes before Google's time is sent once more before the deadline."""
    serve(quota_window=0.3)
    call = ("get", cell_of("lane"))
    body = Job("http_client", "request", args=call, timeout=2.0).encode()
    reply = background(send, callers, body)
    gate.next().fail(google_error(503, retry_after=3600))
    gate.next().answer({"second": True})
    assert reply.result(PATIENCE).result.json() == {"second": True}
