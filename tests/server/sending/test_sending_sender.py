"""What becomes of a request that fails, for each way to fail: retried, unknown, or raised."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl

import calls
import pytest
import requests
from calls import WORKSHEET, insert_rows, read, send, write
from fake_queue import FakeQueue
from gate import SHEETS, GatedHTTPClient, google_error, response
from google.auth.exceptions import RefreshError
from gspread.exceptions import APIError, SpreadsheetNotFound
from open_valve import OpenValve
from urllib3.exceptions import NewConnectionError, ProtocolError
from waiting import PATIENCE, eventually

from queued_gspread.broker import AnsweredSlot, Entry, Permit, Slot
from queued_gspread.errors import BrokerUnavailableError, OutcomeUnknownError, RemoteError
from queued_gspread.protocol.messages import Job
from queued_gspread.server.calls.call import Call
from queued_gspread.server.google.transport import Transport
from queued_gspread.server.pacing.quota import Quota
from queued_gspread.server.policy.request import Request
from queued_gspread.server.policy.retry import Attempts, RetryPolicy
from queued_gspread.server.sending.outgoing import OutgoingRequest, end_of_waiting
from queued_gspread.server.sending.sender import Sender

SECRET = "4711-never-shown"
# The shortest pause is a sixtieth of it.
QUICK = {"quota_window": 0.3}


def append(client, lane="lane"):
    """Append a row that nobody may see in a log."""
    return calls.append(client, lane, SECRET)


def reset():
    return requests.ConnectionError(ProtocolError("aborted", ConnectionResetError(104, "reset")))


def refused():
    return requests.ConnectionError(NewConnectionError(None, "refused"))


def answered(error):
    """Return the answer of an error, as a client's double may return it."""
    return error.response


# As functions: an exception that was raised has a history.
NOT_APPLIED = {
    "429": lambda: google_error(429),
    "429 on a page": lambda: google_error(429, page=True),
    "429, not raised": lambda: answered(google_error(429)),
    "403 rateLimitExceeded": lambda: google_error(403, "rateLimitExceeded"),
    "403 userRateLimitExceeded": lambda: google_error(403, "userRateLimitExceeded"),
    "401": lambda: google_error(401),
    "refused": ConnectionRefusedError,
    "refused, by requests": refused,
    "no such host": lambda: requests.ConnectionError(socket.gaierror(-2, "unknown")),
    "no connection in time": requests.ConnectTimeout,
}
MAY_BE_APPLIED = {
    "500": lambda: google_error(500),
    "503": lambda: google_error(503),
    "503, not raised": lambda: answered(google_error(503)),
    "502 on a page": lambda: google_error(502, page=True),
    "408 on a page": lambda: google_error(408, page=True),
    "499": lambda: google_error(499),
    "reset": reset,
    "a bare reset": lambda: ConnectionResetError(104, "reset"),
    "no answer in time": requests.ReadTimeout,
    "cut off": requests.exceptions.ChunkedEncodingError,
}
FINAL = {
    "400": lambda: google_error(400),
    "404": lambda: google_error(404),
    "404 on a page": lambda: google_error(404, page=True),
    "403": lambda: google_error(403, "forbidden"),
    "403 for the day": lambda: google_error(403, "dailyLimitExceeded"),
    "409": lambda: google_error(409),
    "501": lambda: google_error(501),
    "certificate": lambda: requests.exceptions.SSLError(ssl.SSLCertVerificationError("no")),
    "an error of the client's": lambda: ValueError("no"),
    "refused credentials": lambda: RefreshError("invalid_grant"),
}
METHODS = {"read": read, "write": write, "append": append}
STATUS_OF = re.compile(r"\d{3}")


@pytest.mark.parametrize("name", [*NOT_APPLIED, *MAY_BE_APPLIED])
@pytest.mark.parametrize("method", ["read", "write"])
def test_idempotent_requests_are_retried(name, method, serve, client, gate, background):
    """A read and a PUT that fail for a while are retried, and the caller has the result."""
    serve(**QUICK)
    calling = background(METHODS[method], client)
    failure = {**NOT_APPLIED, **MAY_BE_APPLIED}[name]
    first = gate.next()
    first.fail(failure())
    second = gate.next()
    assert (second.method, second.endpoint, second.given) == (
        first.method,
        first.endpoint,
        first.given,
    )
    second.fail(failure())
    gate.next().answer({"done": True})
    assert calling.result(PATIENCE) == {"done": True}
    assert len(gate.seen) == 3


