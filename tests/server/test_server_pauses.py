"""What operators pause, drain and cancel, as servers and callers meet it."""

from __future__ import annotations

import json
import logging

import pytest
from calls import append, insert_rows, message, read, send, write
from waiting import PATIENCE, eventually

import queued_gspread
from queued_gspread.acting import line_of
from queued_gspread.broker import failed_calls
from queued_gspread.broker.failed_calls import FailedCall
from queued_gspread.broker.operators import Operator
from queued_gspread.errors import (
    CallCancelledError,
    CallTimeoutError,
    ConfigurationError,
    QueuedGspreadError,
    QueueDrainedError,
)
from queued_gspread.settings import Settings

WHO = "ann@web1"


@pytest.fixture
def operator_with(redis_url, namespace):
    """Return what makes an operator of the queue."""
    return lambda **given: Operator(Settings(redis_url, namespace, **given), WHO)


@pytest.fixture
def operator(operator_with):
    return operator_with()


@pytest.fixture
def is_parked(raw, keys):
    """Return what tells whether the server says that a lane waits for the end of a pause."""
    return lambda lane="lane": f'"{lane}":["paused"' in (raw.hget(keys.server, "holdups") or "")


@pytest.fixture
def depth(raw, keys):
    return lambda: int(raw.get(keys.depth) or 0)


def values(gate):
    """Return what was written, in the order of the requests."""
    return [one.given["json"]["values"][0][0] for one in gate.seen if one.method != "get"]


def test_paused_calls_keep_their_places(
    serve, client, gate, background, operator, is_parked, depth
):
    """Under a pause nothing is sent, new calls are taken, and all are made in order after it."""
    gate.open()
    serve(no_merge=True)
    operator.pause("all", why="a move")
    calls = []
    for number in range(3):
        calls.append(background(write, client, value=number))
        eventually(lambda: depth() == len(calls))
    eventually(is_parked)
    assert gate.seen == []
    (ended,) = operator.resume()
    assert (ended.by, ended.why) == (WHO, "a move")
    assert [call.result(PATIENCE) for call in calls] == [{}] * 3
    assert values(gate) == [0, 1, 2]
    assert depth() == 0


def test_a_pause_survives_servers(
    serve, client, gate, background, operator, is_parked, raw, keys, caplog
):
    """The next server sends nothing either, and says in its log what is paused, and by whom."""
    gate.open()
    first = serve()
    operator.pause("all", why="a move")
    call = background(append, client)
    eventually(is_parked)
    first.stop()
    raw.hdel(keys.server, "holdups")
    with caplog.at_level(logging.INFO, "queued_gspread.server"):
        serve()
        eventually(is_parked)
    assert gate.seen == []
    assert any("as before: all calls are paused by ann@web1" in one for one in caplog.messages)
    operator.resume()
    assert call.result(PATIENCE) == {}
    assert len(gate.seen) == 1


def test_a_pause_of_one_spreadsheet_or_kind_holds_up_nothing_else(
    serve, client, gate, background, operator, is_parked
):
    """Reads go on while writes are paused, and other spreadsheets while one is."""
    gate.open()
    serve()
    operator.pause("write")
    waiting = background(write, client, "busy")
    eventually(lambda: is_parked("busy"))
    assert read(client, "other") == {}
    operator.resume("write:")
    assert waiting.result(PATIENCE) == {}
    operator.pause("all", "busy")
    waiting = background(read, client, "busy")
    eventually(lambda: is_parked("busy"))
    assert write(client, "other") == {}
    operator.resume("all:busy")
    assert waiting.result(PATIENCE) == {}


LARGE = "x" * 4_000_000
"""More than half of what a server with so much memory has for large calls."""
SCARCE = 64 * 1024**2


