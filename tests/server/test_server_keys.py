"""Writes under idempotency keys: made once, whoever dies, and what is known of them afterwards."""

from __future__ import annotations

import signal
from functools import partial

import pytest
import redis
from calls import WORKSHEET, append, read, write
from gate import google_error
from gspread.exceptions import APIError
from limits import UNLIMITED
from processes import ServerProcess, start_python
from queue_fixtures import LEASE
from signing_fixtures import KEY as SIGNING
from waiting import PATIENCE, eventually

import queued_gspread as gspread
from queued_gspread.broker import Consumer, Entry, Producer, Promises
from queued_gspread.cli import main
from queued_gspread.errors import (
    AnswerNotKeptError,
    IdempotencyKeyError,
    IdempotencyKeyReusedError,
    OutcomeUnknownError,
    PoisonedJobError,
    SignatureError,
)
from queued_gspread.protocol.messages import Job, Once, new_id
from queued_gspread.server.calls import promises
from queued_gspread.server.calls.outcome import Outcome
from queued_gspread.server.timing import Timing
from queued_gspread.settings import Settings

KEY = "order-1"
FIELD = f"0 {KEY}"
SHARED = {"permissions": [{"id": "1", "emailAddress": "a@b", "role": "reader", "type": "user"}]}
# Appends one row under a key, once it is told to, and says what came of it.
APPENDS = """
import sys
import queued_gspread as gspread

client = gspread.authorize()
print("ready", flush=True)
for line in sys.stdin:
    with gspread.idempotency_key(line.strip()):
        try:
            answer = client.http_client.values_append(
                "lane", "A1", {"valueInputOption": "RAW"}, {"values": [["x"]]}
            )
        except gspread.exceptions.GSpreadException as error:
            answer = type(error).__name__
    print(answer, flush=True)
"""


def keyed(call, client, key=KEY, keep=86_400.0, **options):
    """Make a call in a block under a key."""
    with gspread.idempotency_key(key, keep=keep):
        return call(client, **options)


def sent(gate):
    """Return the methods of the requests that were sent."""
    return [seen.method for seen in gate.seen]


@pytest.fixture
def waiting(raw, keys):
    """Return what waits until so many jobs are in the lane."""
    return lambda count: eventually(lambda: raw.xlen(keys.lane("lane")) == count)


@pytest.fixture
def queue(redis_url, namespace):
    """Return what is kept, as an operator sees it."""
    return Promises(Settings(redis_url=redis_url, namespace=namespace))


@pytest.fixture
def states(queue):
    """Return a function that returns the states of what is kept, by key and number."""
    return lambda: {(call.key, call.number): call.state for call in queue.all()}


@pytest.fixture
def command(redis_url, namespace, capsys):
    """Return what runs ``queued-gspread keys``, and returns its status and what it says."""

    def run(*options):
        status = main(["keys", "--redis-url", redis_url, "--namespace", namespace, *options])
        told = capsys.readouterr()
        return status, told.out + told.err

    return run


@pytest.fixture
def over(raw, keys):
    """Return what lets the time of a promise be over, on Redis's clock."""
    return lambda field=FIELD: raw.zadd(keys.keeping, {field: raw.time()[0] * 1000 - 1000})


# While the first one waits or runs --------------------------------------------------------------


def test_who_comes_while_the_first_one_runs_waits_for_it(serve, client, gate, background, waiting):
    """With the first call's request in the air, the second sends none, and gets its answer."""
    serve()
    first = background(keyed, append, client)
    request = gate.next()
    second = background(keyed, append, client)
    waiting(2)
    request.answer({"answer": 1})
    assert first.result(PATIENCE) == second.result(PATIENCE) == {"answer": 1}
    assert sent(gate) == ["post"]


def test_calls_that_share_a_request_are_made_once_each(stage):
    """Of keyed calls that wait together, each key's is in one of few requests, once."""
    stage = stage()

    def add(name):
        with gspread.idempotency_key(name):
            return stage.sheet.append_row([name])["updates"]["updatedRange"]

    found = stage.play(*(partial(add, name) for name in ("a", "b", "c", "a", "d", "b")))
    assert found == [f"Sheet1!A{row}" for row in (1, 2, 3, 1, 4, 2)]
    assert [row[0] for row in stage.rows()] == ["a", "b", "c", "d"]
    assert len(stage.sent) == 2
    stage.door.close()
    found = stage.play(*(partial(add, name) for name in ("e", "a", "f", "b")))
    assert found == [f"Sheet1!A{row}" for row in (5, 1, 6, 2)]
    assert len(stage.sent) == 1


