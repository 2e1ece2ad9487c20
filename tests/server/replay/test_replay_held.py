"""Calls that are held where they wait: the same as a replay, and gone with their call."""

from __future__ import annotations

import contextlib
import copy
from itertools import islice

import gspread
import pytest
from gate import response
from waiting import PATIENCE, eventually, threads

from queued_gspread.broker import Producer
from queued_gspread.broker.waiting.wait import Wait
from queued_gspread.errors import CodecError, RemoteError, UnknownMethodError
from queued_gspread.protocol.messages import Job, new_id
from queued_gspread.server import assembly
from queued_gspread.server.policy.request import (
    Exchange,
    Failure,
    RecordedExchange,
    Request,
    RequestDigest,
    Response,
)
from queued_gspread.server.replay.advance import Done, Needs, advance
from queued_gspread.server.replay.held import FEW, Suspended, Suspender
from queued_gspread.settings import Settings

FILES = 6
ANSWER = {
    "id": "new",
    "properties": {"title": "Copy"},
    "comments": [{"content": "c"}],
    "files": [{"id": str(n), "name": f"file {n}"} for n in range(FILES)],
    "permissions": [{"role": "writer", "type": "user", "emailAddress": "a@example.com", "id": "p"}],
}
BOOK = {"spreadsheet": {"id": "original"}, "properties": {"id": "original", "title": "Book"}}
JOBS = {
    "a copy": Job("client", "copy", args=("original", "Copy", True, None, True)),
    "openall": Job("client", "openall"),
    "a list": Job("client", "list_spreadsheet_files"),
    "removals": Job("spreadsheet", "remove_permissions", BOOK, ("a@example.com", "any")),
}
MOST_PAGES = 4


def answers():
    """Yield answers, of which the first have a page after them."""
    for number in range(1, 100):
        token = {"nextPageToken": f"page {number}"} if number < MOST_PAGES else {}
        yield Response(response({**ANSWER, **token}))


def replayed(body):
    """Run a job by replay; return what it sent, and its reply."""
    sent, exchanges = [], []
    for outcome in answers():
        step = advance(body, exchanges)
        if isinstance(step, Done):
            return sent, step.reply
        sent.append(RequestDigest.of(step.request))
        exchanges.append(Exchange(step.request, outcome))
    raise AssertionError("the call does not end")


def held(body, exchanges):
    """Run a job while it is held, with one exchange that is there; return the same."""
    given = answers()
    exchanges.append(Exchange(advance(body, ()).request, next(given)))
    sent, run = [exchanges[0].sent], Suspended(body, exchanges)
    while isinstance(step := run.advance(), Needs):
        sent.append(RequestDigest.of(step.request))
        exchanges.append(Exchange(step.request, next(given)))
    run.close()
    return sent, step.reply


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    eventually(lambda: threads("held call") == [], "no held call is left")


@pytest.mark.parametrize("name", JOBS)
def test_a_held_call_does_what_a_replay_does(name):
    """It sends the same and replies the same, and what is kept of it tells what was sent."""
    body, exchanges = JOBS[name].encode(), []
    sent, reply = held(body, exchanges)
    assert (sent, reply.encode()) == (replayed(body)[0], replayed(body)[1].encode())
    assert reply.error is None
    assert len(sent) > MOST_PAGES - 1
    assert [exchange.sent for exchange in exchanges] == sent


@pytest.mark.parametrize("name", JOBS)
def test_a_replay_goes_on_where_a_held_call_was(name):
    """From what is kept of a held call at any of its requests, the next server gets as far."""
    body, exchanges = JOBS[name].encode(), []
    sent, _ = held(body, exchanges)
    for place in range(len(exchanges)):
        kept = [RecordedExchange.of(exchange) for exchange in exchanges[:place]]
        assert RequestDigest.of(advance(body, kept).request) == sent[place]