@pytest.mark.parametrize("is_signed", [False, True])
def test_a_large_call_that_is_paused_has_no_memory_that_others_wait_for(
    serve, authorize, gate, background, operator, is_parked, signing_key, is_signed
):
    """It begins anew after the pause, in its place; meanwhile a large call elsewhere is made."""
    own = {"signing_key_file": str(signing_key)} if is_signed else {}
    serve(max_memory_bytes=SCARCE, **own)
    client = authorize(**own)
    gate.open()
    operator.pause("write", "busy")
    calls = []
    for value in (LARGE, "next"):
        calls.append(background(write, client, "busy", value))
        eventually(lambda: operator.waiting() == len(calls))
    eventually(lambda: is_parked("busy"))
    assert background(write, client, "other", LARGE).result(PATIENCE) == {}
    assert operator.waiting() == 2
    operator.resume()
    assert [call.result(PATIENCE) for call in calls] == [{}, {}]
    assert [len(value) for value in values(gate)] == [len(LARGE), len(LARGE), 4]


def test_a_large_call_whose_time_is_over_under_a_pause(
    serve, callers, gate, background, operator, is_parked
):
    """The server answers it in time, with what is paused, though it had set it back."""
    serve(max_memory_bytes=SCARCE)
    operator.pause("all", why="a move")
    job = {**json.loads(insert_rows()), "args": [[[LARGE]]], "timeout": 2.0}
    call = background(send, callers, json.dumps(job).encode())
    eventually(is_parked)
    error = call.result(PATIENCE).error
    assert isinstance(error, CallTimeoutError)
    assert "All calls are paused by ann@web1" in str(error)
    operator.resume()
    gate.open()
    assert gate.is_idle


def test_a_large_call_that_is_cancelled_or_left_under_a_pause(
    serve, client, gate, background, operator, is_parked, raw, keys
):
    """Of two that were set back one is cancelled; the other is made by the next server, once."""
    gate.open()
    first = serve(max_memory_bytes=SCARCE)
    operator.pause("all")
    calls = []
    for _ in range(2):
        calls.append(background(append, client, value=LARGE))
        eventually(lambda: operator.waiting() == len(calls))
    eventually(is_parked)
    jobs = list(operator.jobs("lane"))
    assert operator.cancel(jobs[0]) == "withdrawn"
    assert isinstance(calls[0].exception(PATIENCE), CallCancelledError)
    first.stop()
    serve(max_memory_bytes=SCARCE)
    operator.resume()
    assert calls[1].result(PATIENCE) == {}
    assert len(gate.seen) == 1


def test_a_pause_in_the_middle_of_a_call(serve, callers, gate, background, operator, is_parked):
    """A call of two requests whose first one is in the air waits with the second, and goes on."""
    serve()
    call = background(send, callers, insert_rows())
    first = gate.next()
    operator.pause("all")
    first.answer({"replies": [{}]})
    eventually(is_parked)
    assert gate.is_idle
    operator.resume()
    gate.next().answer({})
    assert call.result(PATIENCE).error is None
    assert len(gate.seen) == 2


@pytest.mark.parametrize("is_behind", [False, True])
def test_the_timeout_of_a_paused_call_counts(
    serve, authorize, client, gate, operator, background, is_parked, is_behind
):
    """Its error says what is paused, by whom and why, whether the server gives it or its caller."""
    serve()
    operator.pause("write", "lane", why="a move")
    first = background(write, client) if is_behind else None
    if first:
        eventually(is_parked)
    with pytest.raises(CallTimeoutError) as caught:
        write(authorize(timeout=0.3))
    told = str(caught.value)
    assert "Writes of the spreadsheet lane are paused by ann@web1 since 20" in told
    assert told.count("a move") == 1
    # By whoever was first to see it; the server looks at the head of the lane alone.
    assert "will not be made" in told or "before the call wrote anything" in told
    assert not caught.value.may_have_run
    assert len(caught.value.job_id) == 32
    assert gate.is_idle
    operator.resume()
    gate.open()
    assert first is None or first.result(PATIENCE) == {}


def test_what_no_pause_holds_up_is_not_said_to_be_paused(
    serve, authorize, gate, background, operator
):
    """A write that Google does not answer times out for that, and not for reads that are paused."""
    serve()
    operator.pause("read")
    call = background(write, authorize(timeout=1.0))
    gate.next()
    error = call.exception(PATIENCE)
    assert isinstance(error, CallTimeoutError)
    assert "paused" not in str(error)


