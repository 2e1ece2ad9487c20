"""Locks whose holders and servers are killed, frozen and woken, and calls that wait under them."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest
from calls import read
from gate import cell_of
from limits import UNLIMITED
from processes import ServerProcess, start_python
from queue_fixtures import LEASE
from waiting import PATIENCE, eventually

import queued_gspread as gspread
from queued_gspread.broker import Producer, lock_number
from queued_gspread.broker.waiting.wait import Wait
from queued_gspread.errors import LockLostError, SignatureError
from queued_gspread.settings import Settings

# Takes a lock and says so; then makes one call for each line, and says what came of it.
HOLDER = """
import sys
import queued_gspread as gspread

key, hold = sys.stdin.readline().split()
ws = gspread.authorize().open_by_key(key).sheet1
with gspread.lock(ws, hold=float(hold)):
    print("locked", flush=True)
    for line in sys.stdin:
        try:
            ws.update_acell("A1", line.strip())
        except gspread.errors.LockLostError:
            print("lost", flush=True)
        else:
            print("made", flush=True)
print("left", flush=True)
"""

INCREMENTS = """
import sys
import queued_gspread as gspread

ws = gspread.authorize().open_by_key(sys.stdin.readline().strip()).sheet1
for _ in range(10):
    with gspread.lock(ws):
        ws.update_acell("A1", int(ws.acell("A1").value) + 1)
"""


@pytest.fixture
def queue(redis_url, namespace):
    """Return the queue as an operator sees it."""
    return Producer(Settings(redis_url=redis_url, namespace=namespace))


@pytest.fixture
def serving(redis_url, namespace, key_file, emulator, tmp_path):
    """Return a function that starts a server as a process, over the emulator."""
    started = []

    def start():
        log = tmp_path / f"server-{len(started)}.log"
        where = ["--redis-url", redis_url, "--namespace", namespace, "--lease", LEASE]
        account = ["--service-account", key_file, "--api-endpoint", emulator.url]
        limits = [f"--{name.replace('_', '-')}={limit}" for name, limit in UNLIMITED.items()]
        started.append(ServerProcess(log, *where, *account, *limits))
        return started[-1].until_log("working as")

    yield start
    for process in started:
        process.end()


@pytest.fixture
def ws(client):
    """Return a worksheet; its spreadsheet is made once a server runs."""
    return lambda: client.create("Locked").sheet1


class Holder:
    """A process that holds a lock."""

    def __init__(self, redis_url, namespace, key, hold):
        variables = {"REDIS_URL": redis_url, "NAMESPACE": namespace, "GRACE": str(PATIENCE)}
        self.process = start_python(HOLDER, **variables)
        self.say(f"{key} {hold}")
        assert self.told() == "locked"

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def told(self):
        return self.process.stdout.readline().strip()

    def call(self, value):
        self.say(value)
        return self.told()

    def end(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


@pytest.fixture
def hold(redis_url, namespace):
    """Return a function that starts a process which holds a spreadsheet's lock."""
    holders = []

    def start(ws, seconds):
        holders.append(Holder(redis_url, namespace, ws.spreadsheet_id, seconds))
        return holders[-1]

    yield start
    for holder in holders:
        holder.end()