def test_the_request_that_is_changed_afterwards_is_remembered_as_it_was():
    """Gspread asks for the next page with the parameters of the last, which it changes in place."""
    body, given = JOBS["a list"].encode(), answers()
    exchanges = [Exchange(advance(body, ()).request, next(given))]
    run = Suspended(body, exchanges)
    asked = run.advance().request
    before = copy.deepcopy(asked)
    exchanges.append(Exchange(asked, next(given)))
    run.advance()
    assert asked != before  # or there would be nothing to be careful about
    assert exchanges[1].sent == RequestDigest.of(before)
    run.close()


def test_a_failure_is_raised_in_gspreads_method():
    """What came of a request is raised where gspread waits, and the call ends with it."""
    body, error = JOBS["openall"].encode(), ValueError("no such file")
    exchanges = [Exchange(advance(body, ()).request, next(answers()))]
    run = Suspended(body, exchanges)
    while isinstance(step := run.advance(), Needs):
        exchanges.append(Exchange(step.request, Failure(error)))
    assert step.reply.error is error
    run.close()


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_call_that_is_closed_ends_at_once(steps):
    """Wherever a held call is, its thread has ended when it is closed, once or twice."""
    body, given, closed = JOBS["openall"].encode(), answers(), []
    exchanges = [Exchange(advance(body, ()).request, next(given))]
    run = Suspended(body, exchanges, lambda: closed.append(True))
    for outcome in islice(given, steps):
        exchanges.append(Exchange(run.advance().request, outcome))  # noqa: PERF401 - one by one
    run.close()
    assert threads("held call") == []
    run.close()
    assert closed == [True]


def test_gspread_cannot_hold_on_to_a_call_that_is_closed(monkeypatch):
    """Code that catches what it can, and asks again, is stopped there as well."""
    stops = []

    def stubborn(self):
        try:
            self.http_client.request("get", "https://sheets.googleapis.com/1")
            self.http_client.request("get", "https://sheets.googleapis.com/2")
        except Exception:  # noqa: BLE001 - as gspread does
            stops.append("swallowed")
        finally:
            self.http_client.request("get", "https://sheets.googleapis.com/3")

    monkeypatch.setattr(gspread.Client, "openall", stubborn)
    body = JOBS["openall"].encode()
    first = Request("get", "https://sheets.googleapis.com/1")
    exchanges = [Exchange(first, next(answers()))]
    run = Suspended(body, exchanges)
    assert run.advance().request.endpoint.endswith("/2")
    run.close()
    assert stops == []


def test_an_error_of_the_program_comes_out_where_the_call_is_advanced(monkeypatch):
    """What is no Exception, and so not the caller's, is raised by advance, and the thread ends."""
    body = JOBS["openall"].encode()
    exchanges = [Exchange(advance(body, ()).request, next(answers()))]
    monkeypatch.setattr(gspread.Client, "openall", _leaving)
    run = Suspended(body, exchanges)
    with pytest.raises(SystemExit):
        run.advance()
    run.close()


@pytest.mark.parametrize(
    ("body", "error"),
    [(b"no job", CodecError), (Job("client", "__init__").encode(), UnknownMethodError)],
)
def test_what_is_no_call_is_refused_as_in_a_replay(body, error):
    """A job that cannot be read, or is refused, raises what a replay raises."""
    run = Suspended(body, [Exchange(advance(JOBS["openall"].encode(), ()).request, Response(None))])
    with pytest.raises(error):
        run.advance()
    run.close()


def test_few_requests_hold_nothing_and_only_so_many_calls_are_held():
    """A call is held from so many requests on, if there is a place; closing one makes one free."""
    body = JOBS["openall"].encode()
    exchanges = [Exchange(advance(body, ()).request, next(answers()))] * (FEW + 1)
    suspender = Suspender(most=1)
    assert suspender.suspended(body, exchanges[:FEW]) is None
    first = suspender.suspended(body, exchanges)
    assert suspender.suspended(body, exchanges) is None
    first.close()
    second = suspender.suspended(body, exchanges)
    assert second is not None
    second.close()


# In a server -------------------------------------------------------------------------------------


