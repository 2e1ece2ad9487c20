"""Locks that tasks hold."""

from __future__ import annotations

import asyncio
import re

import pytest
from async_waiting import until

import queued_gspread as blocking
import queued_gspread.asyncio as gspread
from queued_gspread.broker import Producer
from queued_gspread.broker.waiting import notices
from queued_gspread.errors import LockError, LockLostError
from queued_gspread.proxy import locking
from queued_gspread.settings import Settings


@pytest.fixture
def queue(redis_url, namespace):
    """Return the queue as an operator sees it."""
    return Producer(Settings(redis_url=redis_url, namespace=namespace))


@pytest.fixture
def run(server, connect, raw, keys):
    """Return what runs a coroutine function with a worksheet, and how many wait in its lane."""

    def start(main):
        async def begin():
            book = await connect().create("Locked")
            ws = await book.get_worksheet(0)
            await main(ws, lambda: raw.xlen(keys.lane(book.id)))

        asyncio.run(begin())

    return start


def test_tasks_that_count_under_a_lock(run):
    """Tasks that read, add one and write under a lock leave the sum."""

    async def main(ws, _):
        await ws.update_acell("A1", 0)

        async def count():
            for _ in range(3):
                async with gspread.lock(ws):
                    await ws.update_acell("A1", int((await ws.acell("A1")).value) + 1)

        await asyncio.gather(*(count() for _ in range(5)))
        assert (await ws.acell("A1")).value == "15"

    run(main)


def test_a_task_that_is_started_in_a_block_is_told_not_to_wait_for_it(run):
    """Its calls are refused at once, as the holder may wait for it: else both would wait."""

    async def main(ws, _):
        async def theirs():
            await ws.update_acell("A1", "theirs")

        async with gspread.lock(ws):
            with pytest.raises(LockError, match="has started this one"):
                await asyncio.gather(theirs())
            with pytest.raises(LockError, match="has started this one"):
                await asyncio.create_task(ws.acell("A1"))
            with pytest.raises(LockError, match="has started this one"):
                await asyncio.create_task(ws.find(re.compile("x")))  # runs in a thread
            with pytest.raises(LockError, match="has started this one"):
                await asyncio.create_task(gspread.lock(ws).__aenter__())
            assert (await ws.acell("A1")).value is None
        await theirs()

    run(main)


def test_a_task_that_is_started_in_a_block_has_a_lock_of_its_own(run, connect):
    """It may lock another spreadsheet; in that block too it is told not to wait for its starter."""

    async def main(ws, _):
        other = await (await connect().create("Other")).get_worksheet(0)

        async def theirs():
            async with gspread.lock(other):
                await other.update_acell("A1", "theirs")
                with pytest.raises(LockError, match="has started this one"):
                    await ws.acell("A1")

        async with gspread.lock(ws):
            await asyncio.gather(theirs())
        assert (await other.acell("A1")).value == "theirs"

    run(main)


def test_a_task_that_outlives_the_block_it_was_started_in(run):
    """Once the block has ended, its calls are like any other's."""

    async def main(ws, _):
        is_over = asyncio.Event()

        async def theirs():
            await is_over.wait()
            async with gspread.lock(ws):
                await ws.update_acell("A1", "theirs")

        async with gspread.lock(ws):
            task = asyncio.create_task(theirs())
        is_over.set()
        await task
        assert (await ws.acell("A1")).value == "theirs"

    run(main)


def test_tasks_that_start_each_other_in_blocks_keep_nothing_of_each_other(run):
    """A worker that starts the next one in its block, and so on, has no chain of ended blocks."""

    async def main(ws, _):
        async def worker(left, is_next):
            await is_next.wait()
            is_over, following, length = asyncio.Event(), None, 0
            async with gspread.lock(ws):
                if left:
                    following = asyncio.create_task(worker(left - 1, is_over))
                held = locking.current()
                while held is not None:
                    held, length = held.outer, length + 1
            is_over.set()
            return max(length, await following if following else 0)

        is_first = asyncio.Event()
        is_first.set()
        assert await worker(3, is_first) == 1

    run(main)


def test_a_task_that_was_started_before_waits_for_the_end(run):
    """Its calls wait for the end of the block, as those of other processes do."""

    async def main(ws, waiting):
        is_locked = asyncio.Event()

        async def theirs():
            await is_locked.wait()
            await ws.update_acell("A1", "theirs")

        task = asyncio.create_task(theirs())
        async with gspread.lock(ws):
            is_locked.set()
            await until(lambda: waiting() == 2)
            assert (await ws.acell("A1")).value is None
        await task
        assert (await ws.acell("A1")).value == "theirs"

    run(main)


def test_a_thread_that_has_the_context_of_a_holder(run, redis_url, namespace):
    """A blocking client's calls in it are refused too, as the holder waits for the thread."""

    async def main(ws, _):
        client = blocking.authorize(redis_url=redis_url, namespace=namespace)
        sheet = await asyncio.to_thread(lambda: client.open_by_key(ws.spreadsheet_id).sheet1)
        async with gspread.lock(ws):
            with pytest.raises(LockError, match="has started this one"):
                await asyncio.to_thread(sheet.acell, "A1")

    run(main)


