"""Jobs that a server does not make, and errors that say who has to change what."""

from __future__ import annotations

from types import SimpleNamespace

import gspread
import pytest
from calls import WORKSHEET, insert_rows, message, read, send, write
from fake_queue import FakeQueue
from gate import SHEETS, GatedHTTPClient, cell_of
from gspread.exceptions import APIError
from hostile import FAR, exception
from hypothesis import given, settings
from hypothesis import strategies as st
from open_valve import OpenValve
from queue_fixtures import SERVER_EMAIL
from redis import Redis
from requests.exceptions import InvalidSchema, MissingSchema
from waiting import PATIENCE, eventually

from queued_gspread.broker import Entry, Permit, Producer
from queued_gspread.errors import (
    AccountMismatchError,
    CallRefusedError,
    CallTimeoutError,
    CodecError,
    ServerUnavailableError,
    UnknownMethodError,
    VersionMismatchError,
)
from queued_gspread.protocol import codec
from queued_gspread.protocol.identity import ANYONE
from queued_gspread.protocol.messages import Job, new_id
from queued_gspread.server.calls.call import Call
from queued_gspread.server.calls.outcome import Outcome
from queued_gspread.server.calls.runner import Runner
from queued_gspread.server.pacing.quota import Quota
from queued_gspread.server.policy.request import Exchange, Failure
from queued_gspread.server.policy.retry import RetryPolicy
from queued_gspread.server.sending.outgoing import OutgoingRequest
from queued_gspread.server.sending.sender import Sender
from queued_gspread.settings import Settings

READONLY = ["https://www.googleapis.com/auth/spreadsheets.readonly"]
NEWER = codec.WIRE_VERSION + 1

HOSTILE = exception("builtins.UnicodeDecodeError", [], {"object": 1.5, "start": FAR})
# Each has the hash of 0.
COLLIDING = [number * (2**61 - 1) for number in range(1001)]


def records(*args, **kwargs):
    sheet = {"kind": "worksheet", "method": "get_all_records", "target": WORKSHEET}
    return message(**sheet, args=list(args), kwargs=kwargs)


BAD_JOBS = {
    "empty": (b"", CodecError),
    "bytes": (b"\xff\x00", CodecError),
    "no JSON": (b"{", CodecError),
    "a list": (b"[]", CodecError),
    "no fields": (b"{}", CodecError),
    "no version": (message(v=None), CodecError),
    "deeply nested": (b"[" * 100_000, CodecError),
    "unknown tag": (message(args=[{"~": ["os.system", "true"]}]), CodecError),
    "args of the wrong kind": (message(args=7), CodecError),
    "kwargs of the wrong kind": (message(kwargs=[1]), CodecError),
    "target of the wrong kind": (message(target=[]), CodecError),
    "caller of the wrong kind": (message(caller=[]), CodecError),
    "identity of the wrong kind": (message(identity=[1, 2, 3]), CodecError),
    "timeout of the wrong kind": (message(timeout="1"), CodecError),
    "time-out of the wrong kind": (message(http_timeout={}), CodecError),
    "timeout beyond all numbers": (message(timeout=10**400), CodecError),
    "waiting of the wrong kind": (message(unattended=1), CodecError),
    "an exception": (message(args=[HOSTILE]), CodecError),
    "an exception as a key's value": (message(kwargs={"a": [{"b": HOSTILE}]}), CodecError),
    "a set": (message(args=[{"~": ["set", ["A1", "B1"]]}]), CodecError),
    "colliding keys": (message(args=[{"~": ["dict", COLLIDING * 2]}]), CodecError),
    "colliding headers": (records(expected_headers=COLLIDING), CodecError),
    "colliding headers, by place": (records(1, COLLIDING), CodecError),
    "columns to search for every cell": (records(numericise_ignore=[0] * 1001), CodecError),
    "such columns, by place": (records(1, None, None, "", [0] * 1001), CodecError),
    "an endless pattern": (message(args=[{"~": ["pattern", "(a*)*b", 0]}]), CodecError),
    "a pattern further down": (message(kwargs={"a": [{"~": ["pattern", "b", 0]}]}), CodecError),
    "a method that is no text": (message(args=[5, cell_of("lane")]), AttributeError),
    "an address that is none": (message(args=["get", "https://[/"]), ValueError),
    "unknown kind": (message(kind="os"), CodecError),
    "no target": (message(kind="worksheet", method="clear", args=[]), CodecError),
    "newer": (message(v=NEWER, versions=["99.0", "9.0"]), VersionMismatchError),
    "newer, unreadable": (message(v=NEWER, args=[{"~": ["new", 1]}]), VersionMismatchError),
    "unknown method": (message(method="request_everything"), UnknownMethodError),
    "private method": (message(method="_queued_request"), UnknownMethodError),
    "dunder": (message(method="__init__"), UnknownMethodError),
    "attribute": (message(method="session"), UnknownMethodError),
    "local method": (message(method="set_timeout", args=[1]), UnknownMethodError),
    "private worksheet method": (
        message(kind="worksheet", method="_get_sheet_property", target=WORKSHEET),
        UnknownMethodError,
    ),
    "property": (message(kind="worksheet", method="title", target=WORKSHEET), UnknownMethodError),
}