@pytest.fixture
def until_held(gate):
    """Return what answers the requests of ``openall`` until it is held, and the one that waits."""

    def answer():
        for _ in range(FEW + 1):
            gate.next().answer(ANSWER)
        arrival = gate.next()
        assert len(threads("held call")) == 1
        return arrival

    return answer


def test_a_call_that_is_held_is_answered(serve, client, gate, background, until_held):
    """The caller of a held call gets what it would have got, and its thread ends before that."""
    serve()
    opening = background(client.openall)
    until_held().answer(ANSWER)
    for _ in range(FILES - FEW - 1):
        gate.next().answer(ANSWER)
    assert [book.title for book in opening.result(PATIENCE)] == ["Copy"] * FILES
    assert threads("held call") == []


def test_a_call_of_many_requests_gives_other_lanes_their_turn(
    serve, client, gate, background, monkeypatch
):
    """Between two of its requests, every now and then, another lane may have the worker."""
    work, turns = assembly.work_on, []

    def counted(services, ready, is_over):
        task, given = work(services, ready, is_over), None
        with contextlib.suppress(StopIteration):
            while True:
                ticket = task.send(given)
                if ticket is None:
                    turns.append(len(gate.seen))
                given = yield ticket

    monkeypatch.setattr(assembly, "work_on", counted)
    serve()
    listing = background(client.list_spreadsheet_files)
    for _ in range(35):
        gate.next().answer({"files": [], "nextPageToken": "more"})
    gate.next().answer({"files": []})
    assert listing.result(PATIENCE) == []
    eventually(lambda: turns == [16, 32, 36])


def test_a_server_that_stops_leaves_a_held_call_to_the_next(
    serve, client, gate, background, until_held
):
    """A stop waits for the request in the air; no thread is left, and the next server goes on."""
    server = serve()
    opening = background(client.openall)
    arrival = until_held()
    stopping = background(server.stop)
    eventually(lambda: server.was_told_to_stop)
    arrival.answer(ANSWER)
    stopping.result(PATIENCE)
    assert threads("held call") == []
    assert not opening.done()
    serve()
    for _ in range(FILES + 1):
        gate.next().answer(ANSWER)
    assert len(opening.result(PATIENCE)) == FILES


def test_a_server_that_lost_its_lease_lets_go_of_what_it_holds(
    serve, client, gate, background, usurp, until_held
):
    """With its epoch the held calls of a server end, and ask for nothing more."""
    serve()
    opening = background(client.openall)
    arrival = until_held()
    usurper = usurp()
    arrival.answer(ANSWER)
    eventually(lambda: threads("held call") == [])
    assert gate.is_idle
    usurper.release()
    for _ in range(FILES + 1):
        gate.next().answer(ANSWER)
    assert len(opening.result(PATIENCE)) == FILES


def test_a_held_call_that_is_withdrawn_ends(serve, redis_url, namespace, gate, until_held):
    """When its caller has given up, a held call that has only read asks for nothing more."""
    serve()
    queue = Producer(Settings(redis_url=redis_url, namespace=namespace))
    wait = Wait(new_id(), "lane", None)
    wait.stream_id = queue.enqueue(wait, JOBS["openall"].encode())
    arrival = until_held()
    assert queue.withdraw(wait) == "ended"
    arrival.answer(ANSWER)
    eventually(lambda: threads("held call") == [])
    assert gate.is_idle


def test_an_error_of_the_program_ends_a_held_call(
    serve, client, gate, background, until_held, monkeypatch, caplog
):
    """What goes wrong in a held call is told to its caller, and its lane goes on."""
    serve()
    opening = background(client.openall)
    arrival = until_held()
    monkeypatch.setattr(gspread.Spreadsheet, "__init__", _leaving)
    arrival.answer(ANSWER)
    assert type(opening.exception(PATIENCE)) is RemoteError
    assert "please report it" in caplog.text
    assert threads("held call") == []
    monkeypatch.undo()
    again = background(client.list_spreadsheet_files)
    gate.next().answer(ANSWER)
    assert len(again.result(PATIENCE)) == FILES


def _leaving(*_):
    raise SystemExit(3)
