"""What a journal tells the next server, and how it goes on with a call where its server died."""

from __future__ import annotations

import json
import signal
from datetime import datetime, timezone

import pytest
import requests
from calls import insert_rows, read, send
from gate import cell_of, google_error, response
from hostile import death_of, look_at, trees
from hypothesis import given
from hypothesis import strategies as st
from waiting import PATIENCE, eventually

from queued_gspread.broker import Consumer, StaleEpochError
from queued_gspread.errors import OutcomeUnknownError, PoisonedJobError, ReplayDivergedError
from queued_gspread.protocol.messages import Job
from queued_gspread.protocol.signing import Keyring
from queued_gspread.server.calls.outcome import unknown
from queued_gspread.server.policy.idempotency import is_idempotent
from queued_gspread.server.policy.request import Exchange, Failure, Request, RequestDigest, Response
from queued_gspread.server.replay.advance import Needs, advance
from queued_gspread.server.replay.journal import Journal, Journals, Unanswered, intend

APPEND = Request("post", f"{cell_of('lane')}:append", {"key": "secret"}, json={"values": [[1]]})

PLAIN = Journals("space")
KEYS = Keyring((b"k" * 32,))
SIGNED = Journals("space", KEYS)


def record(exchange, place=0, journals=PLAIN):
    return journals.record("job", place, exchange)


def read_journal(entries, journals=PLAIN):
    return journals.read("job", entries)


# What is written --------------------------------------------------------------------------------

OUTCOMES = [
    Response(response({"some": "thing"})),
    Response(response({}, 204)),
    Response(datetime(2026, 1, 2, tzinfo=timezone.utc).replace(tzinfo=None)),
    Response(None),
    Failure(google_error(400)),
    Failure(google_error(403, page=True)),
    Failure(requests.ReadTimeout("no answer")),
    Failure(unknown(None, "cut off")),
    Failure(unknown(response({}, 503), "503")),
]


def told(outcome):
    """Return an outcome as data that can be compared."""
    if isinstance(outcome, Failure):
        error = outcome.error
        return type(error), str(error), getattr(getattr(error, "response", None), "content", None)
    if isinstance(outcome.value, requests.Response):
        return outcome.value.status_code, outcome.value.content, dict(outcome.value.headers)
    return outcome.value


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: str(told(outcome))[:40])
def test_an_outcome_is_remembered(outcome):
    """What came of a request is read as it was, and answers that request alone."""
    journal = read_journal([record(Exchange(APPEND, outcome))])
    (remembered,) = journal.exchanges
    assert journal.unanswered is None
    assert told(remembered.outcome) == told(outcome)
    assert remembered.answers(APPEND)
    assert not remembered.answers(Request("post", APPEND.endpoint, APPEND.params, json={}))


def test_what_was_remembered_is_remembered_again():
    """An entry that was read is written as it was: a third server can go on too."""
    entry = record(Exchange(APPEND, Response(response({"a": 1}))))
    assert record(read_journal([entry]).exchanges[0]) == entry


def test_an_intent_tells_which_request_and_when():
    """A request without an answer is told by method and place, with its time and no parameters."""
    entry = b">7/1 1767355200500 " + intend(APPEND)
    sent = RequestDigest.of(APPEND)
    assert read_journal([entry]) == Journal([], Unanswered(sent, 1767355200.5))
    assert (sent.method, sent.endpoint) == ("post", APPEND.endpoint)
    assert b"secret" not in entry


@pytest.mark.parametrize(
    ("attempt", "account"),
    [
        (b"7/3.1@one@p.example", "one@p.example"),
        (b"7/3.1@", ""),
        (b"7/3.1@\x1b[31m", ""),
        (b"7/3.1@\xff", ""),
        (b"7/3.1@" + b"a" * 255, ""),
    ],
)
def test_an_intent_names_the_account_that_lent_its_quota(attempt, account):
    """The account stands after the attempt; what is no name of one is left out."""
    entry = b">" + attempt + b" 1767355200500 " + intend(APPEND)
    sent = RequestDigest.of(APPEND)
    assert read_journal([entry]) == Journal([], Unanswered(sent, 1767355200.5, account))


def test_an_endpoint_is_remembered_without_what_may_be_secret():
    """Neither the query of an endpoint nor a password before its host gets into a journal."""
    odd = Request("get", "https://user:secret@host/path?key=secret#secret")
    assert RequestDigest.of(odd).endpoint == "https://host/path"