def test_upserts_that_come_while_the_first_ones_read_is_out(stage):
    """Of two with one key the second waits for the first, and gets its answer; others go along."""
    stage = stage()
    stage.book.sheet1.update([["key", "value"]])

    def add(name):
        with gspread.idempotency_key(name):
            rows = [{"key": name, "value": "1"}]
            return list(gspread.upsert_rows(stage.sheet, rows, key="key").appended)

    first = stage.put(partial(add, "a"))
    read = stage.door.next()
    others = stage.put(partial(add, "a"), partial(add, "b"))
    read.answer()
    stage.door.open()
    found = [future.result(PATIENCE) for future in (*first, *others)]
    assert found == [[2], [2], [3]]
    assert [row[0] for row in stage.rows()] == ["key", "a", "b"]


def test_another_call_under_a_key_is_refused(serve, client, gate):
    """Other arguments, another method, another spreadsheet: refused, and nothing is sent."""
    serve()
    gate.open()
    keyed(append, client)
    for call, options in ((append, {"value": "y"}), (append, {"lane": "other"}), (write, {})):
        with pytest.raises(IdempotencyKeyReusedError, match=f"{KEY}.*another call"):
            keyed(call, client, **options)
    assert sent(gate) == ["post"]


def test_another_call_while_the_first_one_has_only_read(serve, client, gate, background):
    """One that comes between a call's read and its end is refused; the answer is kept."""
    serve()
    first = background(keyed, share, client)
    read = gate.next()
    with pytest.raises(IdempotencyKeyReusedError, match=f"{KEY}.*another call"):
        keyed(append, client, lane="other")
    read.answer({"permissions": []})
    assert first.result(PATIENCE) == keyed(share, client) == []
    assert sent(gate) == ["get"]


# What is final, and what may be made again ------------------------------------------------------


def test_what_google_refuses_is_refused_again(serve, client, gate, background):
    """The error of a refused call is given again without a request."""
    serve()
    first = background(keyed, append, client)
    gate.next().fail(google_error(400))
    assert first.exception(PATIENCE).code == 400
    with pytest.raises(APIError, match="message of 400"):
        keyed(append, client)
    assert sent(gate) == ["post"]


@pytest.fixture
def put_in(redis_url, namespace):
    """Return what puts the call of :func:`share` in, under the key; and what takes it back."""
    callers = Producer(Settings(redis_url=redis_url, namespace=namespace))
    target = {"spreadsheet": {}, "properties": {"id": "lane", "title": "Book"}}
    once = Once(KEY, 0, 86_400.0)
    job = Job("spreadsheet", "remove_permissions", target, ("a@b",), once=once)

    def put():
        queued = callers.prepared(new_id(), "lane", job.encode())
        callers.put_in(queued)
        return lambda: callers.withdraw(queued.wait)

    return put


def test_a_call_that_was_withdrawn_may_be_made(serve, client, gate, background, states, put_in):
    """One whose caller has given it up in the queue was not made: the next one is."""
    serve()
    busy = background(read, client)
    request = gate.next()
    assert put_in()() == "withdrawn"
    request.answer({})
    busy.result(PATIENCE)
    assert states() == {}
    again = background(keyed, append, client)
    gate.next().answer({"answer": 2})
    assert again.result(PATIENCE) == {"answer": 2}


def test_a_call_that_had_only_read_may_be_made(serve, client, gate, background, put_in):
    """One that is given up between its read and its write leaves its key to the next one."""
    serve()
    take_back = put_in()
    request = gate.next()
    assert take_back() == "ended"
    request.answer(SHARED)
    again = background(keyed, share, client)
    gate.next().answer(SHARED)
    gate.next().answer({})
    assert again.result(PATIENCE) == ["1"]
    assert sent(gate) == ["get", "get", "delete"]


def share(client):
    """Make a call that reads before it writes."""
    book = gspread.Spreadsheet.__new__(gspread.Spreadsheet)
    book.client, book._properties = client.http_client, {"id": "lane", "title": "Book"}
    return book.remove_permissions("a@b")


def test_a_call_that_the_quota_refuses_may_be_made(serve, client, gate, background, states):
    """An error that says that the quota was used up until the end is not final."""
    serve(retry_for=0)
    first = background(keyed, append, client)
    gate.next().fail(google_error(429))
    assert first.exception(PATIENCE).code == 429
    assert states() == {}
    again = background(keyed, append, client)
    gate.next().answer({"answer": 2})
    assert again.result(PATIENCE) == {"answer": 2}