@pytest.mark.parametrize("name", BAD_JOBS)
def test_a_bad_job_is_answered_and_the_server_goes_on(
    name, serve, callers, client, gate, background, caplog
):
    """A job that cannot be made is logged and answered, sends nothing, and the next one is made."""
    body, expected = BAD_JOBS[name]
    caplog.set_level("INFO", "queued_gspread")
    serve()
    assert type(send(callers, body).error) is expected
    eventually(lambda: expected.__name__ in caplog.text)
    assert gate.is_idle
    reading = background(read, client)
    gate.next().answer({})
    assert reading.result(PATIENCE) == {}


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_a_timeout_that_is_no_number_of_seconds_stops_no_lane(number, serve, callers, client, gate):
    """A job whose timeout is not finite is answered somehow, and the lane goes on."""
    gate.open()
    serve()
    assert send(callers, message(timeout={"~": ["float", number]}))
    assert read(client) == {}


@pytest.mark.parametrize("name", ["lane", "other"])
def test_entries_of_strangers_stop_no_lane(name, serve, client, gate, raw, keys):
    """Entries that are no jobs, in this lane or another, are dropped; the next job is made."""
    raw.xadd(keys.lane(name), {"foo": "bar"})
    raw.xadd(keys.lane(name), {"id": "not an id", "body": message()})
    raw.xadd(keys.lane(name), {"body": "x"})
    raw.sadd(keys.active, name)
    raw.rpush(keys.ready, name, "", "no such lane", b"\xff")
    gate.open()
    serve()
    assert read(client) == {}
    eventually(lambda: not raw.exists(keys.lane(name)))


@pytest.mark.parametrize("stranger", ["lane", "started-string"])
def test_keys_of_the_wrong_type_stop_no_other_lane(stranger, serve, client, gate, raw, keys):
    """Where a stranger has put something else in the place of a lane, other lanes are served."""
    raw.set(keys.lane(stranger), "not a stream")
    raw.sadd(keys.active, stranger)
    gate.open()
    serve()
    assert read(client, "another") == {}


@pytest.mark.parametrize("lane", [b"\xff\xfe", b"a b{c}:d", b"x" * 3000, b"\xc3("])
def test_a_job_in_a_lane_with_an_odd_name_is_answered(
    lane, serve, callers, gate, raw, keys, redis_url
):
    """Whatever bytes a stranger names a lane by, its jobs are answered and nothing of it stays."""
    job_id = new_id()
    with Redis.from_url(redis_url) as stranger:
        stranger.xadd(keys.lane("").encode() + lane, {"id": job_id, "body": "no job"})
        stranger.sadd(keys.active, lane)
    serve()
    eventually(lambda: raw.exists(keys.reply(job_id)))
    eventually(lambda: not raw.exists(keys.active))
    assert "CodecError" in raw.xrange(keys.reply(job_id))[0][1]["body"]


class Nowhere:
    """A transport that sends nothing and fails."""

    token_version = 0

    def send(self, request, http_timeout, lane):
        return Exchange(request, Failure(ValueError("nowhere")))


def outcome_of(task):
    """Let a call pass wherever it would wait; return how it ended."""
    answer = None
    while True:
        try:
            task.send(answer)
        except StopIteration as end:
            return end.value
        answer = Permit("go")


def whole(runner, sender, entry):
    """Run a call from its job to its outcome."""
    call = runner.begin(entry)
    while isinstance(call, Call):
        ((_, result),) = yield from sender.send(OutgoingRequest([call]))
        if isinstance(result, Outcome):
            return result
        call.exchanges.append(result)
        call = runner.advance(call) or call
    return call


