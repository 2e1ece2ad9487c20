"""How old the answers to reads may be, in asyncio."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

import queued_gspread.asyncio as gspread
from queued_gspread.asyncio.compat import ClientManager
from queued_gspread.protocol.messages import Job


@pytest.fixture
def told(monkeypatch):
    """Return what the jobs that are encoded say, as it comes."""
    ages = []
    encode = Job.encode

    def encoded(job):
        body = encode(job)
        ages.append((job.method, json.loads(body).get("max_age")))
        return body

    monkeypatch.setattr(Job, "encode", encoded)
    return ages


@pytest.fixture
def run(ws, connect, told):
    """Return what runs a coroutine function with a worksheet of a client with an age of 2 s."""

    def run_it(work):
        async def main():
            book = await connect(max_age=2).open_by_key(ws.spreadsheet_id)
            sheet = await book.get_worksheet(0)
            told.clear()
            return await work(sheet)

        return asyncio.run(main())

    return run_it


def test_whoever_has_a_lock_has_no_call_with_an_age(run, told):
    """In the block all is read afresh, and after it as before."""

    async def work(sheet):
        async with gspread.lock(sheet):
            told.clear()
            await sheet.acell("A1")
        await sheet.acell("A1")

    run(work)
    assert [seconds for _, seconds in told] == [None, 2.0]


def test_the_innermost_block_wins_over_the_client(run, told):
    """The client's own holds outside of blocks, by either ``with``; 0 switches it off."""

    async def work(sheet):
        await sheet.acell("A1")
        with gspread.max_age(5):
            await sheet.acell("A1")
            async with gspread.max_age(0):
                await sheet.acell("A1")
        await sheet.acell("A1")

    run(work)
    assert [seconds for _, seconds in told] == [2.0, 5.0, None, 2.0]


def test_tasks_side_by_side_each_have_their_own(run, told):
    """A task has the block in which it was started, and those of its own; no other task's."""

    async def work(sheet):
        async def read(seconds):
            with gspread.max_age(seconds):
                await sheet.acell("A1")
                await sheet.acell(f"B{seconds}")

        with gspread.max_age(9):
            started = asyncio.create_task(sheet.acell("C1"))
        await asyncio.gather(
            *(read(seconds) for seconds in range(3, 8)), sheet.acell("D1"), started
        )

    run(work)
    assert sorted(seconds for _, seconds in told) == [2.0, *sorted([*range(3, 8)] * 2), 9.0]


def test_a_coroutine_is_called_where_it_is_awaited(run, told):
    """What counts is where the call begins to run, as with locks and keys."""

    async def work(sheet):
        with gspread.max_age(5):
            made = sheet.acell("A1")
        await made

    run(work)
    assert told == [("acell", 2.0)]


def test_a_method_that_runs_in_a_thread(run, told):
    """Where gspread's method runs in a thread, its requests are of the task's block."""

    async def work(sheet):
        with gspread.max_age(5):
            await sheet.findall(re.compile("x"))

    run(work)
    assert [each for each in told if each[0] != "findall"] == [("values_get", 5.0)]


def test_a_task_sees_what_was_written_before(run):
    """A read has what its task has written, and any other task before it."""

    async def work(sheet):
        seen = []

        async def count(column):
            for number in range(5):
                await sheet.update_acell(f"{column}1", number)
                seen.append((await sheet.acell(f"{column}1")).value == str(number))
                seen.append((await sheet.acell(f"{column}1")).value == str(number))

        with gspread.max_age(3600):
            await asyncio.gather(*map(count, "ABCD"))
            async with gspread.pipeline(wait=False):
                await sheet.update_acell("A1", "left")
            seen.append((await sheet.acell("A1")).value == "left")
        return seen

    assert run(work) == [True] * 41


def test_a_manager_of_gspread_asyncio_takes_it(ws, redis_url, namespace, told):
    """The clients of a manager have its age, and calls that are not waited for have the block's."""

    async def main():
        manager = ClientManager(lambda: None, redis_url=redis_url, namespace=namespace, max_age=2)
        book = await (await manager.authorize()).open_by_key(ws.spreadsheet_id)
        sheet = await book.get_worksheet(0)
        told.clear()
        await sheet.acell("A1")
        with gspread.max_age(5):
            task = await sheet.acell("A1", nowait=True)
        await task

    asyncio.run(main())
    assert told == [("acell", 2.0), ("acell", 5.0)]