@pytest.mark.parametrize(
    "entry",
    [
        *(b"", b"?", b"=", b"={", b"=[]", b"={}", b'={"sent": [1, 2, 3], "returned": null}'),
        *(b'={"sent": ["get", "x"], "returned": null}', b'={"sent": ["a", "b", "c"]}'),
        *(b'={"sent": ["a", "b", "c"], "raised": "no exception"}', b">", b"> x", b">7/1 x []"),
        *(b'>7/1 12 ["get"]', b">7/1 12 {", b">7/1 1e400 []", b"\xff"),
    ],
)
def test_what_cannot_be_read_is_not_known(entry):
    """From an entry that cannot be read on, nobody knows what was sent."""
    good = record(Exchange(APPEND, Response(None)))
    journal = read_journal([good, entry, good])
    assert len(journal.exchanges) == 1
    assert journal.unanswered == Unanswered()


def test_an_outcome_that_cannot_travel_is_not_known():
    """A double's answer that has no form in the wire format leaves its request unanswered."""
    assert read_journal([record(Exchange(APPEND, Response(object())))]).unanswered == Unanswered()


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([PLAIN, SIGNED]))
def test_no_journal_is_too_odd(entries, journals):
    """Whatever stands in a journal, it is read to an answer."""
    assert isinstance(read_journal(entries, journals), Journal)


def show_journal(tree):
    entry = b'={"sent":["get","x","y"],"raised":%s}' % json.dumps(tree).encode()
    for exchange in read_journal([entry]).exchanges:
        look_at(exchange.outcome.error)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("name", ["UnicodeDecodeError", "UnicodeEncodeError", "OSError"])
def test_no_exception_in_a_journal_ends_its_server(name):
    """Whatever somebody puts into a journal for an exception, a server can show it."""
    assert death_of(show_journal, list(trees(f"builtins.{name}"))) is None


def test_a_signed_journal_is_read_where_it_belongs():
    """A signed entry is good for its namespace, its job and its place, with its key alone."""
    exchange = Exchange(APPEND, Response(response({"a": 1})))
    entries = [record(exchange, place, SIGNED) for place in (0, 1)]
    assert len(read_journal(entries, SIGNED).exchanges) == 2
    assert read_journal(entries[::-1], SIGNED) == Journal([], Unanswered())
    for other in (Journals("other", KEYS), Journals("space", Keyring((b"x" * 32,))), PLAIN):
        assert other.read("job", entries) == Journal([], Unanswered())
    assert SIGNED.read("other", entries) == Journal([], Unanswered())


def test_an_entry_without_a_signature_is_not_believed():
    """Where jobs are signed, an answer that anybody may have written is not replayed."""
    entry = record(Exchange(APPEND, Response(response({"a": 1}))))
    assert read_journal([entry], SIGNED) == Journal([], Unanswered())


# Going on ---------------------------------------------------------------------------------------

COPY = Job("client", "copy", args=("original", "Copy", True)).encode()
ANSWER = {
    "id": "new",
    "properties": {"title": "Copy"},
    "comments": [{"content": "c"}],
    "permissions": [{"role": "writer", "type": "user", "emailAddress": "a@example.com"}],
}


def requests_of_a_copy():
    """Return the requests of a copy with permissions and comments, in order."""
    exchanges = []
    while isinstance(step := advance(COPY, exchanges), Needs):
        exchanges.append(Exchange(step.request, Response(response(ANSWER))))
    assert step.reply.error is None
    return [exchange.request for exchange in exchanges]


REQUESTS = requests_of_a_copy()


def test_a_copy_has_requests_of_all_kinds():
    """The call in which servers are killed has reads and non-idempotent writes."""
    idempotent = [is_idempotent(request) for request in REQUESTS]
    assert idempotent == [False, True, True, True, False, True, False]


@pytest.mark.parametrize("place", range(len(REQUESTS)))
def test_a_server_killed_in_the_middle_of_a_call(
    place, start_process, client, google, background, raw, keys
):
    """The next server goes on where it stopped, but for a write in the air: that is unknown."""
    server = start_process()
    copying = background(client.copy, "original", "Copy", True)
    for _ in range(place):
        google.gate.next().answer(ANSWER)
    google.gate.next()
    server.kill()
    start_process(wait="working as")
    if is_idempotent(REQUESTS[place]):
        # What was read since the last write is read again.
        kept = max(n for n in range(place) if not is_idempotent(REQUESTS[n])) + 1
        for request in REQUESTS[kept:]:
            arrival = google.gate.next()
            assert request.endpoint.endswith(arrival.endpoint.partition("?")[0])
            arrival.answer(ANSWER)
        assert copying.result(PATIENCE).id == "new"
    else:
        error = copying.exception(PATIENCE)
        assert type(error) is OutcomeUnknownError
        assert REQUESTS[place].endpoint in str(error)
    sent = [(seen.method, seen.endpoint) for seen in google.gate.seen]
    writes = [pair for pair in sent if pair[0] == "post"]
    assert len(set(writes)) == len(writes)
    assert not raw.exists(keys.progress, keys.deliveries)
    assert not raw.keys(keys.journal("*"))