def test_an_idempotent_write_that_has_failed_may_be_made(serve, client, gate, background):
    """Of an update nobody needs to know whether it was applied: it is made again."""
    serve(retry_for=0)
    first = background(keyed, write, client)
    gate.next().fail(google_error(503))
    assert first.exception(PATIENCE).code == 503
    again = background(keyed, write, client)
    gate.next().answer({"answer": 2})
    assert again.result(PATIENCE) == {"answer": 2}


# Unknown outcomes -------------------------------------------------------------------------------


@pytest.fixture
def unknown(serve, client, gate, background):
    """Leave a call under a key of which it is not known whether it was applied."""
    serve()
    first = background(keyed, append, client)
    gate.next().fail(google_error(503))
    return first.exception(PATIENCE)


def test_an_unknown_outcome_stays_unknown(unknown, client, gate, states, raw, keys):
    """The same error is given again, nothing is sent, and no time ends it."""
    assert type(unknown) is OutcomeUnknownError
    with pytest.raises(OutcomeUnknownError) as again:
        keyed(append, client)
    assert str(again.value) == str(unknown)
    assert again.value.sent_at == unknown.sent_at
    assert sent(gate) == ["post"]
    assert states() == {(KEY, 0): "unknown"}
    assert raw.zcard(keys.keeping) == 0


def test_an_outcome_that_is_settled_as_not_made(unknown, client, gate, background, command):
    """Once somebody has looked, and says that it was not made, the next one is."""
    status, told = command()
    assert (status, told.split(",")[0]) == (0, f"'{KEY}' 0: unknown")
    assert command(KEY, "--not-made")[0] == 0
    again = background(keyed, append, client)
    gate.next().answer({"answer": 2})
    assert again.result(PATIENCE) == {"answer": 2}


def test_an_outcome_that_is_settled_as_made(unknown, client, gate, command, raw, keys):
    """If they say that it was made, the call says so, and is not made; for as long as they say."""
    status, told = command(KEY, "--made", "--keep", "60")
    assert (status, told.partition(":")[0]) == (0, "settled as made")
    with pytest.raises(AnswerNotKeptError, match="an operator has settled that it was made"):
        keyed(append, client)
    assert sent(gate) == ["post"]
    left = raw.zscore(keys.keeping, FIELD) / 1000 - raw.time()[0]
    assert 0 < left <= 61


def test_what_is_known_cannot_be_settled(serve, client, gate, command):
    """A call that was answered, and a key that was not used, are refused by name."""
    serve()
    gate.open()
    keyed(append, client)
    for key in (KEY, "another"):
        status, told = command(key, "--not-made")
        assert status == 1
        assert f"no call under {key!r} has an unknown outcome" in told


def test_a_call_that_runs_cannot_be_settled(serve, client, gate, background, command):
    """As long as its request is in the air, its outcome may still become known."""
    serve()
    first = background(keyed, append, client)
    request = gate.next()
    status, told = command(KEY, "--not-made")
    assert status == 1
    assert "still in the queue" in told
    request.answer({"answer": 1})
    assert first.result(PATIENCE) == {"answer": 1}


def test_one_of_several_unknown_outcomes(serve, client, gate, background, command):
    """Where a block has several, they are settled by their numbers."""
    serve()

    def both():
        with gspread.idempotency_key(KEY):
            for value in "ab":
                with pytest.raises(OutcomeUnknownError):
                    append(client, value=value)

    block = background(both)
    for _ in range(2):
        gate.next().fail(google_error(503))
    block.result(PATIENCE)
    assert "--number (0, 1)" in command(KEY, "--made")[1]
    assert command(KEY, "--made", "--number", "1")[0] == 0
    assert "no call under" in command(KEY, "--made", "--number", "1")[1]
    assert [line[:12] for line in command("--all")[1].splitlines()] == [
        f"'{KEY}' 0:",
        f"'{KEY}' 1:",
    ]


# For how long, and how much ---------------------------------------------------------------------


def test_what_is_kept_ends_with_its_time(serve, client, gate, background, raw, keys, over):
    """It is kept for `keep` seconds of Redis's clock; then the call is made anew."""
    serve()
    gate.open()
    keyed(append, client, keep=1000)
    left = raw.zscore(keys.keeping, FIELD) / 1000 - raw.time()[0]
    assert 1000 - PATIENCE < left <= 1001
    over()
    keyed(append, client)
    assert sent(gate) == ["post", "post"]
    left = raw.zscore(keys.keeping, FIELD) / 1000 - raw.time()[0]
    assert left > 86_000


