"""Idempotency keys: writes that are made once."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import threading
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

import pytest
from waiting import PATIENCE

import queued_gspread as gspread
from queued_gspread.broker import Promises
from queued_gspread.errors import IdempotencyKeyError, IdempotencyKeyReusedError
from queued_gspread.protocol.kinds import HTTP_CLIENT, SPREADSHEET, WORKSHEET
from queued_gspread.protocol.messages import Job, Once
from queued_gspread.proxy import keying
from queued_gspread.settings import Settings

KEY = "order-1"


@pytest.fixture
def kept(redis_url, namespace):
    """Return a function that returns the keys and numbers under which calls are kept."""
    queue = Promises(Settings(redis_url=redis_url, namespace=namespace))
    return lambda: sorted((call.key, call.number) for call in queue.all())


@pytest.fixture
def requests_of(emulator):
    """Return a function that tells what was sent since it was called before, by method."""

    def told():
        sent = [served.method for served in emulator.ledger]
        emulator.clear_ledger()
        return sent

    return told


def rows(ws):
    return ws.get_all_values()


# What is made once ------------------------------------------------------------------------------


def test_a_block_that_runs_again_writes_once(ws, requests_of):
    """The second run gets the first one's answer, and no request is sent for it."""
    answers = []
    for _ in range(2):
        requests_of()
        with gspread.idempotency_key(KEY):
            answers.append(ws.append_row(["order", 1]))
    assert answers[0] == answers[1]
    assert requests_of() == []
    assert rows(ws) == [["order", "1"]]


def test_another_object_of_another_client_is_the_same_call(ws, redis_url, namespace):
    """Who makes a call, with which object of a sheet, does not matter; its columns neither."""
    for number in range(3):
        client = gspread.authorize(redis_url=redis_url, namespace=namespace, timeout=20 + number)
        sheet = client.open_by_key(ws.spreadsheet_id).sheet1
        with gspread.idempotency_key(KEY):
            sheet.append_row(["order"])
        ws.add_cols(1)
    assert [row[0] for row in rows(ws)] == ["order"]


def test_writes_of_a_block_are_numbered(ws, kept):
    """The same call twice in a block is two writes, both made once; reads are made again."""
    seen = []
    for _ in range(2):
        with gspread.idempotency_key(KEY):
            ws.append_row(["order"])
            seen.append(len(rows(ws)))
            ws.append_row(["order"])
    assert seen == [1, 2]
    assert rows(ws) == [["order"], ["order"]]
    assert kept() == [(KEY, 0), (KEY, 1)]


def test_a_run_that_failed_half_way_goes_on(ws):
    """What an earlier run has made stays, and the rest is made."""
    with gspread.idempotency_key(KEY):
        ws.append_row(["first"])
    with gspread.idempotency_key(KEY):
        ws.append_row(["first"])
        ws.append_row(["second"])
    assert rows(ws) == [["first"], ["second"]]


def test_another_call_under_the_same_key(ws):
    """It is refused, and not made."""
    with gspread.idempotency_key(KEY):
        ws.append_row(["order"])
    with gspread.idempotency_key(KEY), pytest.raises(IdempotencyKeyReusedError, match=KEY):
        ws.append_row(["another"])
    assert rows(ws) == [["order"]]


def test_outside_a_block_nothing_is_kept(ws, kept):
    """Calls before, after and without a block are as ever, and leave nothing."""
    ws.append_row(["before"])
    with gspread.idempotency_key(KEY):
        ws.acell("A1")
    ws.append_row(["after"])
    assert kept() == []


def test_a_block_in_a_block(ws):
    """The inner key is that of the inner block; the outer one goes on where it was."""
    for _ in range(2):
        with gspread.idempotency_key("outer"):
            ws.append_row(["1"])
            with gspread.idempotency_key("inner"):
                ws.append_row(["2"])
            ws.append_row(["3"])
    assert rows(ws) == [["1"], ["2"], ["3"]]


def test_one_object_in_many_threads(ws):
    """A block's object may be used by any number of threads, and counts in each from 0."""
    key = gspread.idempotency_key(KEY)

    def work():
        with key:
            ws.append_row(["order"])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(ws) == [["order"]]


def test_a_thread_that_is_started_in_a_block_is_outside_of_it(ws, kept):
    """Its writes are made as ever."""
    with gspread.idempotency_key(KEY):
        thread = threading.Thread(target=ws.append_row, args=(["order"],))
        thread.start()
        thread.join()
    assert rows(ws) == [["order"]]
    assert kept() == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_may_not_write_under_its_parents_key(ws):
    """Both would number alike, so the child's write is refused."""
    with gspread.idempotency_key(KEY):
        child = os.fork()
        if not child:
            status = 1
            try:
                ws.append_row(["the child's"])
            except IdempotencyKeyError as error:
                status = 0 if "forked child" in str(error) else 2
            os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        ws.append_row(["the parent's"])
    assert rows(ws) == [["the parent's"]]