def test_calls_that_are_late_or_withdrawn_end_under_a_pause(
    serve, callers, gate, background, operator, is_parked, raw, keys
):
    """The server answers a call whose time is over although its caller has said nothing."""
    serve()
    operator.pause("all", why="a move")
    body = insert_rows().replace(b'"timeout":null', b'"timeout":0.5')
    error = background(send, callers, body).result(PATIENCE).error
    assert isinstance(error, CallTimeoutError)
    assert "All calls are paused by ann@web1" in str(error)


def test_a_drained_queue_finishes_what_is_there(
    serve, client, gate, background, operator, depth, authorize
):
    """A new call is refused with who, why and the remedy; what was there is made."""
    serve()
    there = background(write, client)
    gate.next()
    operator.drain("new machine")
    with pytest.raises(QueueDrainedError) as caught:
        write(client, "another")
    assert "drained by ann@web1" in str(caught.value)
    assert "new machine" in str(caught.value)
    assert "`queued-gspread resume`" in str(caught.value)
    assert len(caught.value.job_id) == 32
    with pytest.raises(QueueDrainedError), queued_gspread.pipeline(wait=False):
        append(client, "another")
    gate.open()
    assert there.result(PATIENCE) == {}
    assert depth() == 0
    operator.resume()
    assert write(client, "another") == {}


def test_a_cancelled_call_is_told_so(serve, client, gate, background, operator, is_parked, depth):
    """Who waits for a call that is cancelled gets an error with who and why; it is not made."""
    serve()
    operator.pause("all")
    calls = [background(write, client, value=number) for number in range(1)]
    eventually(is_parked)
    (job,) = operator.jobs("lane")
    assert operator.cancel(job, "twice the same") == "withdrawn"
    with pytest.raises(CallCancelledError, match="by ann@web1: twice the same") as caught:
        calls[0].result(PATIENCE)
    assert caught.value.job_id == job.job_id
    assert depth() == 0
    operator.resume()
    gate.open()
    assert write(client, value="next") == {}
    assert values(gate) == ["next"]
    assert operator.cancel(job) == "withdrawn"


def test_what_may_have_written_is_not_cancelled(serve, client, gate, background, operator):
    """A call whose write is in the air goes on, and so does its caller."""
    serve()
    call = background(write, client)
    arrival = gate.next()
    (job,) = operator.jobs("lane")
    assert (job.state, job.shown()["method"]) == ("running", "http_client.request")
    assert operator.cancel(job) == "started"
    arrival.answer({"written": True})
    assert call.result(PATIENCE) == {"written": True}


def test_a_signed_call_is_cancelled_with_the_key(
    serve, authorize, gate, background, operator_with, signing_key, is_parked
):
    """Without the key nothing is done and the remedy is told; with it the caller believes it."""
    serve(signing_key_file=signing_key)
    operator_with().pause("all")
    call = background(write, authorize(signing_key_file=signing_key))
    eventually(is_parked)
    (job,) = operator_with().jobs("lane")
    with pytest.raises(ConfigurationError, match="--signing-key-file"):
        operator_with().cancel(job)
    assert operator_with(signing_key_file=str(signing_key)).cancel(job) == "withdrawn"
    assert isinstance(call.exception(PATIENCE), CallCancelledError)


def test_what_was_asked_for_is_in_the_servers_log_once(
    serve, operator, raw, keys, caplog, redis_url, namespace
):
    """Each action has a line with who asked and why; the next server does not repeat it."""
    with caplog.at_level(logging.INFO, "queued_gspread.server"):
        first = serve()
        operator.pause("read", "lane", why="a\nmove")
        operator.resume(why="moved")
        operator.note("cancel the job x")
        latest = raw.xrevrange(keys.actions, count=1)[0][0]
        eventually(lambda: raw.hget(keys.server, "logged") == latest)
        first.stop()
        serve()
        eventually(lambda: raw.hget(keys.server, "last_beat"))
    told = [one for one in caplog.messages if "asks" in one]
    assert told == [
        "ann@web1 asks: pause reads of the spreadsheet lane (a move)",
        "ann@web1 asks: resume everything (moved)",
        "ann@web1 asks: cancel the job x",
    ]