@pytest.mark.parametrize("name", NOT_APPLIED)
def test_an_append_that_was_not_applied_is_retried(
    name, serve, client, gate, background, raw, keys
):
    """An append that Google refused, or that never left, is retried before the lane goes on."""
    serve(**QUICK)
    appending = background(append, client)
    first = gate.next()
    reading = background(read, client)
    eventually(lambda: raw.xlen(keys.lane("lane")) == 2)
    first.fail(NOT_APPLIED[name]())
    second = gate.next()
    assert (second.method, second.given) == ("post", first.given)
    assert list(raw.hgetall(keys.progress).values()) == ["j"]
    second.fail(NOT_APPLIED[name]())
    third = gate.next()
    assert third.method == "post"
    third.answer({"appended": True})
    assert appending.result(PATIENCE) == {"appended": True}
    gate.next().answer({"next": True})
    assert reading.result(PATIENCE) == {"next": True}
    assert [arrival.method for arrival in gate.seen] == ["post", "post", "post", "get"]


@pytest.mark.parametrize("name", MAY_BE_APPLIED)
def test_an_append_that_may_have_been_applied_is_told(name, serve, client, gate, background):
    """An append of which nobody knows ends as OutcomeUnknownError, and is sent once."""
    serve(**QUICK)
    appending = background(append, client)
    failure = MAY_BE_APPLIED[name]()
    gate.next().fail(failure)
    error = appending.exception(PATIENCE)
    assert type(error) is OutcomeUnknownError
    assert isinstance(error, APIError)
    assert re.search(r":append was sent at 20.*, and nobody knows", str(error))
    assert "Before you call again, look for the rows at the end of the table" in str(error)
    status = STATUS_OF.match(name)
    assert error.response.status_code == (int(status[0]) if status else 0)
    if status:
        answer = getattr(failure, "response", failure)
        assert error.response.content == answer.content
    else:
        assert (error.code, error.error["status"]) == (0, "OUTCOME_UNKNOWN")
    reading = background(read, client)
    gate.next().answer({})
    assert reading.result(PATIENCE) == {}
    assert [arrival.method for arrival in gate.seen] == ["post", "get"]


@pytest.mark.parametrize("name", FINAL)
@pytest.mark.parametrize("method", METHODS)
def test_what_another_attempt_would_not_help_is_told_at_once(
    name, method, serve, client, gate, background
):
    """An error that would come again is the caller's, as it is, after one request."""
    serve()
    calling = background(METHODS[method], client)
    failure = FINAL[name]()
    gate.next().fail(failure)
    error = calling.exception(PATIENCE)
    assert type(error) is type(failure)
    if isinstance(failure, APIError):
        assert error.response.status_code == failure.response.status_code
        assert error.error == failure.error
    else:
        assert str(failure) in str(error)
    assert len(gate.seen) == 1


def test_a_cut_off_success_of_an_append_is_no_success(serve, client, gate, background):
    """A success of which less came than was promised says nothing of an append."""
    serve()
    appending = background(append, client)
    cut_off = response({"never": "seen"})
    cut_off.raw = type("Raw", (), {"length_remaining": 7})()
    cut_off._content_consumed = True
    gate.next().fail(cut_off)
    error = appending.exception(PATIENCE)
    assert type(error) is OutcomeUnknownError
    assert error.response.status_code == 0


# Tokens -----------------------------------------------------------------------------------------


@pytest.fixture
def refused_tokens(monkeypatch):
    """Return the list of the versions of tokens that were told to be refused."""
    seen = []
    monkeypatch.setattr(Transport, "token_refused", lambda self, given: seen.append(given))
    return seen


def test_a_refused_token_is_told_of(serve, client, gate, background, refused_tokens):
    """After one 401 the token is said to be refused, once, and the request is retried."""
    serve()
    appending = background(append, client)
    gate.next().fail(google_error(401))
    gate.next().answer({"appended": True})
    assert appending.result(PATIENCE) == {"appended": True}
    assert len(refused_tokens) == 1
    assert len(gate.seen) == 2


@pytest.mark.parametrize("method", METHODS)
def test_an_account_that_is_never_let_in(
    method, serve, client, gate, background, refused_tokens, raw, keys
):
    """The fifth 401 in a row is the caller's, an append's as well: nothing was written."""
    serve(**QUICK)
    calling = background(METHODS[method], client)
    for _ in range(5):
        gate.next().fail(google_error(401))
    error = calling.exception(PATIENCE)
    assert type(error) is APIError
    assert error.response.status_code == 401
    assert len(gate.seen) == len(refused_tokens) == 5
    assert not raw.exists(keys.progress)


