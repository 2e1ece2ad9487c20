"""Signed calls that nobody waits for: made once, whoever ends, and no copy of them is."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from types import SimpleNamespace

import pytest
import redis
from accounts import OPEN
from gate import cell_of, google_error
from processes import start_python
from waiting import PATIENCE, eventually

import queued_gspread
import queued_gspread.asyncio as asynchronous
from queued_gspread.broker import Producer, failed_calls
from queued_gspread.broker.envelope import Envelope, bound_job
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.protocol.messages import Job, new_id
from queued_gspread.protocol.signing import load_keys, sign
from queued_gspread.server.timing import Timing

WHERE = "A1", {"valueInputOption": "RAW"}


def job(value="x", lane="lane"):
    """Return a job that appends a row and that nobody waits for."""
    args = (lane, *WHERE, {"values": [[value]]})
    return Job("http_client", "values_append", args=args, is_unattended=True)


@pytest.fixture
def attacker(raw, keys):
    """Return what somebody does who can write to Redis, and read all that is there."""

    def snapshot():
        return {key: raw.dump(key) for key in raw.keys(keys.answered)} | {
            "head": raw.hget(keys.server, "answered")
        }

    def put_back(state):
        raw.delete(keys.answered)
        for key, dumped in state.items():
            if key != "head":
                raw.restore(key, 0, dumped, replace=True)
        raw.hset(keys.server, "answered", state["head"] or "")

    def put(job_id, message, lane="lane"):
        raw.delete(keys.dedup)
        raw.xadd(keys.lane(lane), {"id": job_id, "body": message})
        raw.sadd(keys.active, lane)
        raw.incr(keys.depth)
        raw.rpush(keys.ready_under(raw.hget(keys.server, "epoch")), lane)

    return SimpleNamespace(snapshot=snapshot, put_back=put_back, put=put)


@pytest.fixture
def raw(redis_url):
    """Return a plain client that leaves bytes as they are where it must."""
    text, plain = (redis.Redis.from_url(redis_url, decode_responses=each) for each in (True, False))
    with text, plain:
        text.dump, text.restore = plain.dump, plain.restore
        yield text


@pytest.fixture
def leave(signed):
    """Return a function that puts a signed job in and forgets it; it returns its id and message."""
    callers = Producer(signed)

    def put_in(body=None, lane="lane"):
        job_id = new_id()
        # What it knew of the time before the first server is too early, on a busy machine.
        callers._connection.clock.forget()
        body = (body or job(lane=lane)).encode()
        queued = callers.prepared(job_id, lane, body, is_unattended=True)
        callers.put_in(queued)
        return job_id, queued.message

    return put_in


@pytest.fixture
def serve_signed(serve, signing_key):
    """Return a function that starts a server with the key."""
    return lambda **options: serve(signing_key_file=signing_key, **options)


@pytest.fixture
def is_empty(raw, keys):
    """Return a function that returns whether no job waits."""
    return lambda: not raw.exists(keys.active)


@pytest.fixture
def failed(signed):
    """Return a function that returns the calls that Redis has kept as failed."""
    return lambda: failed_calls(signed)


@pytest.fixture
def answered(serve_signed, gate, leave, is_empty):
    """Return a job that was answered by a server that has ended, and what it was."""
    server = serve_signed()
    gate.open()
    copied = leave()
    eventually(is_empty)
    server.stop()
    assert len(gate.seen) == 1
    return copied


# They are made -----------------------------------------------------------------------------------


def test_a_call_whose_caller_is_gone_is_made_by_the_next_server(
    serve_signed, gate, leave, is_empty, background
):
    """Calls that waited while one server followed another are made, though nobody renews them."""
    first = serve_signed()
    leave(), leave()
    held = gate.next()
    stopping = background(first.stop)
    eventually(lambda: first.was_told_to_stop)
    held.answer({})
    stopping.result(PATIENCE)
    serve_signed()
    gate.open()
    eventually(is_empty)
    assert len(gate.seen) == 2


def test_a_call_that_was_put_in_without_a_server_is_made(
    serve_signed, answered, gate, leave, is_empty, failed
):
    """A call that was put in between two servers is made by the second one."""
    leave()
    serve_signed()
    eventually(is_empty)
    assert len(gate.seen) == 2
    assert failed() == []


KILLED = """
import os, signal, sys
import queued_gspread as gspread