def test_a_pause_ends_whatever_stands_among_the_locks(operator, raw, keys):
    """A key of a wrong type there does not keep a queue paused for ever."""
    operator.pause("all")
    raw.set(keys.locks, "odd")
    assert len(operator.resume()) == 1
    assert operator.pauses() == ()


@pytest.mark.parametrize("act", ["pause", "drain", "resume", "dismiss"])
def test_what_cannot_be_logged_is_not_done(operator, raw, keys, act):
    """Where the server could not log it, the command fails and nothing has changed."""
    kept = FailedCall("J1", "?", "a", "?", "E")
    raw.zadd(keys.failed, {kept.encode(): 1})
    operator.pause("read")
    before = operator.pauses()
    raw.delete(keys.actions)
    raw.set(keys.actions, "odd")
    acts = {
        "pause": lambda: operator.pause("all"),
        "drain": operator.drain,
        "resume": operator.resume,
        "dismiss": lambda: operator.dismiss(kept, kept.encode()),
    }
    with pytest.raises(QueuedGspreadError, match="WRONGTYPE"):
        acts[act]()
    assert operator.pauses() == before
    assert len(operator.failures()) == 1


def test_a_pause_that_redis_has_forgotten_holds_nothing_up(
    serve, client, gate, background, operator, is_parked, raw, keys
):
    """Where the pause is gone without a word, as after a failover, calls go on."""
    gate.open()
    serve()
    operator.pause("all")
    call = background(write, client)
    eventually(is_parked)
    raw.hdel(keys.server, "paused")
    assert call.result(PATIENCE) == {}


@pytest.mark.parametrize("forged", ["x", "\nall", "\nall: x y z", "\x00", "\nall:lane 9"])
def test_what_a_stranger_has_written_there_is_no_pause(
    serve, client, gate, raw, keys, operator, forged
):
    """What no operator has written so holds up no call and ends no server."""
    gate.open()
    serve()
    raw.hset(keys.server, "paused", forged)
    assert write(client) == {}
    assert operator.pauses() == ()


def test_a_call_that_nobody_waits_for_is_cancelled(
    serve, client, gate, operator, redis_url, namespace, depth
):
    """There is nobody to tell; its job says so, and the reply expires."""
    serve()
    operator.pause("all")
    with queued_gspread.pipeline(wait=False):
        append(client)
    (job,) = operator.jobs("lane")
    assert job.shown()["unattended"]
    assert operator.cancel(job, failure=b"kept") == "withdrawn"
    assert depth() == 0
    assert failed_calls(Settings(redis_url, namespace)) == []


def test_the_answer_to_a_large_call_is_kept_for_its_caller(operator, raw, keys):
    """However large its job is, who sleeps until the timeout still finds that it was cancelled."""
    job = {**json.loads(message()), "args": ["y" * 20_000], "timeout": 3000}
    raw.sadd(keys.active, "lane")
    raw.xadd(keys.lane("lane"), {"id": "big", "body": json.dumps(job, separators=(",", ":"))})
    (listed,) = operator.jobs("lane")
    assert operator.cancel(listed) == "withdrawn"
    assert raw.ttl(keys.reply("big")) > 2000


def test_a_pause_ends_only_with_the_last_that_is_meant(
    serve, client, gate, background, operator, is_parked, raw, keys
):
    """A call that three pauses hold up goes on once all that are meant have ended."""
    gate.open()
    serve()
    operator.pause("read")
    operator.pause("write")
    operator.pause("all", "lane")
    call = background(write, client)
    eventually(is_parked)
    for scope in ("all:lane", "read:"):
        operator.resume(scope)
        latest = raw.xrevrange(keys.actions, count=1)[0][0]
        eventually(lambda latest=latest: raw.hget(keys.server, "logged") == latest)
        eventually(is_parked)
    assert gate.seen == []
    operator.resume("write:")
    assert call.result(PATIENCE) == {}