# An end to it -----------------------------------------------------------------------------------


def fail_until_it_ends(gate, calling, failures):
    """Let requests fail until their call is over; return the last failure."""
    failure = None
    for failure in failures:
        eventually(lambda: calling.done() or not gate.is_idle)
        if gate.is_idle:
            break
        gate.next().fail(failure)
        last = failure
    return last


@pytest.mark.parametrize("method", ["read", "write"])
def test_retry_for_ends_it_with_the_last_error(method, serve, client, gate, background):
    """A request that fails for too long ends with the last of the errors that came."""
    serve(retry_for=0.3, quota_window=0.6)
    calling = background(METHODS[method], client)
    failures = (google_error(503, note=number) for number in range(10_000))
    last = fail_until_it_ends(gate, calling, failures)
    error = calling.exception(PATIENCE)
    assert type(error) is APIError
    assert error.response.status_code == 503
    assert error.response.headers["note"] == last.response.headers["note"]
    assert len(gate.seen) == int(last.response.headers["note"]) + 1 >= 2


@pytest.mark.parametrize("name", [*NOT_APPLIED, *MAY_BE_APPLIED])
def test_no_patience_gives_the_first_error(name, serve, client, gate, background):
    """With a retry_for of 0 every failure of a read is its caller's, as gspread raises it."""
    serve(retry_for=0)
    reading = background(read, client)
    failure = {**NOT_APPLIED, **MAY_BE_APPLIED}[name]()
    gate.next().fail(failure)
    if isinstance(failure, Exception):
        assert type(reading.exception(PATIENCE)) is type(failure)
    else:
        assert reading.result(PATIENCE)["error"]["code"] == failure.status_code
    assert len(gate.seen) == 1


@pytest.mark.parametrize("name", ["429", "403 rateLimitExceeded", "refused", "401"])
def test_an_append_that_was_never_applied_is_not_called_unknown(
    name, serve, client, gate, background
):
    """An append for which there is no time left, and that was not applied, has its own error."""
    serve(retry_for=0)
    appending = background(append, client)
    failure = NOT_APPLIED[name]()
    gate.next().fail(failure)
    assert type(appending.exception(PATIENCE)) is type(failure)


# Calls of several requests ----------------------------------------------------------------------


def test_a_second_request_that_was_refused_is_retried(serve, callers, gate, background):
    """A call's second write that was refused is retried, and the first is not."""
    serve(**QUICK)
    reply = background(send, callers, insert_rows())
    first = gate.next()
    first.answer({})
    second = gate.next()
    for failure in NOT_APPLIED.values():
        second.fail(failure())
        again = gate.next()
        assert (again.endpoint, again.given) == (second.endpoint, second.given)
        second = again
    second.answer({"done": True})
    assert reply.result(PATIENCE).result == {"done": True}
    assert [arrival.endpoint for arrival in gate.seen].count(first.endpoint) == 1


@pytest.mark.parametrize("name", MAY_BE_APPLIED)
@pytest.mark.parametrize("position", [0, 1])
def test_a_request_of_several_that_is_unknown_ends_the_call(
    name, position, serve, callers, gate, background
):
    """Whichever write of a call may have been applied, the call ends there, as unknown."""
    serve(**QUICK)
    reply = background(send, callers, insert_rows())
    for _ in range(position):
        gate.next().answer({})
    gate.next().fail(MAY_BE_APPLIED[name]())
    assert type(reply.result(PATIENCE).error) is OutcomeUnknownError
    assert len(gate.seen) == position + 1


@pytest.mark.parametrize("name", FINAL)
def test_a_second_request_that_is_rejected_ends_the_call(name, serve, callers, gate, background):
    """A call's second request that Google rejects ends the call with that error."""
    serve()
    reply = background(send, callers, insert_rows())
    gate.next().answer({})
    failure = FINAL[name]()
    gate.next().fail(failure)
    assert type(reply.result(PATIENCE).error) is type(failure)
    assert len(gate.seen) == 2


