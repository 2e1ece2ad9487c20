"""How old the answers to reads may be: what a client, or a block, has its jobs say."""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
import os
import pickle
import re
import sys
import threading
from contextlib import suppress
from contextvars import copy_context

import pytest

import queued_gspread as gspread
from queued_gspread.errors import CodecError, ConfigurationError, SignatureError
from queued_gspread.protocol.messages import Job, NoObjects
from queued_gspread.protocol.signing import load_keys, sign, verify
from queued_gspread.proxy import max_age
from queued_gspread.settings import Settings

CLIENTS = Settings(max_age=2.0)


@pytest.fixture
def told(monkeypatch):
    """Return a function that tells what the jobs since it was called before say, by method."""
    jobs = []
    encode = Job.encode

    def encoded(job):
        body = encode(job)
        jobs.append((job.method, json.loads(body).get("max_age")))
        return body

    monkeypatch.setattr(Job, "encode", encoded)

    def taken():
        found = jobs[:]
        jobs.clear()
        return found

    return taken


@pytest.fixture
def aged(ws, redis_url, namespace):
    """Return the worksheet, of a client whose reads may be two seconds old."""
    client = gspread.authorize(redis_url=redis_url, namespace=namespace, max_age=2)
    return client.open_by_key(ws.spreadsheet_id).sheet1


def here():
    """Return what holds for a call that is made here and now."""
    return max_age.max_age_now(CLIENTS)


# Settings ----------------------------------------------------------------------------------------


def test_the_argument_comes_before_the_environment(monkeypatch):
    """An argument wins over the variable, 0 too, and that over the default, which is 0."""
    assert Settings.resolve().max_age == 0.0
    monkeypatch.setenv("QUEUED_GSPREAD_MAX_AGE", "2.5")
    assert Settings.resolve().max_age == 2.5
    assert Settings.resolve(max_age=5).max_age == 5.0
    assert Settings.resolve(max_age=0).max_age == 0.0
    monkeypatch.setenv("QUEUED_GSPREAD_MAX_AGE", "0")
    assert Settings.resolve().max_age == 0.0


WRONG = ["soon", -1, True, float("inf"), float("nan"), 10**10, 10**400]


@pytest.mark.parametrize("seconds", WRONG)
def test_what_is_no_number_of_seconds_is_named(monkeypatch, seconds):
    """An argument, a variable and a block that are no seconds are named, and what to give."""
    remedy = "cannot be used: take a number of seconds, 0 or more"
    with pytest.raises(ConfigurationError, match=re.escape(f"max_age={seconds!r} {remedy}")):
        gspread.authorize(max_age=seconds)
    with pytest.raises(ConfigurationError, match=re.escape(f"max_age({seconds!r:.40}) {remedy}")):
        gspread.max_age(seconds)
    monkeypatch.setenv("QUEUED_GSPREAD_MAX_AGE", str(seconds))
    with pytest.raises(ConfigurationError, match=f"QUEUED_GSPREAD_MAX_AGE='{seconds}' {remedy}"):
        gspread.authorize()


def test_a_copy_of_a_client_keeps_it(gc, redis_url, namespace):
    """A client that was copied, or has gone to another process, reads as its original did."""
    client = gspread.authorize(redis_url=redis_url, namespace=namespace, max_age=2)
    for one in (copy.copy(client), copy.deepcopy(client), pickle.loads(pickle.dumps(client))):
        assert one.http_client._self_caller.settings.max_age == 2.0


# What jobs say -----------------------------------------------------------------------------------


def test_without_it_jobs_are_as_they_always_were(ws, told):
    """Nothing is said where neither client nor block says anything, nor where it is 0."""
    told()
    ws.acell("A1")
    with gspread.max_age(0):
        ws.acell("A1")
    assert told() == [("acell", None)] * 2


def test_the_innermost_block_wins_over_the_client(aged, told):
    """The client's own holds outside of blocks; in them it is that of the innermost one."""
    told()
    aged.acell("A1")
    with gspread.max_age(5):
        aged.acell("A1")
        with gspread.max_age(0):
            aged.acell("A1")
        aged.acell("A1")
    aged.acell("A1")
    assert [seconds for _, seconds in told()] == [2.0, 5.0, None, 5.0, 2.0]


def test_a_block_that_fails_has_ended(ws, told):
    """After an exception that leaves the block nothing of it is left."""
    with suppress(ValueError), gspread.max_age(5):
        raise ValueError
    told()
    ws.acell("A1")
    assert told() == [("acell", None)]


def test_one_object_begins_any_number_of_blocks(told):
    """It may be kept, and used again inside of itself."""
    kept = gspread.max_age(5)
    for _ in range(2):
        with kept, gspread.max_age(1), kept:
            assert here() == 5.0
        assert here() == 2.0


def test_a_method_that_runs_here_has_it_for_its_requests(aged, told):
    """Where gspread's own method runs in the caller, each of its requests says it."""
    told()
    with gspread.max_age(5):
        aged.findall(re.compile("x"))
    aged.findall(re.compile("x"))
    found = [each for each in told() if each[0] != "findall"]
    assert found == [("values_get", 5.0), ("values_get", 2.0)]


