"""A request on its way through the valve: its turn, its question, and back into the queue."""

from __future__ import annotations

import math
import threading
import time

import pytest
from calls import append
from fake_queue import GO, FakeQueue
from google.auth.exceptions import RefreshError
from open_valve import OpenValve
from waiting import eventually

from queued_gspread.broker import Consumer, Entry, Permit
from queued_gspread.protocol.messages import Job
from queued_gspread.server.calls.call import Call
from queued_gspread.server.calls.runner import Runner
from queued_gspread.server.pacing.quota import Quota
from queued_gspread.server.pacing.valve import LATE, LEFT, TURN
from queued_gspread.server.policy.request import Exchange, Request, Response
from queued_gspread.server.policy.retry import RetryPolicy
from queued_gspread.server.sending.outgoing import OutgoingRequest
from queued_gspread.server.sending.sender import Sender

URL = "https://sheets.googleapis.com/v4/spreadsheets/lane"
WAIT = Permit("wait", math.inf)


class Valve(OpenValve):
    """A valve that gives a turn at once only if it is open, and notes what it is told."""

    def __init__(self, told, *, is_open):
        super().__init__()
        self.is_open = is_open
        self.ended = None
        self._told = told

    def turn_now(self, ticket):
        return TURN if self.is_open else None

    def end_of(self, ticket):
        return self.ended

    def told(self, ticket, permit=None):
        self._told.append(permit.word if permit else None)


class Google:
    """A transport that answers at once."""

    token_version = 0

    def __init__(self, told):
        self._told = told

    def send(self, request, http_timeout, lane):
        self._told.append("sent")
        return Exchange(request, Response({}))

    def token_accepted(self, version):
        """Take note of nothing."""


def call():
    call = Call(Entry("lane", "1-1", "a" * 32, b"", "", 1), Job("client", "open", timeout=5.0))
    call.needs(Request("get", URL))
    return call


@pytest.fixture
def told():
    """Return all that is told, in order."""
    return []


@pytest.fixture
def task(told):
    """Return what begins to send a request, and its valve."""

    def begin(*permits, is_open, now=time.monotonic, **options):
        queue, valve = FakeQueue(*permits, told=told), Valve(told, is_open=is_open)
        sender = Sender(queue, Google(told), Quota(), RetryPolicy(), valve, now)
        return sender.send(OutgoingRequest([call()], **options)), valve

    return begin


def resume(task, turn=None):
    """Go on with a task; return its next ticket, or what it has returned."""
    try:
        return task.send(turn)
    except StopIteration as end:
        return end.value


def test_who_is_next_is_sent_at_once(task, told):
    """A request whose turn it is when it comes is sent without a wait."""
    sending, _ = task(GO, is_open=True)
    ((_, exchange),) = resume(sending)
    assert exchange.outcome.value == {}
    assert told[:3] == ["asked for 1", "go", "sent"]


def test_who_is_told_to_wait_goes_back_into_the_queue(task, told):
    """Told to wait, a request comes back with the same ticket, and asks again at its next turn."""
    sending, _ = task(WAIT, WAIT, GO, is_open=True)
    first = resume(sending)
    second = resume(sending, TURN)
    assert first is second
    resume(sending, TURN)
    asked = ["asked for 1", "wait"]
    assert told[:7] == [*asked, *asked, "asked for 1", "go", "sent"]


def test_calls_that_come_while_a_request_waits_join_it_before_it_asks(task, told):
    """Who has waited takes in at its turn who has come meanwhile; who has not, does not look."""
    joined = [call()]
    waiting, _ = task(WAIT, is_open=False, join_late=lambda _: joined)
    resume(waiting)
    resume(waiting, TURN)
    assert told == ["asked for 2", "wait"]
    going, _ = task(GO, is_open=True, join_late=lambda _: [call()])
    resume(going)
    assert told[2] == "asked for 1"


@pytest.mark.parametrize("over", [LATE, LEFT], ids=["late", "left"])
def test_who_is_over_at_its_turn_asks_nobody(task, told, over):
    """A request whose time, or server, has ended between its turn and its question is not sent."""
    sending, valve = task(is_open=False, now=lambda: time.monotonic() + 60.0)
    resume(sending)
    valve.ended = over
    ((_, outcome),) = resume(sending, TURN)
    assert outcome.word == over.word
    assert told == [None]


def test_a_question_that_fails_gives_the_turn_back(task, told):
    """Where Redis cannot be asked, the valve learns that the turn is over."""
    sending, _ = task(RuntimeError("broken"), is_open=True)
    with pytest.raises(RuntimeError, match="broken"):
        resume(sending)
    assert told[-1] is None


def test_a_task_that_is_closed_at_its_turn_gives_it_back(task, told):
    """A task that ends where it waits keeps no turn from others."""
    sending, _ = task(is_open=False)
    resume(sending)
    sending.close()
    assert told == [None]


def test_refused_credentials_end_a_request_that_waits(task):
    """The error of credentials that are refused for good is the answer to who waits."""
    sending, _ = task(is_open=False)
    resume(sending)
    with pytest.raises(StopIteration) as ended:
        sending.throw(RefreshError("invalid_grant"))
    ((_, exchange),) = ended.value.value
    assert isinstance(exchange.outcome.error, RefreshError)


def test_no_call_runs_on_the_thread_of_the_valve(serve, client, gate, background, monkeypatch):
    """However long requests wait, gspread's methods and their questions run on workers alone."""
    threads = set()

    def watched(real, *args):
        threads.add(threading.current_thread().name)
        return real(*args)

    for owner, name in ((Consumer, "acquire"), (Consumer, "peek"), (Runner, "begin")):
        real = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *args, real=real: watched(real, *args))
    serve(writes_per_minute=1, quota_window=0.2)
    calls = [background(append, client, "lane")]
    arrival = gate.next()
    calls += [background(append, client, lane) for lane in ("lane", "lane", "other")]
    eventually(lambda: all(each.running() for each in calls))
    arrival.answer({"updates": {}})
    while not all(each.done() for each in calls):
        eventually(lambda: not gate.is_idle or all(each.done() for each in calls))
        if not gate.is_idle:
            gate.next().answer({"updates": {}})
    assert threads
    assert "valve" not in threads