def journal_of(raw, keys):
    """Return how the entries of the one journal that there is begin."""
    found = raw.keys(keys.journal("*"))
    return "".join(entry[0] for entry in raw.lrange(found[0], 0, -1)) if found else ""


def test_a_server_killed_between_two_writes(start_process, callers, google, background, raw, keys):
    """While its second write waits for the quota, a call loses its server and nothing else."""
    server = start_process("--writes-per-minute", 1, "--quota-window", 600)
    reply = background(send, callers, insert_rows())
    first = google.gate.next()
    waiting = background(send, callers, insert_rows())
    eventually(lambda: raw.xlen(keys.lane("lane")) == 2)
    first.answer({"done": 1})
    eventually(lambda: journal_of(raw, keys) == "=")
    server.kill()
    start_process(wait="working as")
    second = google.gate.next()
    assert second.endpoint != first.endpoint
    second.answer({"done": 2})
    assert reply.result(PATIENCE).result == {"done": 2}
    google.gate.next().answer({"done": 3})
    google.gate.next().answer({"done": 4})
    assert waiting.result(PATIENCE).result == {"done": 4}
    assert len(google.gate.seen) == 4
    assert not raw.keys(keys.journal("*"))


def test_what_a_journal_holds_while_a_call_goes_on(serve, client, gate, background, raw, keys):
    """Before a non-idempotent write, the whole prefix is there, and its intent."""
    serve()
    copying = background(client.copy, "original", "Copy", True)
    seen = []
    for _ in REQUESTS:
        arrival = gate.next()
        seen.append(journal_of(raw, keys))
        arrival.answer(ANSWER)
    assert copying.result(PATIENCE).id == "new"
    assert seen == [">", "=", "=", "=", "====>", "=====", "======>"]
    assert journal_of(raw, keys) == ""


@pytest.mark.parametrize("method", ["get", "put"])
def test_idempotent_requests_cost_no_journal(method, serve, callers, gate, background, raw, keys):
    """A read, and an idempotent write, leave nothing in a journal."""
    serve()
    job = Job("http_client", "request", args=(method, cell_of("lane")))
    reply = background(send, callers, job.encode())
    arrival = gate.next()
    assert not raw.keys(keys.journal("*"))
    arrival.answer({})
    assert reply.result(PATIENCE).error is None


def append_job():
    given = {"json": {"values": [["x"]]}}
    where = ("post", f"{cell_of('lane')}:append")
    return Job("http_client", "request", args=where, kwargs=given).encode()


def test_a_write_that_was_not_applied_is_taken_back(
    serve, callers, gate, background, raw, keys, caplog
):
    """While a refused append waits, its journal has no intent of it; then it has one again."""
    caplog.set_level("INFO", "queued_gspread")
    # It would be retried in minutes.
    server = serve(quota_window=36_000.0)
    reply = background(send, callers, append_job())
    arrival = gate.next()
    assert journal_of(raw, keys) == ">"
    arrival.fail(ConnectionRefusedError())
    eventually(lambda: "retried in" in caplog.text)
    assert journal_of(raw, keys) == ""
    server.stop()
    serve()
    arrival = gate.next()
    assert journal_of(raw, keys) == ">"
    arrival.answer({})
    assert reply.result(PATIENCE).error is None


def test_a_server_that_could_not_answer_any_more(
    serve, callers, gate, background, raw, keys, monkeypatch
):
    """A write whose answer came is told by the next server, which sends nothing."""

    def ends(*_):
        raise StaleEpochError

    server = serve()
    monkeypatch.setattr(Consumer, "answer", ends)
    reply = background(send, callers, append_job())
    gate.next().answer({"done": True})
    eventually(lambda: journal_of(raw, keys) == "=")
    server.stop()
    monkeypatch.undo()
    serve()
    assert reply.result(PATIENCE).result.json() == {"done": True}
    assert len(gate.seen) == 1


def test_a_replay_that_asks_for_something_else_sends_nothing(
    serve, callers, gate, background, raw, keys
):
    """Where the journal belongs to other requests, the call ends as diverged."""
    server = serve(shutdown_timeout=0, writes_per_minute=1, quota_window=600.0)
    reply = background(send, callers, insert_rows())
    gate.next().answer({})
    eventually(lambda: journal_of(raw, keys) == "=")
    server.stop()
    (key,) = raw.keys(keys.journal("*"))
    other = Exchange(Request("post", cell_of("other")), Response(response({})))
    raw.lset(key, 0, record(other))
    serve()
    assert type(reply.result(PATIENCE).error) is ReplayDivergedError
    assert len(gate.seen) == 1