FIELDS = ["kind", "target", "method", "args", "kwargs", "caller", "identity", "timeout", "v"]
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=5),
        st.sampled_from(["worksheet", "spreadsheet", "client", "clear", "id", "properties"]),
        st.just({"~": ["float", "nan"]}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, min_size=1))
def test_whatever_a_job_says_it_has_an_outcome(changes):
    """A job with arbitrary fields ends in an outcome with a reply; no exception escapes."""
    sender = Sender(FakeQueue(), Nowhere(), Quota(0, 0, 0, 0), RetryPolicy(), OpenValve())
    runner = Runner(sender.recovery, ANYONE, suspects=sender.suspects)
    body = message(**{"method": "open", "args": [], **changes})
    assert outcome_of(whole(runner, sender, Entry("lane", "1-1", "a", body, "", 1))).reply


def test_different_versions_of_gspread_are_named(serve, callers, monkeypatch):
    """A method that the server's gspread lacks names both versions and the remedy."""
    serve()
    job = Job("worksheet", "brand_new", WORKSHEET, versions=("0.1.0", "5.0.0"))
    error = send(callers, job.encode()).error
    assert type(error) is UnknownMethodError
    assert "Worksheet.brand_new" in str(error)
    assert f"gspread {gspread.__version__}" in str(error)
    assert "gspread 5.0.0" in str(error)
    assert "install the same version" in str(error)


def test_a_newer_wire_format_names_the_writer(serve, callers):
    """A job of a newer version names the writer's version and the remedy."""
    serve()
    error = send(callers, message(v=NEWER, versions=["99.0", "9.0"])).error
    assert "99.0" in str(error)
    assert "install the same version on both sides" in str(error)
    error = send(callers, message(v=NEWER, versions=["9" * 100_000, "9.0"])).error
    assert len(str(error)) < 500


@pytest.mark.parametrize(
    ("email", "subject"),
    [("other@project.iam.gserviceaccount.com", None), (SERVER_EMAIL, "user@example.com")],
)
def test_a_call_for_another_account_is_refused(email, subject, serve, authorize, gate):
    """A call that is meant for another account or subject names both, and sends nothing."""
    serve()
    client = authorize(SimpleNamespace(service_account_email=email, _subject=subject))
    with pytest.raises(AccountMismatchError) as caught:
        read(client)
    for told in (email, SERVER_EMAIL, subject or ""):
        assert told in str(caught.value)
    assert not gate.seen


def test_a_call_for_the_same_account_is_made(serve, authorize, gate):
    """A call that is meant for the server's account, or for any, is made."""
    gate.open()
    serve()
    assert read(authorize(SimpleNamespace(service_account_email=SERVER_EMAIL))) == {}
    assert read(authorize()) == {}


def test_readonly_scopes_hold_a_client_to_reading(serve, authorize, gate):
    """With read-only scopes reads pass, and writes raise Google's 403 without being sent."""
    gate.open()
    serve()
    credentials = SimpleNamespace(service_account_email=SERVER_EMAIL, scopes=READONLY)
    client = authorize(credentials)
    assert read(client) == {}
    with pytest.raises(APIError) as caught:
        write(client)
    assert caught.value.code == 403
    assert caught.value.response.status_code == 403
    assert [arrival.method for arrival in gate.seen] == ["get"]


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/v4/spreadsheets/x",
        "http://sheets.googleapis.com/v4/spreadsheets/x",
        "https://sheets.googleapis.com.evil.example/v4",
        "https://sheets.googleapis.com@evil.example/v4",
        "https://evil.example\\@sheets.googleapis.com/v4",
        "https://evil.example\\.sheets.googleapis.com/v4",
        "https://evil.example#@sheets.googleapis.com/v4",
        "https://evil.example?@sheets.googleapis.com/v4",
        "//evil.example/v4",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_request_to_a_foreign_host_is_refused(endpoint, serve, client, gate):
    """What is not Google's Sheets or Drive gets no request, and so no token, from the server."""
    gate.open()
    serve()
    # requests has errors of its own for what is no address of the web.
    with pytest.raises((CallRefusedError, InvalidSchema, MissingSchema)):
        client.http_client.request("get", endpoint)
    assert not gate.seen


def settings_of(redis_url, namespace, **options):
    return Settings(redis_url=redis_url, namespace=namespace, **{"grace": 8.0, **options})