def test_no_more_keys_than_may_be_kept(serve, client, gate, over, states):
    """At the bound a new key is refused, with its remedy; old ones stay, and end in time."""
    serve(max_keys=2)
    gate.open()
    for key in "ab":
        keyed(append, client, key)
    with pytest.raises(
        IdempotencyKeyError, match=r"keeps 2 calls \(--max-keys\).*not made.*larger"
    ):
        keyed(append, client, "c")
    keyed(append, client, "a")
    append(client)
    assert len(gate.seen) == 3
    over("0 a")
    keyed(append, client, "c")
    assert states() == {("b", 0): "answered", ("c", 0): "answered"}


def test_any_number_of_keys(serve, client, gate, states):
    """With bounds of 0 there is none."""
    serve(max_keys=0, max_key_bytes=0)
    gate.open()
    for key in "abc":
        keyed(append, client, key)
    assert set(states().values()) == {"answered"}
    assert len(states()) == 3


def test_a_call_that_has_written_is_not_refused_for_the_bound(
    serve, client, gate, background, raw, keys
):
    """Of several requests, only before the first it matters how many keys are kept."""
    serve(max_keys=1)
    calling = background(keyed, share, client)
    two = [{**SHARED["permissions"][0], "id": number} for number in "12"]
    gate.next().answer({"permissions": two})
    first = gate.next()
    raw.delete(keys.promises, keys.promised, keys.keeping)
    text = f"answered J9 1 300 lane {raw.time()[0] * 1000}-0"
    raw.hset(keys.promises, mapping={"0 another": text, "bytes:": 300})
    first.answer({})
    gate.next().answer({})
    assert calling.result(PATIENCE) == ["1", "2"]


def test_no_more_bytes_than_may_be_kept(serve, client, gate, raw, keys):
    """The bound in bytes holds, whatever a call's answer will be; what is over makes room."""
    serve(max_key_bytes=20_000)
    gate.open()
    kept = 0
    while int(raw.hget(keys.promises, "bytes:") or 0) + 17_000 < 20_000:
        keyed(append, client, f"key-{kept}")
        kept += 1
    assert kept > 5
    with pytest.raises(IdempotencyKeyError, match=r"20000 bytes \(--max-key-bytes\)"):
        keyed(append, client, "new")
    assert int(raw.hget(keys.promises, "bytes:")) <= 20_000
    for number in range(kept):
        raw.zadd(keys.keeping, {f"0 key-{number}": 1})
    keyed(append, client, "new")
    assert raw.hlen(keys.promises) == 2


def test_a_large_answer_is_not_kept(serve, client, gate, background):
    """Of more than 16 kB a digest is kept: the call says that it was made, and is not again."""
    serve()
    first = background(keyed, append, client)
    gate.next().answer({"answer": "x" * 17_000})
    assert len(first.result(PATIENCE)["answer"]) == 17_000
    with pytest.raises(AnswerNotKeptError, match=r"it was made.*SHA-256 \w{64}\) was not kept"):
        keyed(append, client)
    assert sent(gate) == ["post"]


def test_keys_that_nobody_uses_again_end(serve, client, gate, background, raw, keys, put_in):
    """A key of a call that was given up, and whose job is gone, makes room after a while."""
    serve(max_keys=1)
    take_back = put_in()
    gate.next()
    assert take_back() == "ended"
    raw.zadd(keys.keeping, {FIELD: 1})
    another = background(keyed, append, client, "another", lane="other")
    gate.next().answer({})
    another.result(PATIENCE)
    assert list(raw.hkeys(keys.promised)) == ["0 another"]


@pytest.mark.parametrize("maxmemory", [0, 1])
def test_what_is_over_is_dropped_without_another_call(serve, client, gate, raw, keys, maxmemory):
    """Answers do not stay for want of calls under keys, nor in a Redis that is out of memory."""
    serve(lease=1)
    gate.open()
    keyed(append, client)
    try:
        raw.zadd(keys.keeping, {FIELD: 1})
        raw.config_set("maxmemory", maxmemory)
        eventually(lambda: not raw.exists(keys.promises, keys.promised, keys.keeping))
    finally:
        raw.config_set("maxmemory", 0)


def test_what_is_over_makes_room_however_much_it_is(serve, client, gate, raw, keys):
    """No call is refused for the bound while anything is kept whose time is over."""
    for number in range(300):
        raw.hset(keys.promises, f"0 {number}", f"answered J 1 250 lane {number}-0")
        raw.zadd(keys.keeping, {f"0 {number}": 1})
    raw.hset(keys.promises, "bytes:", 300 * 250)
    serve(max_keys=1, max_key_bytes=20_000)
    gate.open()
    keyed(append, client)
    assert list(raw.hkeys(keys.promised)) == [FIELD]
    assert int(raw.hget(keys.promises, "bytes:")) < 1_000