http = gspread.authorize().http_client
print("ready", flush=True)
sys.stdin.readline()
with gspread.pipeline(wait=False):
    for number in range(5):
        http.values_append("lane", "A1", {"valueInputOption": "RAW"}, {"values": [[number]]})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_client_and_server_are_killed_and_a_standby_makes_the_calls(
    start_process, signing_key, google, redis_url, namespace, is_empty, failed, raw
):
    """With SIGKILL for the caller, then for the server, each call is made once, or unknown."""
    first = start_process("--signing-key-file", signing_key, "--no-merge")
    second = start_process("--signing-key-file", signing_key, "--no-merge", wait="standing by")
    where = {"REDIS_URL": redis_url, "NAMESPACE": namespace, "SIGNING_KEY_FILE": signing_key}
    process = start_python(KILLED, **where)
    process.communicate("go\n", timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL
    google.gate.next().answer({})
    google.gate.next()
    first.kill()
    second.until_log("working as")
    google.gate.open()
    eventually(is_empty)
    assert len(google.gate.seen) == 5
    assert [call.error for call in failed()] == ["OutcomeUnknownError"]


@pytest.mark.parametrize("score", ["inf", "-inf"])
def test_an_endless_time_in_the_set_ends_no_server(
    score, serve_signed, answered, gate, leave, is_empty, raw, keys
):
    """An id with a time that is no number is one more reason not to believe the set."""
    raw.zadd(keys.answered, {"x": score})
    serve_signed()
    leave()
    eventually(is_empty)
    assert len(gate.seen) == 2


def test_a_call_of_asyncio_survives_its_caller(
    serve_signed, answered, gate, is_empty, redis_url, namespace, signing_key
):
    """A signed write that a coroutine has put in is made after its loop has ended."""

    async def main():
        client = asynchronous.authorize(
            redis_url=redis_url, namespace=namespace, signing_key_file=signing_key
        )
        async with asynchronous.pipeline(wait=False):
            await client.http_client.values_append("lane", *WHERE, {"values": [["x"]]})

    asyncio.run(main())
    serve_signed()
    eventually(is_empty)
    assert len(gate.seen) == 2


def test_the_same_client_renews_what_it_waits_for(
    new_connections, serve_signed, gate, authorize, signing_key, background, is_empty
):
    """Calls that are waited for and calls that are not can be mixed over a takeover."""
    first = serve_signed()
    client = authorize(signing_key_file=signing_key)
    with queued_gspread.pipeline(wait=False):
        client.http_client.values_append("lane", *WHERE, {"values": [["x"]]})
    held = gate.next()
    reading = background(client.http_client.request, "get", cell_of("lane"))
    stopping = background(first.stop)
    eventually(lambda: first.was_told_to_stop)
    held.answer({})
    stopping.result(PATIENCE)
    serve_signed()
    gate.open()
    assert reading.result(PATIENCE).json() == {}
    eventually(is_empty)


def test_many_lanes_answer_at_a_time(serve_signed, gate, leave, is_empty, failed, raw, keys):
    """What the next server reads is whole, however many lanes have been answered at a time."""
    first = serve_signed()
    gate.open()
    copies = [leave(lane=f"lane{number % 10}") for number in range(100)]
    eventually(is_empty)
    first.stop()
    assert raw.zcard(keys.answered) == 100
    leave(lane="lane3")
    second = serve_signed()
    eventually(is_empty)
    assert failed() == []
    assert len(gate.seen) > 10
    known = second._parts.admission._unattended
    assert all(known.was_answered(job_id) for job_id, _ in copies)


# Copies are not ----------------------------------------------------------------------------------


def test_a_copy_is_dropped_by_the_server_that_has_answered(
    serve_signed, gate, leave, is_empty, attacker, raw, keys
):
    """A copy of an answered job is not made, whatever is deleted in Redis."""
    serve_signed()
    gate.open()
    job_id, message = leave()
    eventually(is_empty)
    raw.delete(keys.answered, keys.reply(job_id))
    raw.hdel(keys.server, "answered")
    attacker.put(job_id, message)
    eventually(is_empty)
    assert len(gate.seen) == 1


def test_a_copy_is_dropped_by_the_next_server(
    serve_signed, answered, gate, is_empty, attacker, failed, raw, keys
):
    """A server that takes over knows what was answered before, and drops copies."""
    raw.delete(keys.reply(answered[0]))
    serve_signed()
    attacker.put(*answered)
    eventually(is_empty)
    assert len(gate.seen) == 1
    assert not raw.exists(keys.reply(answered[0]))
    assert failed() == []


FORGERIES = {
    "all deleted": lambda raw, keys, job_id: (
        raw.delete(keys.answered),
        raw.hdel(keys.server, "answered"),
    ),
    "the set deleted": lambda raw, keys, job_id: raw.delete(keys.answered),
    "the head deleted": lambda raw, keys, job_id: raw.hdel(keys.server, "answered"),
    "the id deleted": lambda raw, keys, job_id: raw.zrem(keys.answered, job_id),
    "the id exchanged": lambda raw, keys, job_id: (
        raw.zrem(keys.answered, job_id),
        raw.zadd(keys.answered, {new_id(): 5}),
    ),
    "the time changed": lambda raw, keys, job_id: raw.zincrby(keys.answered, -1, job_id),
    "an id added": lambda raw, keys, job_id: raw.zadd(
        keys.answered, {"\udcff".encode("utf-8", "surrogateescape"): 7}
    ),
    "a wrong type": lambda raw, keys, job_id: (
        raw.delete(keys.answered),
        raw.set(keys.answered, "x"),
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_where_the_answered_cannot_be_believed_nothing_is_made(
    forgery, serve_signed, answered, gate, leave, is_empty, attacker, failed, raw, keys
):
    """After any change of what a server has signed, its successor makes no earlier job."""
    FORGERIES[forgery](raw, keys, answered[0])
    attacker.put(*answered)
    serve_signed()
    eventually(is_empty)
    assert len(gate.seen) == 1
    (call,) = failed()
    assert (call.error, call.method) == ("SignatureError", "http_client.values_append")
    assert "is not valid any more" in call.message
    leave()
    eventually(is_empty)
    assert len(gate.seen) == 2


@pytest.mark.parametrize("head", ["older", "forged", ""])
def test_what_is_changed_under_a_server_is_of_no_use_to_its_successor(
    head, serve_signed, gate, leave, is_empty, attacker, failed, raw, keys
):
    """Who puts an older state back, or anything else, while a server works has no copy made."""
    first = serve_signed()
    gate.open()
    leave()
    eventually(is_empty)
    state = attacker.snapshot()
    copied = leave()
    eventually(is_empty)
    attacker.put_back(state if head == "older" else state | {"head": head})
    leave()
    eventually(is_empty)
    first.stop()
    attacker.put(*copied)
    serve_signed()
    eventually(is_empty)
    assert len(gate.seen) == 3
    assert [call.error for call in failed()] == ["SignatureError"]


def test_an_older_state_is_no_use_at_a_standby(
    serve_signed, gate, leave, is_empty, attacker, failed
):
    """A server that stood by has seen what was signed last, and believes nothing earlier."""
    first, second = serve_signed(), serve_signed()
    gate.open()
    leave()
    eventually(is_empty)
    state = attacker.snapshot()
    copied = leave()
    eventually(is_empty)
    known = second._parts.admission._unattended
    eventually(lambda: known._confirmed == first._parts.admission._unattended._confirmed)
    attacker.put_back(state)
    first.stop()
    attacker.put(*copied)
    eventually(lambda: not known._is_new and is_empty())
    assert len(gate.seen) == 2
    assert [call.error for call in failed()] == ["SignatureError"]


def test_an_older_state_is_no_use_at_a_server_that_knows_better(
    serve_signed, gate, leave, is_empty, attacker, usurp, failed, raw, keys
):
    """A server that works again refuses copies, though what was signed earlier is put back."""
    server = serve_signed()
    gate.open()
    leave()
    eventually(is_empty)
    before = attacker.snapshot()
    copied = leave()
    eventually(is_empty)
    usurper = usurp()
    eventually(lambda: raw.hget(keys.server, "holder") == "ffff")
    attacker.put_back(before)
    attacker.put(*copied)
    epoch = raw.hget(keys.server, "epoch")
    usurper.release()
    eventually(lambda: raw.hget(keys.server, "epoch") != epoch)
    eventually(is_empty)
    assert len(gate.seen) == 2
    assert server.is_running
    assert [call.error for call in failed()] in ([], ["SignatureError"])


@pytest.mark.parametrize("how", ["unsigned", "another time", "another key", "moved", "renamed"])
def test_a_forged_job_is_refused(how, serve_signed, gate, signed, attacker, is_empty, key_of):
    """Nobody without the key makes a job that is made, by a marker, a time or a copy."""
    serve_signed()
    gate.open()
    job_id, moment = new_id(), 2**42
    message, _ = Envelope(signed).job(job_id, "lane", job().encode(), moment)
    lane = "other" if how == "moved" else "lane"
    if how == "unsigned":
        message = job().encode()
    if how == "another time":
        message = message.replace(b"@%d" % moment, b"@%d" % (moment + 1))
    if how == "another key":
        keyring = load_keys(key_of("z" * 40, name="other"), copied=False)
        bound = bound_job(signed.namespace, "lane", job_id)
        message = sign(keyring, "job", bound, job().encode(), generation=f"@{moment}")
    attacker.put(new_id() if how == "renamed" else job_id, message, lane)
    eventually(is_empty)
    assert gate.is_idle
    assert not gate.seen


def test_a_call_that_is_waited_for_is_renewed_as_before(
    serve_signed, gate, signed, attacker, is_empty, raw
):
    """A job that somebody waited for gets no longer life by this: the next server refuses it."""
    first = serve_signed()
    gate.open()
    callers, job_id, sent = Producer(signed), new_id(), []
    sign_job = callers._envelope.job
    callers._envelope.job = lambda *given: sent.append(sign_job(*given)) or sent[0]
    callers.call(job_id, "lane", job().encode())
    first.stop()
    serve_signed(timing=Timing(renewal=0.2))
    attacker.put(job_id, sent[0][0])
    eventually(is_empty)
    assert len(gate.seen) == 1


def test_keys_of_a_wrong_type_hold_up_no_call(serve_signed, gate, leave, is_empty, raw, keys):
    """Whatever somebody puts in the place of what is kept, calls are answered, failed ones too."""
    serve_signed()
    for key in (keys.failed, keys.answered):
        raw.set(key, "x")
    for answer in ("answer", "fail"):
        leave()
        arrival = gate.next()
        arrival.answer({}) if answer == "answer" else arrival.fail(google_error(403))
        eventually(is_empty)
    assert gate.is_idle


@pytest.fixture
def full_redis():
    """Return a Redis that a test may fill."""
    with TemporaryRedis(options=OPEN, restricted=False) as server:
        yield server


def test_in_a_full_redis_calls_are_made_and_noted(
    full_redis, serve_signed, signed, gate, keys, background
):
    """Calls that wait in a Redis without memory are made, and a copy of them is not."""
    own = replace(signed, redis_url=full_redis.url)
    first = serve_signed(redis_url=full_redis.url)
    callers = Producer(own)
    sent = [callers.prepared(new_id(), "lane", job().encode(), is_unattended=True) for _ in "ab"]
    for each in sent:
        callers.put_in(each)
    held = gate.next()
    with redis.Redis.from_url(full_redis.url) as raw:
        raw.config_set("maxmemory", "1")
        stopping = background(first.stop)
        eventually(lambda: first.was_told_to_stop)
        held.answer({})
        stopping.result(PATIENCE)
        second = serve_signed(redis_url=full_redis.url)
        gate.open()
        eventually(lambda: not raw.exists(keys.active))
        assert raw.zcard(keys.answered) == 2
    second.stop()
    assert len(gate.seen) == 2
    assert failed_calls(own) == []
