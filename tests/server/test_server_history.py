"""What a process remembers of calls, so that it makes none of them twice."""

from __future__ import annotations

import pytest

from queued_gspread.broker import Entry
from queued_gspread.job import Job
from queued_gspread.server.history import Ended, History
from queued_gspread.server.outcome import Outcome
from queued_gspread.server.underway import Call


def call_of(job_id, mark="j"):
    return Call(Entry("lane", "1-1", job_id, b"", "", 1), Job("client", "open"), mark=mark)


def made(history, job_id, reply=b"reply", mark="j"):
    history.begin(call_of(job_id, mark))
    history.end(job_id, Outcome("ok", reply))


def test_a_call_that_has_written_keeps_its_reply():
    """The reply to a call that wrote is known for as long as there is room."""
    history = History()
    made(history, "one")
    assert history.ended("one") == Ended("j", b"reply")
    assert history.knows("one")
    assert not history.is_underway("one")


@pytest.mark.parametrize("mark", ["", "r"])
def test_nothing_is_kept_of_a_call_that_has_only_read(mark):
    """A read is simply made again."""
    history = History()
    made(history, "one", mark=mark)
    left = call_of("two", mark)
    history.begin(left)
    history.leave([left])
    assert not history.knows("one")
    assert not history.knows("two")


def test_a_call_under_way_is_known_until_it_is_left_or_ends():
    """A job whose call is made under an earlier epoch still waits for that."""
    history, call = History(), call_of("one")
    history.begin(call)
    assert history.is_underway("one")
    history.leave([call])
    assert not history.is_underway("one")
    assert history.left("one") is call
    history.begin(call_of("one"))
    # By the lane of an epoch that has ended.
    history.leave([call])
    assert history.is_underway("one")


def test_the_oldest_replies_go_first_and_their_ids_stay():
    """Beyond the bytes for replies it is known that a call was made, and not what came of it."""
    history = History(most_bytes=10)
    for job_id in ("one", "two", "three"):
        made(history, job_id, b"12345")
    assert history.ended("one") == Ended("j")
    assert history.ended("two") == Ended("j", b"12345")
    assert history.ended("three") == Ended("j", b"12345")
    made(history, "three", b"1234567890")
    assert history.ended("two") == Ended("j")


def test_the_oldest_ids_go_beyond_their_number():
    """What is remembered is bounded."""
    history = History(most=2)
    for job_id in ("one", "two", "three"):
        made(history, job_id)
    assert [history.knows(job_id) for job_id in ("one", "two", "three")] == [False, True, True]


def test_a_call_that_was_left_and_forgotten_has_no_reply():
    """Of calls that were left in the middle few are kept whole; of the others it is known."""
    history = History(most_left=1)
    for job_id in ("one", "two"):
        call = call_of(job_id)
        history.begin(call)
        history.leave([call])
    assert history.left("one") is None
    assert history.ended("one") == Ended("j")
    assert history.left("two") is not None