# Those that die, sleep and wake up --------------------------------------------------------------


@pytest.fixture
def caller(redis_url, namespace):
    """Return a function that starts a process that appends under keys."""
    processes = []

    def start():
        where = {"REDIS_URL": redis_url, "NAMESPACE": namespace, "GRACE": str(PATIENCE)}
        processes.append(start_python(APPENDS, **where))
        assert processes[-1].stdout.readline() == "ready\n"
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def tell(process, key=KEY):
    process.stdin.write(key + "\n")
    process.stdin.flush()


def test_a_caller_that_is_killed(start_process, caller, google, waiting):
    """A process is killed with its append in the air: the next one with its key gets the answer."""
    start_process()
    first = caller()
    tell(first)
    request = google.gate.next()
    first.kill()
    first.wait(PATIENCE)
    second = caller()
    tell(second)
    waiting(2)
    request.answer({"answer": 1})
    assert second.stdout.readline() == "{'answer': 1}\n"
    assert sent(google.gate) == ["post"]


def test_a_caller_that_is_frozen(start_process, caller, google):
    """A process sleeps while another one does its work: when it wakes up, it has done it too."""
    start_process()
    first, second = caller(), caller()
    first.send_signal(signal.SIGSTOP)
    tell(first)
    tell(second)
    google.gate.next().answer({"answer": 1})
    assert second.stdout.readline() == "{'answer': 1}\n"
    first.send_signal(signal.SIGCONT)
    assert first.stdout.readline() == "{'answer': 1}\n"
    assert sent(google.gate) == ["post"]


def test_a_server_that_is_killed(start_process, caller, google, states):
    """Its append is in the air: nobody knows, and nobody sends it again under that key."""
    server = start_process()
    process = caller()
    tell(process)
    google.gate.next()
    server.kill()
    start_process()
    assert process.stdout.readline() == "OutcomeUnknownError\n"
    tell(process)
    assert process.stdout.readline() == "OutcomeUnknownError\n"
    assert states() == {(KEY, 0): "unknown"}
    assert sent(google.gate) == ["post"]


def test_a_server_that_is_frozen(start_process, caller, google, states):
    """It sleeps with an append in the air: when it wakes up, its answer changes nothing."""
    server = start_process()
    process = caller()
    tell(process)
    request = google.gate.next()
    server.signal(signal.SIGSTOP)
    start_process()
    assert process.stdout.readline() == "OutcomeUnknownError\n"
    request.answer({"answer": 1})
    server.signal(signal.SIGCONT)

    tell(process)
    assert process.stdout.readline() == "OutcomeUnknownError\n"
    assert states() == {(KEY, 0): "unknown"}
    assert sent(google.gate) == ["post"]


DIES = """
import os, signal
from {module} import {owner}

def dies(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

{owner}.{method} = dies
"""


@pytest.mark.parametrize(
    ("module", "owner", "method", "told"),
    [
        ("queued_gspread.server.sending.sender", "Sender", "_attempt", "OutcomeUnknownError"),
        ("queued_gspread.server.sending.sender", "Sender", "_settle", "OutcomeUnknownError"),
        ("queued_gspread.broker", "Consumer", "answer", "{'answer': 1}"),
    ],
    ids=["before it is sent", "before its answer is noted", "before it is answered"],
)
def test_a_server_that_dies_between(
    start_process, caller, google, background, states, module, owner, method, told
):
    """Wherever a server dies, the journal decides what is kept: an answer if it has one."""
    server = start_process(patch=DIES.format(module=module, owner=owner, method=method))
    process = caller()
    tell(process)
    if method != "_attempt":
        google.gate.next().answer({"answer": 1})
    assert server.exit_status() == -signal.SIGKILL
    start_process()
    for _ in range(2):
        assert process.stdout.readline() == told + "\n"
        if _ == 0:
            tell(process)
    known = "answered" if "answer" in told else "unknown"
    assert states() == {(KEY, 0): known}
    assert len(google.gate.seen) == (0 if method == "_attempt" else 1)


def test_a_poisoned_call_under_a_key(serve, client, gate, background, raw, keys, states):
    """A call of which three servers have died, after its request, keeps its key as unknown."""
    first = serve(lease=60)
    calling = background(keyed, append, client)
    gate.next()
    job_id = raw.xrange(keys.lane("lane"))[0][1]["id"]
    raw.hset(keys.deliveries, job_id, "/101//102//103/")
    raw.hset(keys.server, "last_beat", 0)
    serve()
    assert isinstance(calling.exception(PATIENCE), PoisonedJobError)
    assert states() == {(KEY, 0): "unknown"}
    with pytest.raises(PoisonedJobError):
        keyed(append, client)
    assert sent(gate) == ["post"]
    gate.open()
    first.stop()