def test_a_request_of_ones_own_has_it(aged, told):
    """So does a request that a program sends by gspread's HTTP client."""
    told()
    url = f"https://sheets.googleapis.com/v4/spreadsheets/{aged.spreadsheet_id}"
    with gspread.max_age(5):
        aged.client.request("get", url)
    assert told() == [("request", 5.0)]


# Pipelines ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("reorder", [False, True])
def test_a_call_of_a_pipeline_has_what_holds_where_it_is_made(aged, told, reorder):
    """It is the block's around the call, not that around the pipeline's end or the result's use."""
    told()
    with gspread.pipeline(reorder=reorder):
        with gspread.max_age(5):
            first = aged.acell("A1")
        second = aged.acell("A2")
        with gspread.max_age(0):
            third = aged.acell("A3")
            assert (first.value, second.value, third.value) == (None, None, None)
    assert [seconds for _, seconds in told()] == [5.0, 2.0, None]


def test_a_submitted_call_has_what_holds_where_it_is_submitted(aged, told):
    """A call whose future is waited for after the block is of the block."""
    told()
    with gspread.pipeline() as calls:
        with gspread.max_age(5):
            future = calls.submit(aged.get_values)
        assert future.result() == [[]]
    assert told() == [("get_values", 5.0)]


# Threads, tasks, generators ----------------------------------------------------------------------


def test_a_thread_has_blocks_of_its_own():
    """A block is that of its thread; another one has its own, unless the context is handed on."""
    seen = []

    def look():
        seen.append(here())
        with gspread.max_age(1):
            seen.append(here())

    with gspread.max_age(5):
        for target in (look, copy_context().run):
            context = () if target is look else (look,)
            thread = threading.Thread(target=target, args=context)
            thread.start()
            thread.join()
        assert here() == 5.0
    inherited = 5.0 if getattr(sys.flags, "thread_inherit_context", 0) else 2.0
    assert seen == [inherited, 1.0, 5.0, 1.0]


def test_a_task_keeps_what_it_was_started_in():
    """A task that outlives the block is still in it: what was fresh must not become old."""

    async def main():
        go_on = asyncio.Event()

        async def later():
            await go_on.wait()
            return here()

        async with gspread.max_age(0):
            task = asyncio.create_task(later())
        go_on.set()
        return await task, here()

    assert asyncio.run(main()) == (0.0, 2.0)


def _generator(seconds):
    with gspread.max_age(seconds):
        yield here()
        yield here()


def test_blocks_of_generators_that_end_in_another_order():
    """The end of a generator ends its own block, and no block comes back that has ended."""
    first, second = _generator(5), _generator(7)
    assert [next(first), next(second)] == [5.0, 7.0]
    first.close()
    assert here() == 7.0
    second.close()
    assert here() == 2.0


def test_an_asynchronous_generator_that_ends_in_another_task():
    """It ends no block of the task that closes it, and leaves none behind where it has begun."""

    async def generator():
        with gspread.max_age(5):
            yield here()

    async def main():
        begun = generator()
        await anext(begun)
        await asyncio.create_task(_closed(begun))
        return here()

    async def _closed(begun):
        with gspread.max_age(1):
            await begun.aclose()
            assert here() == 1.0

    assert asyncio.run(main()) == 2.0