def test_a_read_in_the_air_is_cancelled(serve, client, gate, background, operator, raw, keys):
    """Its caller is told at once; its answer, when it comes, is nobody's, and the lane goes on."""
    serve()
    call = background(read, client)
    arrival = gate.next()
    (job,) = operator.jobs("lane")
    assert operator.cancel(job) == "ended"
    assert isinstance(call.exception(PATIENCE), CallCancelledError)
    arrival.answer({})
    gate.open()
    assert background(write, client).result(PATIENCE) == {}
    assert raw.hgetall(keys.progress) == {}
    assert raw.keys(keys.reply("*")) == []


def test_of_merged_calls_some_are_cancelled(serve, client, gate, background, operator, is_parked):
    """The others of the request are made, once each and in order."""
    serve()
    operator.pause("all")
    calls = []
    for number in range(5):
        calls.append(background(append, client, value=number))
        eventually(lambda: operator.waiting() == len(calls))
    eventually(is_parked)
    jobs = list(operator.jobs("lane"))
    assert [operator.cancel(jobs[place]) for place in (0, 2)] == ["withdrawn"] * 2
    gate.open()
    operator.resume()
    ends = [type(call.exception(PATIENCE)) for call in calls]
    cancelled, made = CallCancelledError, type(None)
    assert ends == [cancelled, made, cancelled, made, made]
    rows = [row[0] for one in gate.seen for row in one.given["json"]["values"]]
    assert rows == [1, 3, 4]


def test_a_key_whose_call_was_cancelled_is_free(
    serve, client, gate, background, operator, is_parked
):
    """The next call under the same idempotency key is made: the cancelled one has done nothing."""

    def keyed():
        with queued_gspread.idempotency_key("key"):
            return append(client)

    serve()
    operator.pause("all")
    first = background(keyed)
    eventually(is_parked)
    (job,) = operator.jobs("lane")
    assert operator.cancel(job) == "withdrawn"
    assert isinstance(first.exception(PATIENCE), CallCancelledError)
    operator.resume()
    gate.open()
    assert background(keyed).result(PATIENCE) == {}
    assert len(gate.seen) == 1


def test_a_name_of_a_lane_that_a_terminal_would_obey(operator, raw, keys):
    """Whoever may put in calls chooses names of lanes: they are shown on one line, as text."""
    raw.sadd(keys.active, "x\x1b[2Jy\nz")
    raw.xadd(keys.lane("x\x1b[2Jy\nz"), {"id": "odd", "body": message()})
    (job,) = (job for lane in operator.lanes() for job in operator.jobs(lane))
    assert line_of(job).isprintable()
    assert job.shown()["spreadsheet"] == "x [2Jy z"


@pytest.mark.parametrize("is_signed", [False, True])
def test_a_large_call_is_cancelled_by_its_beginning(
    serve, authorize, gate, background, operator_with, signing_key, is_parked, is_signed
):
    """A list has only the beginning of a large job; its caller believes the answer all the same."""
    own = {"signing_key_file": str(signing_key)} if is_signed else {}
    serve(**own)
    operator = operator_with(**own)
    operator.pause("all")
    calls = [background(write, authorize(**own), value="secret" * 9000) for _ in range(2)]
    eventually(lambda: operator.waiting() == 2)
    for job in list(operator.jobs("lane")):
        assert len(job.body) < job.size < len(operator.find(job.job_id).body) + 1
        assert job.shown()["method"] == "http_client.request"
        assert operator.cancel(job) == "withdrawn"
    for call in calls:
        assert isinstance(call.exception(PATIENCE), CallCancelledError)
    assert gate.is_idle


def test_what_is_remembered_is_answered_under_a_pause(
    serve, client, redis_url, namespace, gate, background, operator, is_parked, depth
):
    """Nothing is sent for it; but behind a call to its spreadsheet that waits, it waits too."""
    gate.open()
    serve()
    old = queued_gspread.authorize(redis_url=redis_url, namespace=namespace, max_age=600)
    read(old)
    operator.pause("read")
    assert read(old) == {}
    waiting = [background(read, client)]
    eventually(is_parked)
    waiting.append(background(read, old))
    eventually(lambda: depth() == 2)
    assert len(gate.seen) == 1
    operator.resume()
    assert [one.result(PATIENCE) for one in waiting] == [{}, {}]
    assert len(gate.seen) == 2