def test_a_server_that_stops_leaves_its_keys(serve, client, gate, background):
    """The next server answers by what the one before has kept."""
    first = serve()
    gate.open()
    answer = keyed(append, client)
    first.stop()
    serve()
    assert keyed(append, client) == answer
    assert sent(gate) == ["post"]


# With signing -----------------------------------------------------------------------------------


@pytest.fixture
def believing(serve, authorize, signing_key, gate):
    """Start a server that signs; return a client that does, and whose call under a key was made."""
    serve(signing_key_file=signing_key)
    client = authorize(signing_key_file=signing_key)
    gate.open()
    keyed(append, client)
    return client


def copied(raw, keys, field):
    """Put what is kept of another call under the key."""
    raw.hset(keys.promised, FIELD, raw.hget(keys.promised, field))


FORGERIES = {
    "an answer": lambda raw, keys: raw.hset(
        keys.promised, FIELD, raw.hget(keys.promised, FIELD).replace("{}", '{"forged":1}')
    ),
    "an answer without a signature": lambda raw, keys: raw.hset(
        keys.promised, FIELD, raw.hget(keys.promised, FIELD).partition(" ")[0] + " ok {}"
    ),
    "another state": lambda raw, keys: raw.hset(
        keys.promises, FIELD, raw.hget(keys.promises, FIELD).replace("answered", "made")
    ),
    "another call's": lambda raw, keys: copied(raw, keys, "0 other"),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_what_is_kept_is_not_believed_without_a_signature(believing, what, gate, raw, keys):
    """What somebody without the key has put there is refused, and nothing is sent."""
    keyed(append, believing, "other")
    FORGERIES[what](raw, keys)
    with pytest.raises(SignatureError, match=r"cannot be believed.*not made now"):
        keyed(append, believing)
    assert sent(gate) == ["post", "post"]


def test_what_is_signed_is_given_again(believing, gate):
    """With signing, as without, the second call gets the first one's answer."""
    keyed(append, believing)
    assert sent(gate) == ["post"]


def test_a_promise_that_somebody_has_deleted(believing, gate, raw, keys):
    """Who can write to Redis can have a call made again, by deleting what is kept of it."""
    raw.hdel(keys.promises, FIELD)
    keyed(append, believing)
    assert sent(gate) == ["post", "post"]


def test_a_settlement_is_signed(believing, gate, background, command, raw, keys, key_of):
    """That a call was made is believed if it is signed with the server's key."""
    raw.hset(keys.promises, FIELD, raw.hget(keys.promises, FIELD).replace("answered", "unknown"))
    with pytest.raises(SignatureError):
        keyed(append, believing)
    told = raw.hget(keys.promises, FIELD)
    assert command(KEY, "--made")[0] == 0
    with pytest.raises(SignatureError):
        keyed(append, believing)
    raw.hset(keys.promises, FIELD, told)
    assert command(KEY, "--made", "--signing-key-file", str(key_of(SIGNING)))[0] == 0
    with pytest.raises(AnswerNotKeptError):
        keyed(append, believing)
    assert sent(gate) == ["post"]


# Many processes ---------------------------------------------------------------------------------

TEN_ORDERS = """
import sys
import queued_gspread as gspread

sheet = gspread.authorize().open_by_key(sys.stdin.readline().strip()).sheet1
for number in range(10):
    with gspread.idempotency_key(f"order-{number}"):
        sheet.append_row([number, "paid"])
"""


def test_ten_processes_that_append_under_the_same_keys(
    serve_emulator, client, redis_url, namespace, emulator
):
    """Ten processes that append the same ten rows under ten keys leave ten rows, each once."""
    serve_emulator()
    sheet = client.create("Orders").sheet1
    variables = {"REDIS_URL": redis_url, "NAMESPACE": namespace, "GRACE": str(PATIENCE)}
    processes = [start_python(TEN_ORDERS, **variables) for _ in range(10)]
    for process in processes:
        process.stdin.write(sheet.spreadsheet_id + "\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
    rows = emulator.gspread_client().open_by_key(sheet.spreadsheet_id).sheet1.get_all_values()
    assert sorted(rows) == [[str(number), "paid"] for number in range(10)]


TWENTY_ORDERS = """
import sys
import queued_gspread as gspread

sheet = gspread.authorize().open_by_key(sys.stdin.readline().strip()).sheet1
print("ready", flush=True)
for number in range(20):
    try:
        with gspread.idempotency_key(f"order-{number}"):
            sheet.append_row([number, "paid"])
        print(number, flush=True)
    except gspread.errors.OutcomeUnknownError:
        print(f"unknown {number}", flush=True)
"""


def test_processes_and_a_server_that_are_killed_in_the_middle(
    serve_emulator, client, redis_url, namespace, emulator
):
    """Whoever dies, no key's row is there twice, and each that was answered is there."""
    working = serve_emulator()
    sheet = client.create("Orders").sheet1
    serve_emulator("standing by")
    variables = {"REDIS_URL": redis_url, "NAMESPACE": namespace, "GRACE": str(PATIENCE)}

    def start():
        process = start_python(TWENTY_ORDERS, **variables)
        process.stdin.write(sheet.spreadsheet_id + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"
        return process

    processes = [start() for _ in range(3)]
    for _ in range(5):
        processes[0].stdout.readline()
    processes[0].kill()
    working.kill()
    processes.append(start())
    told = "".join(process.communicate(timeout=PATIENCE)[0] for process in processes).split("\n")
    rows = emulator.gspread_client().open_by_key(sheet.spreadsheet_id).sheet1.get_all_values()
    written = [row[0] for row in rows]
    assert len(set(written)) == len(written)
    assert {line for line in told if line.isdecimal()} <= set(written)
    unknown = {line.partition(" ")[2] for line in told if line.startswith("unknown")}
    assert set(written) | unknown == {str(number) for number in range(20)}
    assert len(unknown) <= len(processes)


@pytest.fixture
def serve_emulator(redis_url, namespace, key_file, emulator, tmp_path):
    """Return a function that starts a server as a process, over the emulator."""
    started = []

    def start(wait="working as"):
        where = ["--redis-url", redis_url, "--namespace", namespace, "--lease", LEASE]
        account = ["--service-account", key_file, "--api-endpoint", emulator.url]
        limits = [f"--{name.replace('_', '-')}={limit}" for name, limit in UNLIMITED.items()]
        log = tmp_path / f"server-{len(started)}.log"
        started.append(ServerProcess(log, *where, *account, *limits))
        return started[-1].until_log(wait)

    yield start
    for process in started:
        process.end()


def test_without_keys_nothing_is_kept_or_looked_up(serve, client, gate, raw, keys, monkeypatch):
    """A call that is under no key asks nothing of what is kept, and leaves nothing there."""
    asked = []
    monkeypatch.setattr(Consumer, "promise", lambda *given: asked.append(given))
    serve()
    gate.open()
    append(client)
    assert asked == []
    assert not raw.exists(keys.promises, keys.promised, keys.keeping)


def test_what_is_kept_has_no_expiry(serve, client, gate, raw, keys):
    """A Redis that drops what expires drops no promise: the keys that hold them never do."""
    serve()
    gate.open()
    keyed(append, client)
    kept = (keys.promises, keys.promised, keys.keeping)
    assert [raw.ttl(key) for key in kept] == [-1, -1, -1]


def test_a_signed_call_that_nobody_confirms_after_a_takeover(
    serve, authorize, signing_key, signed, gate, raw, keys, states
):
    """Client and server are gone: the next server refuses the job, and its outcome is unknown."""
    first = serve(signing_key_file=signing_key, lease=60)
    where = ("lane", "A1", {"valueInputOption": "RAW"}, {"values": [["x"]]})
    job = Job("http_client", "values_append", args=where, once=Once(KEY, 0, 60.0))
    callers = Producer(signed)
    callers.put_in(callers.prepared(new_id(), "lane", job.encode()))
    gate.next()
    raw.hset(keys.server, "last_beat", 0)
    serve(signing_key_file=signing_key, timing=Timing(renewal=0.1))
    eventually(lambda: states() == {(KEY, 0): "unknown"})
    with pytest.raises(OutcomeUnknownError):
        keyed(append, authorize(signing_key_file=signing_key))
    assert sent(gate) == ["post"]
    gate.open()
    first.stop()


@pytest.mark.parametrize(
    "body",
    ['{"once": [1, 2, 3]}', '{"once": ["a", 0, 60]}', '{"once": ["a", 0, null], "kwargs": 1}'],
)
def test_a_job_of_a_stranger_that_claims_a_key(
    serve, authorize, signing_key, gate, raw, keys, body
):
    """What is no job is refused, though it is said to have written, and the lane goes on."""
    serve(signing_key_file=signing_key)
    gate.open()
    raw.hset(keys.progress, "abc", "j")
    raw.xadd(keys.lane("lane"), {"id": "abc", "body": body})
    raw.incr(keys.depth)
    keyed(append, authorize(signing_key_file=signing_key))
    assert sent(gate) == ["post"]
    assert raw.exists(keys.reply("abc"))


@pytest.mark.parametrize("word", ["left", "replayed"])
def test_a_keyed_call_that_goes_no_further_here(word):
    """A job that is left to the next server, or is a copy, changes nothing under its key."""
    body = Job("http_client", "login", once=Once(KEY, 0, 60.0)).encode()
    entry = Entry("lane", "1-1", "a", body, "j", 1)
    assert promises.Promises(None).ended_unbegun(entry, Outcome(word)) == Outcome(word)


def test_a_call_that_fails_here_where_it_is_resumed(
    serve, client, gate, background, raw, keys, states, monkeypatch
):
    """By an error of the server itself, its key is kept as unknown: it may have been made."""
    first = serve(lease=60)
    calling = background(keyed, write, client)
    gate.next()
    monkeypatch.setattr(promises.Promises, "of", lambda *_: 1 / 0)
    raw.hset(keys.server, "last_beat", 0)
    serve()
    assert "ZeroDivisionError" in str(calling.exception(PATIENCE))
    assert states() == {(KEY, 0): "unknown"}
    gate.open()
    first.stop()


def test_a_job_that_redis_has_lost_while_it_was_made(
    serve, client, gate, background, raw, keys, states
):
    """What came of its call is kept all the same, so the call is not made again."""
    serve()
    background(keyed, append, client)
    request = gate.next()
    raw.delete(keys.lane("lane"))
    request.answer({"answer": 1})
    eventually(lambda: states() == {(KEY, 0): "answered"})
    assert keyed(append, client) == {"answer": 1}
    assert sent(gate) == ["post"]


def test_a_job_that_redis_has_lost_between_two_writes(
    serve, gate, raw, keys, states, redis_url, namespace
):
    """Its first write may not be all of it: its key is kept as unknown."""
    serve()
    job = Job("worksheet", "insert_rows", WORKSHEET, ([["a"]],), once=Once(KEY, 0, 60.0))
    callers = Producer(Settings(redis_url=redis_url, namespace=namespace))
    callers.put_in(callers.prepared(new_id(), "lane", job.encode()))
    first = gate.next()
    raw.delete(keys.lane("lane"))
    first.answer({})
    eventually(lambda: states() == {(KEY, 0): "unknown"})
    assert len(gate.seen) == 1


@pytest.fixture
def redis_of_then(redis_url, namespace):
    """Return what remembers all that Redis has of the namespace, and what puts it back."""

    def all_of():
        return {key: plain.dump(key) for key in plain.keys(f"*{{{namespace}}}*")}

    def put_back(state):
        plain.delete(*plain.keys(f"*{{{namespace}}}*"))
        for key, dumped in state.items():
            plain.restore(key, 0, dumped)

    with redis.Redis.from_url(redis_url) as plain:
        yield all_of, put_back


def test_a_redis_that_comes_back_with_an_older_state(
    serve, client, gate, background, raw, keys, states, redis_of_then
):
    """A server that has made a call knows it, and keeps again what Redis has lost of it."""
    serve()
    calling = background(keyed, append, client)
    request = gate.next()
    all_of, put_back = redis_of_then
    before = all_of()
    request.answer({"answer": 1})
    assert calling.result(PATIENCE) == {"answer": 1}
    put_back(before)
    assert states() == {(KEY, 0): "begun"}
    raw.rpush(keys.ready_under(raw.hget(keys.server, "epoch")), "lane")
    assert keyed(append, client) == {"answer": 1}
    assert states() == {(KEY, 0): "answered"}
    assert sent(gate) == ["post"]


def test_a_call_that_redis_names_twice(unknown, queue, command, monkeypatch):
    """While others come, a scan may find one again: it is one all the same."""
    found = [*queue.all()] * 2
    monkeypatch.setattr(Promises, "all", lambda _: iter(found))
    assert command()[1].count("unknown") == 1
    assert command(KEY, "--not-made")[0] == 0


def test_the_command_is_told_what_is_meant(command):
    """A key must be named, and what was made was not not made."""
    assert "name the key" in command("--made")[1]
    with pytest.raises(SystemExit):
        command(KEY, "--made", "--not-made")
    assert "no call has an unknown outcome in namespace" in command()[1]
    assert "no call is kept under an idempotency key" in command("--all")[1]