@pytest.mark.parametrize("moment", ["get", "set"])
@pytest.mark.parametrize("time", [1, 2, 3, 4])
def test_a_block_whose_beginning_or_end_is_interrupted(monkeypatch, moment, time):
    """An exception of a signal handler, around any step of it, leaves nothing behind."""
    real, steps = max_age._current, itertools.count(1)

    class Interrupted:
        def get(self):
            return self._step("get", real.get())

        def set(self, block):
            return self._step("set", real.set(block))

        def _step(self, step, done):
            if step == moment and next(steps) == time:
                raise KeyboardInterrupt
            return done

    monkeypatch.setattr(gspread.MaxAge, "_current", Interrupted())
    with suppress(KeyboardInterrupt), gspread.max_age(5):
        pass
    assert real.get() is None


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_forked_child_is_in_the_block_until_its_end():
    """A child that is forked in a block is in it, and no longer after the block's end there."""
    block = gspread.max_age(5)
    child = 0
    seen = []
    with block:
        child = os.fork()
        seen.append(here())
    seen.append(here())
    if child == 0:
        os._exit(0 if seen == [5.0, 2.0] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert seen == [5.0, 2.0]


# What a caller sees -------------------------------------------------------------------------------


@pytest.fixture
def others(emulator, aged):
    """Return the worksheet as somebody sees it who writes past the queue."""
    return emulator.gspread_client().open_by_key(aged.spreadsheet_id).sheet1


@pytest.fixture
def reads(emulator):
    """Return a function that tells how many reads were sent since it was called before."""

    def sent():
        count = sum(served.method == "GET" for served in emulator.ledger)
        emulator.clear_ledger()
        return count

    return sent


AGE = 3600
"""In seconds; longer than any test takes."""


def test_what_others_write_is_seen_so_late(ws, others, reads):
    """In a block a read is answered as before; with 0, or after the block, Google is asked."""
    with gspread.max_age(AGE):
        assert ws.get_values() == [[]]
        others.update_acell("A1", "theirs")
        reads()
        assert ws.get_values() == [[]]
        assert reads() == 0
        with gspread.max_age(0):
            assert ws.get_values() == [["theirs"]]
    assert ws.get_values() == [["theirs"]]
    assert reads() == 2


def test_an_answer_is_the_callers_own(ws):
    """Whoever changes an answer in place changes nobody else's."""
    ws.update([["a"]])
    with gspread.max_age(AGE):
        for _ in range(2):
            values = ws.get_values()
            assert values == [["a"]]
            values[0][0] = "changed"


def test_a_caller_sees_what_it_has_written(ws, reads):
    """A read after each write has the write's value, and the next one is answered from memory."""
    with gspread.max_age(AGE):
        for number in range(5):
            ws.update_acell("A1", number)
            reads()
            assert [ws.acell("A1").value for _ in range(3)] == [str(number)] * 3
            assert reads() == 1


def test_a_caller_sees_what_another_one_has_written(ws, redis_url, namespace):
    """What went through the queue is seen by all, whichever client wrote it and which reads."""
    client = gspread.authorize(redis_url=redis_url, namespace=namespace, max_age=AGE)
    other = client.open_by_key(ws.spreadsheet_id).sheet1
    for number in range(5):
        ws.append_row([number])
        assert other.get_values() == [[str(each)] for each in range(number + 1)]


def test_a_read_of_a_pipeline_sees_the_writes_before_it(ws):
    """With all calls put in at once, each read has what was written before it, and no more."""
    with gspread.max_age(AGE), gspread.pipeline():
        cells = []
        for number in range(20):
            ws.update_acell("A1", number)
            cells += [ws.acell("A1"), ws.acell("A1")]
    assert [cell.value for cell in cells] == [str(each // 2) for each in range(40)]


def test_a_read_after_a_block_without_waiting_sees_its_writes(ws):
    """Writes that nobody waited for are seen all the same."""
    with gspread.max_age(AGE):
        assert ws.acell("A1").value is None
        with gspread.pipeline(wait=False):
            ws.update_acell("A1", "left")
        assert ws.acell("A1").value == "left"


def test_who_has_a_lock_reads_afresh(ws, others):
    """The holder sees what others write, whatever age the reads before it were content with."""
    with gspread.max_age(AGE):
        assert ws.acell("A1").value is None
        others.update_acell("A1", "theirs")
        with gspread.lock(ws):
            assert ws.acell("A1").value == "theirs"


def test_whoever_has_a_lock_has_no_call_with_an_age(aged, told, redis_url, namespace):
    """Nor where the server cannot tell that it is the holder's, as when a title is opened."""
    client = gspread.authorize(redis_url=redis_url, namespace=namespace)
    with gspread.max_age(AGE), gspread.lock(aged):
        told()
        aged.acell("A1")
        aged.client.values_get(aged.spreadsheet_id, "A1")
        client.open(aged.spreadsheet.title)
    aged.acell("A1")
    assert [seconds for _, seconds in told()] == [None, None, None, 2.0]


def test_an_upsert_reads_afresh(ws, others):
    """It finds the rows where they are now, though a read has found them elsewhere before."""
    ws.update([["id", "total"], ["a", 1]])
    with gspread.max_age(AGE):
        ws.get_values()
        gspread.upsert_rows(ws, [["a", 2]], key="id", existing="keep")
        others.insert_row(["b", 5], 2)
        gspread.upsert_rows(ws, [["a", 3]], key="id")
    assert others.get_values() == [["id", "total"], ["b", "5"], ["a", "3"]]


# What travels ------------------------------------------------------------------------------------


def test_a_server_reads_what_a_job_says():
    """The seconds arrive as they were given; a job that says nothing means 0."""
    for seconds in (0.0, 0.001, 5, 2.5):
        body = Job("client", "open", max_age=seconds).encode()
        assert Job.decode(body, NoObjects()).max_age == seconds
    assert b"max_age" not in Job("client", "open").encode()


@pytest.mark.parametrize(
    "wrong", ["-1", "-0.001", "true", '"5"', "null", "[]", "{}", "1e999", "1e12", str(10**400)]
)
def test_a_job_that_says_what_is_no_age_is_refused(wrong):
    """A value that is no number of seconds makes the job one that cannot be read."""
    body = Job("client", "open", max_age=5.0).encode()
    with pytest.raises(CodecError, match=r"max_age|not JSON"):
        Job.decode(body.replace(b'"max_age":5.0', b'"max_age":' + wrong.encode()), NoObjects())


def test_a_signed_age_cannot_be_changed(signing_key):
    """With signing, it is under the signature as all of the job is."""
    keyring = load_keys(signing_key, copied=True)
    message = sign(keyring, "job", ("x",), Job("client", "open", max_age=5.0).encode())
    with pytest.raises(SignatureError, match="altered"):
        verify(keyring, "job", ("x",), message.replace(b'"max_age":5.0', b'"max_age":9.0'))