@pytest.mark.parametrize("key", [1, None, b"order", "", "x" * 201, "\ud800"])
def test_what_is_no_key(key):
    """A key is a text of 1 to 200 characters that can be written."""
    with pytest.raises((TypeError, ValueError), match=r"idempotency_key\("):
        gspread.idempotency_key(key)


@pytest.mark.parametrize("keep", [0, -1, True, float("nan"), 32 * 86_400])
def test_for_how_long_nothing_is_kept(keep):
    """Seconds are given, of which there are some, and at most a month's."""
    with pytest.raises(ValueError, match=r"keep=.*31 days"):
        gspread.idempotency_key(KEY, keep=keep)


@pytest.mark.parametrize("keep", [60, Decimal(60), Fraction(60, 7)])
def test_any_number_of_seconds(ws, keep):
    """It is sent as a number, whatever its class."""
    for _ in range(2):
        with gspread.idempotency_key(KEY, keep=keep):
            ws.append_row(["order"])
    assert rows(ws) == [["order"]]


@pytest.mark.parametrize("key", ["é 漢字", "a\nb", "a\0b", 'a"b\\', "0 0", "a" * 200, "\U0001f600"])
def test_any_text_is_a_key(ws, kept, key):
    """Whatever its characters, it is kept as it was given."""
    for _ in range(2):
        with gspread.idempotency_key(key):
            ws.append_row(["order"])
    assert rows(ws) == [["order"]]
    assert kept() == [(key, 0)]


# Where blocks end otherwise ---------------------------------------------------------------------


def _taken():
    """Return the key and the number that a write would have here and now; None without a key."""
    once = keying.once_now(WORKSHEET, "append_row", (), {})
    return None if once is None else (once.key, once.number)


def _generator(key):
    with gspread.idempotency_key(key):
        yield _taken()
        yield _taken()


def test_blocks_of_generators_that_end_in_another_order():
    """The end of a generator ends its own block, and no other one that was begun since."""
    first, second = _generator("first"), _generator("second")
    assert [next(first), next(second)] == [("first", 0), ("second", 0)]
    first.close()
    assert _taken() == ("second", 1)
    second.close()
    assert _taken() is None


def test_an_asynchronous_generator_that_ends_in_another_task():
    """It ends no block of the task that closes it."""

    async def generator():
        async with gspread.idempotency_key("generator"):
            yield _taken()

    async def main():
        begun = generator()
        await asyncio.create_task(begun.__anext__())
        async with gspread.idempotency_key("mine"):
            await begun.aclose()
            return _taken()

    assert asyncio.run(main()) == ("mine", 0)


@pytest.mark.parametrize("moment", ["get", "set"])
@pytest.mark.parametrize("time", [1, 2, 3, 4])
def test_a_block_whose_beginning_or_end_is_interrupted(monkeypatch, moment, time):
    """An exception of a signal handler, around any step of it, leaves no key behind."""
    real, steps = keying._current, itertools.count(1)

    class Interrupted:
        def get(self):
            return self._step("get", real.get())

        def set(self, block):
            return self._step("set", real.set(block))

        def _step(self, step, done):
            if step == moment and next(steps) == time:
                raise KeyboardInterrupt
            return done

    monkeypatch.setattr(keying.IdempotencyKey, "_current", Interrupted())
    with suppress(KeyboardInterrupt), gspread.idempotency_key(KEY):
        pass
    assert real.get() is None


def test_a_task_that_outlives_its_block():
    """Its writes are refused: made without the key, they would be made again."""

    async def main():
        async with gspread.idempotency_key(KEY):
            task = asyncio.create_task(asyncio.sleep(0, lambda: None))
            late = asyncio.create_task(_later(task))
        with pytest.raises(IdempotencyKeyError, match=f"the block under .*{KEY}.* has ended"):
            await late

    async def _later(task):
        await task
        return _taken()

    asyncio.run(main())


def test_tasks_that_start_each_other_keep_no_chain_of_blocks():
    """Of the blocks that have ended before, a block keeps at most one."""

    async def work(left):
        async with gspread.idempotency_key(KEY):
            block, depth = keying._current.get(), 0
            while block is not None:
                block, depth = block.outer, depth + 1
            following = asyncio.create_task(work(left - 1)) if left else None
        return depth if following is None else await following

    assert asyncio.run(work(20)) <= 2


# Where writes come from -------------------------------------------------------------------------


def test_what_counts_as_a_write():
    """What is not known to read is numbered; of single requests, their method says it."""
    url = "https://sheets.googleapis.com/v4/spreadsheets/1/values/A1"
    by_filter = "https://sheets.googleapis.com/v4/spreadsheets/1/values:batchGetByDataFilter"
    told = [
        (keying._writes(kind, method, args, kwargs), method)
        for kind, method, args, kwargs in (
            (WORKSHEET, "append_row", (), {}),
            (WORKSHEET, "upsert_rows", (), {}),
            (WORKSHEET, "a_new_one", (), {}),
            (SPREADSHEET, "worksheet", (), {}),
            (HTTP_CLIENT, "request", ("get", url), {}),
            (HTTP_CLIENT, "request", (), {"method": "PUT", "endpoint": url}),
            (HTTP_CLIENT, "request", ("post", by_filter), {}),
        )
    ]
    assert [writes for writes, _ in told] == [True, True, True, False, False, True, False]