def test_no_server(redis_url, namespace, serve, client, gate, raw, keys, background):
    """Without a server a call ends after the grace, tells what to start, and is never made."""
    impatient = Producer(settings_of(redis_url, namespace, grace=0.05))
    with pytest.raises(ServerUnavailableError) as caught:
        impatient.call(new_id(), "lane", insert_rows())
    told = str(caught.value)
    assert f"queued-gspread-server --redis-url {redis_url} --namespace {namespace}" in told
    assert redis_url in told
    assert "not started and will not be made" in told
    assert not raw.exists(keys.lane("lane"))
    reading = background(read, client)
    serve()
    gate.next().answer({})
    assert reading.result(PATIENCE) == {}
    assert [arrival.method for arrival in gate.seen] == ["get"]


def test_a_server_that_starts_within_the_grace_makes_the_call(
    serve, client, gate, background, raw, keys
):
    """A call that was put in before there was a server is made by the first that comes."""
    reading = background(read, client)
    eventually(lambda: raw.exists(keys.lane("lane")))
    serve()
    gate.next().answer({})
    assert reading.result(PATIENCE) == {}


def test_a_timeout_before_the_start(serve, authorize, client, gate, background, raw, keys):
    """A call that waited until its timeout says that it was not started, and is not made."""
    serve()
    blocking = background(read, client)
    arrival = gate.next()
    with pytest.raises(CallTimeoutError, match="not started and will not be made") as caught:
        write(authorize(timeout=0.05))
    assert isinstance(caught.value, TimeoutError)
    assert "0.05 s" in str(caught.value)
    arrival.answer({})
    assert blocking.result(PATIENCE) == {}
    last = background(read, client)
    gate.next().answer({})
    assert last.result(PATIENCE) == {}
    assert [seen.method for seen in gate.seen] == ["get", "get"]


def test_a_timeout_after_the_start(serve, authorize, client, gate, background, raw, keys):
    """A call under way at its timeout says so; its reply is not kept, and the lane goes on."""
    serve()
    impatient = authorize(timeout=1.0)
    writing = background(write, impatient)
    arrival = gate.next()
    error = writing.exception(PATIENCE)
    assert type(error) is CallTimeoutError
    assert isinstance(error, TimeoutError)
    assert "had already started and may have been made" in str(error)
    arrival.answer({})
    reading = background(read, client)
    gate.next().answer({})
    assert reading.result(PATIENCE) == {}
    eventually(lambda: not raw.keys(keys.reply("*")))
    assert not raw.exists(keys.progress)


@pytest.mark.parametrize(
    ("path", "headers"),
    [("developerMetadata:search", None), ("values/A1", {"X-HTTP-Method-Override": "GET"})],
)
def test_a_timeout_of_a_read_that_is_sent_by_post(
    path, headers, serve, authorize, gate, background
):
    """A POST that reads is told of as a read: it had only read, and goes no further."""
    serve()
    request = authorize(timeout=1.0).http_client.request
    reading = background(request, "post", f"{SHEETS}/lane/{path}", headers=headers)
    arrival = gate.next()
    with pytest.raises(CallTimeoutError, match="had only read, and goes no further") as caught:
        reading.result(PATIENCE)
    assert not caught.value.may_have_run
    arrival.answer({})


def test_a_late_job_is_not_made(serve, client, gate, raw, keys, namespace, background):
    """A job whose caller has died and whose timeout has passed is dropped by the server."""
    seconds, _ = raw.time()
    job = {"id": new_id(), "body": message(method="request", timeout=60)}
    raw.xadd(keys.lane("lane"), job, id=f"{(seconds - 3600) * 1000}-1")
    raw.sadd(keys.active, "lane")
    reading = background(client.http_client.request, "post", cell_of("lane"))
    serve()
    gate.next().answer({})
    assert reading.result(PATIENCE).ok
    assert [arrival.method for arrival in gate.seen] == ["post"]


def test_a_client_that_retries_by_itself_is_warned_of(serve, gate, auth, caplog):
    """A server over gspread's BackOffHTTPClient says what may happen and what to take."""

    class BackOff(GatedHTTPClient, gspread.BackOffHTTPClient):
        pass

    serve(BackOff(gate, auth))
    eventually(lambda: "repeats requests by itself" in caplog.text)
    assert "BackOff" in caplog.text
    assert "take gspread.HTTPClient" in caplog.text