@pytest.mark.parametrize("name", [*NOT_APPLIED, *MAY_BE_APPLIED])
def test_a_spreadsheet_is_created_once(name, serve, client, gate, background):
    """Where the look at a new spreadsheet fails, the look is retried and not the creation."""
    serve(**QUICK)
    creating = background(client.create, "New")
    creation = gate.next()
    assert creation.method == "post"
    creation.answer({"id": "new", "name": "New"})
    look = gate.next()
    assert (look.method, look.endpoint) == ("get", f"{SHEETS}/new")
    look.fail({**NOT_APPLIED, **MAY_BE_APPLIED}[name]())
    gate.next().answer({"spreadsheetId": "new", "properties": {"title": "New"}})
    assert creating.result(PATIENCE).title == "New"
    assert [arrival.method for arrival in gate.seen] == ["post", "get", "get"]


@pytest.mark.parametrize("name", MAY_BE_APPLIED)
def test_a_creation_is_not_retried(name, serve, client, gate, background):
    """A creation of which nobody knows is told, and there is no second one."""
    serve(**QUICK)
    creating = background(client.create, "New")
    gate.next().fail(MAY_BE_APPLIED[name]())
    assert type(creating.exception(PATIENCE)) is OutcomeUnknownError
    assert len(gate.seen) == 1


def test_opening_by_title_retries_what_fails(serve, client, gate, background):
    """Each request of an open is retried by itself, and the result is that of all."""
    serve(**QUICK)
    opening = background(client.open, "Book")
    gate.next().fail(google_error(503))
    gate.next().answer({"files": [{"id": "book", "name": "Book"}]})
    gate.next().fail(google_error(429))
    gate.next().answer({"properties": {"title": "Book"}})
    assert opening.result(PATIENCE).id == "book"
    ways = ["drive" if "/drive/" in arrival.endpoint else "sheets" for arrival in gate.seen]
    assert ways == ["drive", "drive", "sheets", "sheets"]


@pytest.mark.parametrize(
    ("status", "expected"), [(404, SpreadsheetNotFound), (403, PermissionError), (400, APIError)]
)
def test_gspreads_own_errors_after_a_failure(status, expected, serve, client, gate, background):
    """After a failure that passed, gspread makes of the answer the exception it always makes."""
    serve(**QUICK)
    opening = background(client.open_by_key, "book")
    gate.next().fail(google_error(502, page=True))
    gate.next().fail(google_error(status))
    assert type(opening.exception(PATIENCE)) is expected
    assert len(gate.seen) == 2


@pytest.mark.parametrize("failure", [lambda: google_error(503), ConnectionRefusedError])
def test_the_last_slot_is_given_back_before_a_request_is_retried(
    failure, serve, client, gate, background
):
    """Where the quota is one request, one that failed waits for a window, and then goes again."""
    serve(reads_per_minute=1, quota_window=0.2)
    reading = background(read, client)
    gate.next().fail(failure())
    gate.next().answer({"read": True})
    assert reading.result(PATIENCE) == {"read": True}


# What is told of it -----------------------------------------------------------------------------


def test_every_attempt_is_counted_in_the_log(serve, callers, gate, background, caplog):
    """The log counts each time that a request went out, and no attempt that did not."""
    caplog.set_level("INFO", "queued_gspread")
    serve(**QUICK)
    reply = background(send, callers, insert_rows())
    for failure in (google_error(429), ConnectionRefusedError()):
        gate.next().fail(failure)
    gate.next().answer({})
    gate.next().fail(google_error(401))
    gate.next().fail(google_error(503))
    assert type(reply.result(PATIENCE).error) is OutcomeUnknownError
    told = r"worksheet\.insert_rows .* requests: 4 writes  OutcomeUnknownError"
    eventually(lambda: re.search(told, caplog.text))
    assert len(gate.seen) == 5


def test_refusals_are_told_once_and_without_values(serve, client, gate, background, caplog):
    """Several refusals in a row give one warning, and no line tells a value or an address."""
    caplog.set_level("DEBUG", "queued_gspread")
    serve(writes_per_minute=100, **QUICK)
    appending = background(append, client, "lane-of-a-secret-id")
    for _ in range(4):
        failure = google_error(429)
        failure.error["message"] = f"for 'https://sheets.googleapis.com/v4/{SECRET}'"
        failure.response._content = b'{"error": {"message": "%s"}}' % SECRET.encode()
        gate.next().fail(failure)
    gate.next().answer({})
    appending.result(PATIENCE)
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    (told,) = [warning for warning in warnings if "refuses" in warning]
    assert "--writes-per-minute" in told
    assert "goes down to 75" in told
    lines = [r.getMessage() for r in caplog.records]
    assert any("retried in" in line for line in lines)
    assert not [line for line in lines if SECRET in line or "googleapis" in line]