def test_what_a_block_leaves_in_the_queue(run, queue):
    """Calls of a block of `wait=False` are the holder's; the lock ends after the last of them."""

    async def main(ws, waiting):
        async with gspread.lock(ws), gspread.pipeline(wait=False):
            for number in range(10):
                await ws.append_row([number])
        assert await ws.col_values(1) == [str(number) for number in range(10)]
        assert queue.holders() == []

    run(main)


def test_upserts_of_a_block(run):
    """The holder's upserts are made in the block, each finding what the one before has written."""

    async def main(ws, waiting):
        await ws.update([["id", "n"]])

        async def theirs():
            await is_locked.wait()
            return await gspread.upsert_rows(ws, [{"id": "a", "n": 3}], key="id")

        is_locked = asyncio.Event()
        task = asyncio.create_task(theirs())
        async with gspread.lock(ws):
            is_locked.set()
            await until(lambda: waiting() == 2)
            for number in (1, 2):
                done = await gspread.upsert_rows(ws, [{"id": "a", "n": number}], key="id")
            assert done.updated == [2]
            assert await ws.get_all_values() == [["id", "n"], ["a", "2"]]
        assert (await task).updated == [2]

    run(main)


def test_those_who_wait_together_are_each_told_who_holds_their_lock(
    run, connect, caplog, monkeypatch, short_slices
):
    """Calls that look at the queue in one command learn of their own spreadsheet's lock each."""
    for name in ("PATIENCE", "APART", "_TURN"):
        monkeypatch.setattr(notices, name, 0.0)
    monkeypatch.setattr(notices._Latest, "process", 0)

    async def main(ws, waiting):
        other = await (await connect().create("Other")).get_worksheet(0)
        is_locked = asyncio.Event()

        async def theirs(sheet):
            await is_locked.wait()
            await sheet.acell("A1")

        tasks = [asyncio.create_task(theirs(sheet)) for sheet in (ws, ws, other)]
        async with gspread.lock(ws):
            is_locked.set()
            await until(lambda: caplog.text.count("is locked by") == 2)
        await asyncio.gather(*tasks)

    run(main)
    assert caplog.text.count("is locked by") == 2


def test_a_call_that_runs_here_is_its_tasks(run):
    """Where gspread's own method runs in a thread, its requests are those of the task."""

    async def main(ws, _):
        async with gspread.lock(ws):
            await ws.update_acell("A1", "found")
            cell = await ws.find(re.compile("f.*d"))
            assert cell.value == "found"

    run(main)


def test_the_same_again_and_another(run, connect):
    """The same lock inside a block changes nothing, and a second one is refused."""

    async def main(ws, _):
        second = await connect().create("Second")
        async with gspread.lock(ws):
            async with gspread.lock(ws):
                await ws.update_acell("A1", "inside")
            with pytest.raises(LockError, match="second lock"):
                await gspread.lock(second).__aenter__()
            await ws.acell("A1")

    run(main)


def test_waiting_for_a_lock_is_cancelled(run, queue):
    """A task that is cancelled leaves the line, and takes no lock."""

    async def main(ws, waiting):
        is_locked = asyncio.Event()

        async def theirs():
            await is_locked.wait()
            await gspread.lock(ws).__aenter__()

        task = asyncio.create_task(theirs())
        async with gspread.lock(ws):
            is_locked.set()
            await until(lambda: waiting() == 2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await until(lambda: waiting() == 1)
        assert queue.holders() == []

    run(main)


def test_a_block_that_is_cancelled_ends_its_lock(run, queue):
    """A task that is cancelled inside a block leaves no lock behind."""

    async def main(ws, _):
        inside = asyncio.Event()

        async def hold():
            async with gspread.lock(ws):
                inside.set()
                await asyncio.Event().wait()

        task = asyncio.ensure_future(hold())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert queue.holders() == []

    run(main)


def test_a_block_of_a_generator_that_another_task_ends(run, queue):
    """An asynchronous generator, such as a fixture, may go on in another task to its end."""

    async def main(ws, _):
        async def generated():
            async with gspread.lock(ws, hold=600):
                yield

        block = generated()
        await asyncio.create_task(anext(block))
        assert len(queue.holders()) == 1
        await asyncio.create_task(block.aclose())
        assert queue.holders() == []

    run(main)


def test_a_lock_lapses(run, queue):
    """After `hold` seconds without a call, a call of the block is not sent."""

    async def main(ws, _):
        async with gspread.lock(ws, hold=0.2):
            await until(lambda: not queue.holders())
            with pytest.raises(LockLostError):
                await ws.update_acell("A1", "late")
        assert (await ws.acell("A1")).value is None

    run(main)


def test_what_cannot_be_locked(run):
    """A blocking object is no lock's of asyncio."""

    async def main(ws, _):
        with pytest.raises(TypeError, match="asyncio"):
            gspread.lock(ws._own)
        with pytest.raises(TypeError):
            gspread.lock()

    run(main)