def test_requests_of_a_method_that_runs_here(ws, kept, monkeypatch):
    """Where gspread's method runs in the caller, its writes are numbered, and its reads are not."""
    monkeypatch.setattr("gspread.worksheet.rowcol_to_a1", lambda row, col: f"B{row}")
    for _ in range(2):
        with gspread.idempotency_key(KEY):
            assert ws.find(re.compile("no such")) is None
            ws.update_cell(1, 1, "here")
            ws.append_row(["order"])
    assert sum("order" in row for row in rows(ws)) == 1
    assert rows(ws)[0][1] == "here"
    assert kept() == [(KEY, 0), (KEY, 1)]


def test_in_a_pipeline(ws, kept):
    """Calls of a pipeline are numbered in the order of the code; results are the first ones."""
    answers = []
    for _ in range(2):
        with gspread.idempotency_key(KEY), gspread.pipeline():
            answers += [ws.append_row([number]) for number in range(5)]
    assert [each["updates"]["updatedRange"] for each in answers] == [
        f"Sheet1!A{number}" for number in (1, 2, 3, 4, 5)
    ] * 2
    assert rows(ws) == [[str(number)] for number in range(5)]
    assert len(kept()) == 5


def test_a_key_for_each_call_of_a_pipeline(ws):
    """Blocks in a pipeline, with a key that comes twice, leave a row for each key."""
    with gspread.pipeline():
        for number in (1, 2, 1, 3, 2, 2):
            with gspread.idempotency_key(f"order-{number}"):
                ws.append_row([number])
    assert rows(ws) == [["1"], ["2"], ["3"]]


def test_in_a_pipeline_that_waits_for_nothing(ws):
    """Calls that nobody waits for are made once too."""
    for _ in range(2):
        with gspread.pipeline(wait=False), gspread.idempotency_key(KEY):
            ws.append_row(["order"])
    ws.append_row(["last"])
    assert rows(ws) == [["order"], ["last"]]


def test_under_a_lock(ws):
    """The holder's write and anyone else's under the same key are one, whoever is first."""
    with gspread.lock(ws), gspread.idempotency_key(KEY):
        ws.append_row(["order"])
    with gspread.idempotency_key(KEY):
        ws.append_row(["order"])
    with gspread.lock(ws), gspread.idempotency_key(KEY):
        ws.append_row(["order"])
    assert rows(ws) == [["order"]]


def test_a_holder_does_not_wait_for_who_waits_for_its_lock(ws, background, redis_url, namespace):
    """Another one's write under the same key waits behind the lock: the holder's is made."""
    client = gspread.authorize(redis_url=redis_url, namespace=namespace)
    other = client.open_by_key(ws.spreadsheet_id).sheet1

    def keyed(sheet):
        with gspread.idempotency_key(KEY):
            return sheet.append_row(["order"])

    with gspread.lock(ws):
        theirs = background(keyed, other)
        mine = keyed(ws)
    assert theirs.result(PATIENCE) == mine
    assert rows(ws) == [["order"]]


def test_an_upsert(ws, requests_of):
    """An upsert is made once under a key, though another one has changed its row since."""
    ws.update([["id", "total"]])
    done = []
    for total in (1, 2):
        with gspread.idempotency_key(KEY):
            done.append(gspread.upsert_rows(ws, [{"id": "a", "total": 1}], key="id"))
        gspread.upsert_rows(ws, [{"id": "a", "total": 1 + total}], key="id")
    assert rows(ws) == [["id", "total"], ["a", "3"]]
    assert [each.appended for each in done] == [[2], [2]]


def test_a_worksheet_that_is_added_once(sh):
    """A result that is an object is the same object of gspread's again."""
    made = []
    for _ in range(2):
        with gspread.idempotency_key(KEY):
            made.append(sh.add_worksheet("Orders", 10, 5))
    assert made[0].id == made[1].id
    assert isinstance(made[1], gspread.Worksheet)
    made[1].append_row(["order"])
    assert len(sh.worksheets()) == 2


def test_counts_of_an_answer_that_is_given_again(ws):
    """What an answer adds to a worksheet's own counts is not added a second time."""
    with gspread.idempotency_key(KEY):
        ws.insert_row(["order"])
    count = ws.row_count
    with gspread.idempotency_key(KEY):
        ws.insert_row(["order"])
    assert ws.row_count == count


def test_only_a_keyed_call_is_in_the_new_form():
    """A server that knows no keys refuses such a job, and goes on with all others."""
    plain, keyed = Job("worksheet", "clear"), Job("worksheet", "clear", once=Once("a", 0, 60.0))
    assert b'"v":1' in plain.encode()
    assert b'"v":2' in keyed.encode()
    assert Job.decode(keyed.encode(), None).once == keyed.once