def test_a_request_without_an_answer_names_its_time_out(start_process, client, google, background):
    """The log of a request that got no answer in time has the number and the option behind it."""
    server = start_process("--request-timeout=0.05")
    reading = background(read, client)
    server.until_log("in time (--request-timeout 0.05); retried in ")
    google.gate.open()
    assert reading.result(PATIENCE) == {}


def test_a_time_out_of_the_clients_is_named_as_such(serve, client, gate, background, caplog):
    """Where the client has chosen how long Google may be silent, the log names that."""
    caplog.set_level("INFO", "queued_gspread")
    serve(**QUICK)
    client.set_timeout(7)
    reading = background(read, client)
    gate.next().fail(requests.ReadTimeout())
    gate.next().answer({})
    assert reading.result(PATIENCE) == {}
    assert "no answer in time (client.set_timeout(7)); retried in " in caplog.text


class Exploding(GatedHTTPClient):
    """Its requests raise what is no Exception."""

    def request(self, method, endpoint, **given):
        raise SystemExit("whatever")


def test_what_was_sent_is_told_even_where_this_program_fails(serve, callers, gate, caplog):
    """Where the server fails in the middle of a call, its line says which, and what was sent."""
    caplog.set_level("INFO", "queued_gspread")
    serve(Exploding(gate))
    job = Job("worksheet", "acell", WORKSHEET, ("A1",))
    assert type(send(callers, job.encode()).error) is RemoteError
    eventually(lambda: "  RemoteError" in caplog.text)
    assert re.search(r"worksheet\.acell .* requests: 1 read  RemoteError", caplog.text)


def call_of(mark, timeout=5.0):
    entry = Entry("lane", "1-1", "a" * 32, b"", mark, 1)
    return Call(entry, Job("client", "open", timeout=timeout), mark=mark)


@pytest.mark.parametrize("mark", ["", "r", "w", "j"])
def test_only_a_call_that_has_written_outwaits_its_deadline(mark):
    """A call that may have written goes on past its deadline; one that has not ends there."""
    call, attempts = call_of(mark), Attempts()
    until = end_of_waiting(call, attempts)
    has_written = mark in ("w", "j")
    assert until == (attempts.give_up_at if has_written else call.entry.deadline(5.0))


@pytest.mark.parametrize("error", [None, BrokerUnavailableError("away")], ids=["asked", "failed"])
def test_answered_slots_are_released_when_more_is_asked_for(error):
    """Answered slots go with the question before anybody waits, or alone where that fails."""
    queue = FakeQueue(Permit("wait") if error is None else error)
    call, valve = call_of("r"), OpenValve()
    call.needs(Request("get", "https://sheets.googleapis.com/v4/spreadsheets/lane"))
    sender = Sender(queue, None, Quota(), RetryPolicy(), valve)
    answered = [AnsweredSlot(Slot("read", name, 60), 6) for name in ("1/0", "1/1")]
    for each in answered:
        sender.releases.add("lane", each)
    with contextlib.suppress(BrokerUnavailableError):
        next(sender.send(OutgoingRequest([call])))
    ((_, released),) = queue.asked
    assert released == ["1/0", "1/1"]
    assert queue.released == ([] if error is None else [("1/0", 6), ("1/1", 6)])
    assert [slot.name for slot in valve.released] == ["1/0", "1/1"]
    sender.releases.now("lane")
    assert len(valve.released) == len(answered)


def test_a_slot_that_redis_did_not_take_back_is_given_back_later():
    """Where Redis is away when a request is answered, its slot is given back before the next."""
    queue, call = FakeQueue(Permit("wait"), Permit("wait")), call_of("r")
    queue.error = BrokerUnavailableError("away")
    call.needs(Request("get", "https://sheets.googleapis.com/v4/spreadsheets/lane"))
    sender = Sender(queue, None, Quota(), RetryPolicy(), OpenValve())
    sender.releases.add("lane", AnsweredSlot(Slot("write", "1/1", 60), 7))
    sender.releases.now("lane")
    queue.error = None
    for count in (1, 2):
        next(sender.send(OutgoingRequest([call])))
        assert (len(queue.asked), queue.released) == (count, [("1/1", 7)])
