"""Locks that tasks hold."""

from __future__ import annotations

import asyncio
import re

import pytest
from async_waiting import until

import queued_gspread.asyncio as gspread
from queued_gspread.broker import Producer
from queued_gspread.errors import LockError, LockLostError
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


def test_a_task_that_is_started_in_a_block_is_not_the_holder(run):
    """Its calls wait for the end of the block, as another task's do."""

    async def main(ws, waiting):
        async with gspread.lock(ws):
            theirs = asyncio.ensure_future(ws.update_acell("A1", "theirs"))
            await until(lambda: waiting() == 2)
            assert (await ws.acell("A1")).value is None
        await theirs
        assert (await ws.acell("A1")).value == "theirs"

    run(main)


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
        async with gspread.lock(ws):
            task = asyncio.ensure_future(gspread.lock(ws).__aenter__())
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
