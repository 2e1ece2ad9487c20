"""What a process remembers of calls, so that it makes none of them twice."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from calls import append
from waiting import PATIENCE, eventually

from queued_gspread.broker import Entry, Permit
from queued_gspread.errors import OutcomeUnknownError
from queued_gspread.protocol.identity import ANYONE
from queued_gspread.protocol.messages import Job, Reply
from queued_gspread.server.calls.admission import Admission
from queued_gspread.server.calls.call import Call
from queued_gspread.server.calls.history import Ended, History
from queued_gspread.server.calls.outcome import Outcome
from queued_gspread.server.calls.runner import Runner
from queued_gspread.server.policy.request import Exchange, Request, Response
from queued_gspread.server.replay.journal import Journal
from queued_gspread.settings import Settings

GO = Permit("go")


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


@pytest.mark.parametrize("mark", ["", "r"])
def test_a_call_that_has_failed_keeps_its_error(mark):
    """What a caller was told of as not made is not made after all, though nothing was written."""
    history, call = History(), call_of("one", mark)
    history.begin(call)
    history.end("one", Outcome("APIError", b"error"))
    assert history.ended("one") == Ended(mark, b"error")


@pytest.mark.parametrize(
    ("left", "known", "mark"), [("w", "", "w"), ("w", "r", "w"), ("w", "j", "j")]
)
def test_a_call_that_was_left_is_as_far_as_anybody_knows(left, known, mark):
    """A Redis that has forgotten that a call has written does not make it one that has not."""
    job = Job("client", "open")
    entry = Entry("lane", "1-1", "one", job.encode(), known, 1)
    history, call = History(), Call(entry, job, mark=left)
    history.begin(call)
    history.leave([call])
    answered = Exchange(Request("get", "https://a"), Response({}))
    journal = Journal([answered] if known == "j" else [])
    recovery = SimpleNamespace(guard=lambda lane: 0.0, journal=lambda entry: journal)
    begun = Runner(recovery, ANYONE, history=history)._resumed(entry, job, call)
    assert begun.mark == mark


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


@pytest.fixture
def admission():
    return Admission(Settings())


def admitted(admission, entry):
    """Return what becomes of a job that need not wait."""
    with pytest.raises(StopIteration) as end:
        next(admission.admit(None, entry))
    return end.value.value


def test_a_job_that_comes_again_gets_the_same_reply(admission):
    """A job that was answered is not made again, under the next epoch either."""
    call = call_of("one")
    admission.history.begin(call)
    admission.ended(call.entry, Outcome("ok", b"reply"))
    admission.begin()
    assert admission.try_admit(call.entry) is None
    assert admitted(admission, call.entry) == Outcome("again", b"reply")


@pytest.mark.parametrize("mark", ["w", "j"])
def test_a_job_whose_reply_is_forgotten_is_not_made_again(admission, mark):
    """Later calls may have written over it: a caller is told that nobody knows what came of it."""
    admission.history = History(most_bytes=0)
    made(admission.history, "one", mark=mark)
    outcome = admitted(admission, call_of("one").entry)
    assert isinstance(Reply.decode(outcome.reply, None).error, OutcomeUnknownError)


def test_a_job_whose_call_is_under_way_waits(admission):
    """A job that comes again while its request is in the air waits for that."""
    call = call_of("one")
    admission.history.begin(call)
    waiting = admission.admit(None, call.entry)
    next(waiting)
    admission.ended(call.entry, Outcome("ok", b"reply"))
    with pytest.raises(StopIteration) as end:
        waiting.send(GO)
    assert end.value.value == Outcome("again", b"reply")


def test_an_append_in_the_air_is_not_sent_under_the_next_epoch(
    serve, client, gate, background, usurp, raw, keys
):
    """A server that has a new epoch, and a Redis that knows nothing of its append, waits for it."""
    serve()
    appending = background(append, client)
    arrival = gate.next()
    usurper = usurp()
    raw.delete(keys.progress, *raw.keys(keys.journal("*")))
    usurper.release()
    eventually(lambda: raw.hget(keys.server, "worked") not in (None, usurper.epoch))
    arrival.answer({"appended": True})
    assert appending.result(PATIENCE) == {"appended": True}
    assert len(gate.seen) == 1