def test_a_journal_that_was_taken_away_is_unknown(serve, callers, gate, background, raw, keys):
    """A call that has a journal by its mark and has none is not begun again."""
    server = serve(shutdown_timeout=0, writes_per_minute=1, quota_window=600.0)
    reply = background(send, callers, insert_rows())
    gate.next().answer({})
    eventually(lambda: journal_of(raw, keys) == "=")
    server.stop()
    raw.delete(*raw.keys(keys.journal("*")))
    serve()
    assert type(reply.result(PATIENCE).error) is OutcomeUnknownError
    assert len(gate.seen) == 1


# Poison -----------------------------------------------------------------------------------------


def test_a_job_of_which_three_servers_died(
    start_process, callers, client, google, background, raw, keys
):
    """A job whose server died three times is answered and kept; what waits behind it is served."""
    reply = background(
        send, callers, Job("http_client", "request", args=("get", cell_of("lane"))).encode()
    )
    server = start_process()
    for _ in range(3):
        google.gate.next()
        server = _killed(server, start_process)
    error = reply.result(PATIENCE).error
    assert type(error) is PoisonedJobError
    assert "3 servers died" in str(error)
    assert "It wrote nothing" in str(error)
    ((_, kept),) = raw.xrange(keys.poisoned)
    assert kept["id"] in str(error)
    assert kept["lane"] == "lane"
    reading = background(read, client)
    google.gate.next().answer({"next": True})
    assert reading.result(PATIENCE) == {"next": True}
    assert not raw.exists(keys.deliveries)


# Makes a server die of a job before any request is made of it.
DIES_OF_A_JOB = """
import os, signal
from queued_gspread.server.calls import runner

decode = runner.decode

def die(body):
    if b"deadly" in body:
        os.kill(os.getpid(), signal.SIGKILL)
    return decode(body)

runner.decode = die
"""


def test_no_more_than_three_servers_die_of_a_job_that_came_with_its_lane(
    start_process, callers, background, raw, keys
):
    """A job that its server took off the list of lanes, and died of at once, counts from there."""
    servers = [start_process(patch=DIES_OF_A_JOB)]
    deadly = Job("http_client", "request", args=("get", cell_of("deadly"))).encode()
    reply = background(send, callers, deadly, "deadly")
    while not reply.done():
        eventually(lambda: reply.done() or servers[-1].process.poll() is not None)
        if not reply.done():
            servers.append(start_process(patch=DIES_OF_A_JOB, wait=""))
    assert type(reply.result().error) is PoisonedJobError
    died = [server.process.poll() for server in servers]
    assert died == [-signal.SIGKILL] * 3 + [None]
    assert not raw.exists(keys.deliveries)


def test_an_innocent_job_is_made_whatever_servers_die_of(
    start_process, callers, google, background, raw, keys
):
    """A job that was under way beside the one that servers die of is made in the end."""
    calls = {
        lane: background(
            send, callers, Job("http_client", "request", args=("get", cell_of(lane))).encode(), lane
        )
        for lane in ("innocent", "deadly")
    }
    server = start_process()
    for _ in range(2):
        assert {google.gate.next().lane for _ in calls} == set(calls)
        server = _killed(server, start_process)
    arrival = google.gate.next()
    if arrival.lane == "innocent":
        arrival.answer({"made": True})
        arrival = google.gate.next()
    assert arrival.lane == "deadly"
    _killed(server, start_process)
    assert type(calls["deadly"].result(PATIENCE).error) is PoisonedJobError
    if not calls["innocent"].done():
        google.gate.next().answer({"made": True})
    assert calls["innocent"].result(PATIENCE).result.json() == {"made": True}


def _killed(server, start_process):
    """Kill a server; return the one that works in its place."""
    following = start_process(wait="standing by")
    server.kill()
    return following


def test_servers_that_stop_have_not_died(serve, client, gate, background, raw, keys):
    """However often servers stop while a job waits for its turn, it is made in the end."""
    slow = {"shutdown_timeout": 0, "reads_per_minute": 1, "quota_window": 600.0}
    server = serve(**slow)
    other = background(read, client, "other")
    gate.next().answer({})
    assert other.result(PATIENCE) == {}
    server.stop()
    reading = background(read, client)
    # Found in its lane by a server, a job is handed out before its start.
    eventually(lambda: raw.exists(keys.lane("lane")))
    for _ in range(4):
        server = serve(**slow)
        eventually(lambda: raw.hlen(keys.deliveries) == 1)
        server.stop()
        assert not raw.exists(keys.deliveries)
    raw.delete(keys.slots("read"))
    serve()
    gate.next().answer({"read": True})
    assert reading.result(PATIENCE) == {"read": True}