def test_ten_processes_that_count_under_a_lock(serving, ws, redis_url, namespace):
    """Ten times ten increments, each a read and a write under a lock, are a hundred."""
    serving()
    sheet = ws()
    sheet.update_acell("A1", 0)
    variables = {"REDIS_URL": redis_url, "NAMESPACE": namespace, "GRACE": str(PATIENCE)}
    processes = [start_python(INCREMENTS, **variables) for _ in range(10)]
    for process in processes:
        process.stdin.write(sheet.spreadsheet_id + "\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
    assert sheet.acell("A1").value == "100"


def test_a_holder_that_is_killed(serving, ws, hold, background):
    """The lock of a process that is gone lapses, and others go on."""
    serving()
    sheet = ws()
    holder = hold(sheet, 0.5)
    assert holder.call("mine") == "made"
    waiting = background(sheet.update_acell, "A1", "theirs")
    holder.process.kill()
    waiting.result(PATIENCE)
    assert sheet.acell("A1").value == "theirs"


def test_a_holder_that_is_frozen_and_woken(serving, ws, hold, background, queue):
    """A call of a process that has slept through its lock is not sent, and leaving is no error."""
    serving()
    sheet = ws()
    holder = hold(sheet, 0.5)
    assert holder.call("mine") == "made"
    holder.process.send_signal(signal.SIGSTOP)
    background(sheet.update_acell, "A1", "theirs").result(PATIENCE)
    holder.process.send_signal(signal.SIGCONT)
    assert holder.call("late") == "lost"
    holder.process.stdin.close()
    assert holder.told() == "left"
    assert sheet.acell("A1").value == "theirs"


def test_a_holder_that_is_frozen_before_anybody_else_comes(serving, ws, hold, background, queue):
    """A lock that has lapsed is not given back to whom it had been, for want of others."""
    serving()
    sheet = ws()
    holder = hold(sheet, 0.5)
    holder.process.send_signal(signal.SIGSTOP)
    eventually(lambda: not queue.holders())
    holder.process.send_signal(signal.SIGCONT)
    assert holder.call("late") == "lost"
    assert sheet.acell("A1").value is None


def test_a_lock_outlives_its_server(serving, ws, hold, background, queue):
    """After servers are killed the holder goes on, and the others still wait for its end."""
    server = serving()
    sheet = ws()
    holder = hold(sheet, 30)
    assert holder.call("one") == "made"
    waiting = background(sheet.get_all_values)
    for value in ("two", "three", "four", "five"):
        server.kill()
        server = serving()
        assert holder.call(value) == "made"
    assert not waiting.done()
    assert len(queue.holders()) == 1
    holder.process.stdin.close()
    assert holder.told() == "left"
    assert waiting.result(PATIENCE) == [["five"]]


def test_a_lock_that_lapses_without_a_server(serving, ws, hold, background, queue, raw, keys):
    """A lock whose time passes while no server runs is ended by the next one."""
    server = serving()
    sheet = ws()
    holder = hold(sheet, 0.5)
    assert holder.call("mine") == "made"
    server.kill()
    waiting = background(sheet.acell, "A1")
    holder.process.kill()
    eventually(lambda: raw.xlen(keys.lane(sheet.spreadsheet_id)) == 2)
    serving()
    assert waiting.result(PATIENCE).value == "mine"


# Calls under a lock -----------------------------------------------------------------------------


@pytest.fixture
def locked(client):
    """Return a worksheet of the gated spreadsheet ``a``, and what writes to it."""
    http = client.http_client
    sheet = gspread.Worksheet(None, {"sheetId": 0, "title": "Sheet1"}, "a", http)
    return sheet, partial(http.request, "put", cell_of("a"))


def test_what_waits_when_a_lock_is_broken(serve, gate, locked, background, queue, raw, keys):
    """The running call is answered before others go on; those that wait are not sent."""
    serve()
    sheet, write = locked
    with gspread.pipeline() as pipeline, gspread.lock(sheet):
        first, second = (
            pipeline.submit(write.func, *write.args, json={"values": [[value]]}) for value in (1, 2)
        )
        running = gate.next()
        theirs = background(write)
        (holder,) = queue.holders()
        eventually(lambda: raw.xlen(keys.lane("a")) == 2)
        assert queue.break_lock(holder)
        assert [each.state for each in queue.holders()] == ["broken"]
        assert gate.is_idle
        running.answer({"answer": 1})
        with pytest.raises(LockLostError):
            second.result(PATIENCE)
    gate.next().answer({"answer": 3})
    assert theirs.result(PATIENCE).json() == {"answer": 3}
    assert first.result(PATIENCE)
    assert queue.holders() == []


def test_a_call_that_waits_keeps_the_lock(serve, gate, locked, queue, raw, keys):
    """A lock does not lapse while a call of its holder runs, for however long."""
    serve()
    sheet, write = locked
    with gspread.pipeline() as pipeline, gspread.lock(sheet, hold=0.1):
        made = pipeline.submit(write.func, *write.args)
        running = gate.next()
        (holder,) = queue.holders()

        def time_has_passed():
            now, parts = raw.time()
            return now + parts / 1e6 > holder.last + 10 * holder.hold

        eventually(time_has_passed)
        assert [each.number for each in queue.holders()] == [holder.number]
        running.answer({"answer": 1})
        assert made.result(PATIENCE)


def test_a_call_under_a_lock_that_redis_has_lost(serve, gate, locked, raw, keys, background):
    """Where Redis no longer knows a lock, the holder's calls are not sent, and others go on."""
    serve()
    sheet, write = locked
    with gspread.lock(sheet):
        theirs = background(write)
        eventually(lambda: raw.xlen(keys.lane("a")) == 2)
        raw.delete(keys.locks)
        with pytest.raises(LockLostError):
            write()
        # The next server finds it so; as does this one when it looks.
        raw.rpush(keys.ready_under(raw.hget(keys.server, "epoch")), "a")
        gate.next().answer({"answer": 2})
        assert theirs.result(PATIENCE)


def test_a_lock_whose_grant_redis_has_lost(serve, gate, locked, raw, keys, queue):
    """After a failover that has kept the job and not the grant, the holder gets the same lock."""
    serve()
    gate.open()
    sheet, write = locked
    with gspread.lock(sheet):
        (holder,) = queue.holders()
        raw.delete(keys.locks, keys.progress)
        raw.rpush(keys.ready_under(raw.hget(keys.server, "epoch")), "a")
        eventually(lambda: [each.number for each in queue.holders()] == [holder.number])
        write()
    assert queue.holders() == []


def test_a_lane_that_was_deleted_under_a_lock(serve, gate, locked, raw, keys, background, queue):
    """A new lock of a lane is given once the calls of the one before have ended."""
    serve()
    sheet, write = locked
    with gspread.pipeline() as pipeline, gspread.lock(sheet):
        first = pipeline.submit(write.func, *write.args)
        running = gate.next()
        raw.delete(keys.lane("a"))
        raw.srem(keys.active, "a")

        def again():
            with gspread.lock(sheet):
                return write()

        theirs = background(again)
        eventually(lambda: [each.state for each in queue.holders()] == ["broken"])
        assert gate.is_idle
        running.answer({"answer": 1})
        assert first.result(PATIENCE)
        gate.next().answer({"answer": 2})
        assert theirs.result(PATIENCE)


def test_a_lock_is_not_given_to_who_has_no_time_left(
    serve, gate, authorize, client, background, callers, raw, keys
):
    """Who was killed while it waited gets no lock once its timeout has passed: others go on."""
    serve()
    first = background(read, client, "a")
    running = gate.next()
    gone = authorize(timeout=0.2).http_client._self_caller
    callers.enqueue(Wait(lock_number(), "a", None), gone.lock_job(3600.0))
    last = background(read, client, "a")
    eventually(lambda: raw.xlen(keys.lane("a")) == 3)
    began = raw.time()[0]
    eventually(lambda: raw.time()[0] > began + 1)
    running.answer()
    first.result(PATIENCE)
    gate.next().answer()
    last.result(PATIENCE)


def test_an_operator_sees_who_holds_a_lock(serve, locked, queue, raw):
    """The holder's process, the spreadsheet, and since when, by Redis's clock, can be read."""
    serve()
    sheet, _ = locked
    with gspread.lock(sheet, hold=12):
        (holder,) = queue.holders()
        assert (holder.lane, holder.hold, holder.state) == ("a", 12.0, "held")
        assert holder.who.endswith(f"process {os.getpid()}")
        assert 0 <= raw.time()[0] + 1 - holder.since < PATIENCE
    assert queue.holders() == []


# Signed -----------------------------------------------------------------------------------------


def sheet_of(client):
    """Return a worksheet of the gated spreadsheet ``a``."""
    return gspread.Worksheet(None, {"sheetId": 0, "title": "Sheet1"}, "a", client.http_client)


def test_a_lock_is_signed_like_any_call(serve, gate, authorize, signing_key):
    """With a key a lock is given to who signs for it, and to nobody else."""
    serve(signing_key_file=signing_key)
    gate.open()
    client = authorize(signing_key_file=signing_key)
    with pytest.raises(SignatureError), gspread.lock(sheet_of(authorize())):
        pass
    with gspread.lock(sheet_of(client)):
        assert read(client, "a") == {}
    assert read(client, "a") == {}


def test_a_copy_of_a_signed_lock_takes_none(serve, gate, authorize, signing_key, raw, keys, queue):
    """What somebody puts back into the lane after the lock has ended is dropped."""
    serve(signing_key_file=signing_key)
    gate.open()
    client = authorize(signing_key_file=signing_key)
    with gspread.lock(sheet_of(client)):
        ((_, job),) = raw.xrange(keys.lane("a"))
    raw.xadd(keys.lane("a"), job)
    raw.sadd(keys.active, "a")
    raw.rpush(keys.ready_under(raw.hget(keys.server, "epoch")), "a")
    assert read(client, "a") == {}
    assert queue.holders() == []


def test_a_call_for_another_locks_lane_is_refused(serve, gate, authorize, signing_key, raw, keys):
    """A signed call that was moved into the lane of a lock's holder is not made there."""
    serve(signing_key_file=signing_key)
    client = authorize(signing_key_file=signing_key)
    with gspread.lock(sheet_of(client)):
        ((_, job),) = raw.xrange(keys.lane("a"))
        place = f"a!{job['id']}"
        raw.xadd(keys.lane(place), {"id": "f" * 32, "body": job["body"]})
        raw.sadd(keys.active, place)
        raw.rpush(keys.ready_under(raw.hget(keys.server, "epoch")), place)
        eventually(lambda: not raw.exists(keys.lane(place)))
    assert gate.is_idle
