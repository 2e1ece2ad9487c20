"""Idempotency keys in asyncio."""

from __future__ import annotations

import asyncio

import pytest

import queued_gspread.asyncio as gspread
from queued_gspread.errors import IdempotencyKeyReusedError

KEY = "order-1"


@pytest.fixture
def run(ws, redis_url, namespace):
    """Return what runs a coroutine function with a worksheet of asyncio."""

    def run_it(work):
        async def main():
            client = gspread.authorize(redis_url=redis_url, namespace=namespace)
            book = await client.open_by_key(ws.spreadsheet_id)
            return await work(await book.get_worksheet(0))

        return asyncio.run(main())

    return run_it


def test_a_block_of_a_task(run, ws):
    """A block that runs twice writes once, and gets the same answer."""

    async def work(sheet):
        answers = []
        for _ in range(2):
            async with gspread.idempotency_key(KEY):
                answers.append(await sheet.append_row(["order"]))
        return answers

    first, second = run(work)
    assert first == second
    assert ws.get_all_values() == [["order"]]


def test_tasks_each_with_a_block(run, ws):
    """Of many tasks at a time with the same keys, one of each key writes."""

    async def work(sheet):
        async def add(number):
            async with gspread.idempotency_key(f"order-{number}"):
                return await sheet.append_row([number])

        await asyncio.gather(*(add(number % 5) for number in range(20)))

    run(work)
    assert sorted(ws.get_all_values()) == [[str(number)] for number in range(5)]


def test_tasks_that_a_block_starts(run, ws):
    """Their writes are numbered as they begin, in order; another order is refused, not written."""

    async def work(sheet):
        for order in ("ab", "ab"):
            async with gspread.idempotency_key(KEY):
                await asyncio.gather(*(sheet.append_row([value]) for value in order))
        async with gspread.idempotency_key(KEY):
            with pytest.raises(IdempotencyKeyReusedError):
                await sheet.append_row(["b"])

    run(work)
    assert ws.get_all_values() == [["a"], ["b"]]


def test_a_method_that_runs_in_a_thread(run, ws, monkeypatch):
    """Where gspread's method runs in a thread, its requests are under the key of the task."""
    monkeypatch.setattr("gspread.worksheet.absolute_range_name", lambda *_: "A1:C")

    async def work(sheet):
        for _ in range(2):
            async with gspread.idempotency_key(KEY):
                await sheet.append_row(["order"])

    run(work)
    assert ws.get_all_values() == [["order"]]


def test_writes_that_are_not_waited_for(run, ws):
    """They are made once too."""

    async def work(sheet):
        for _ in range(2):
            async with gspread.pipeline(wait=False), gspread.idempotency_key(KEY):
                await sheet.append_row(["order"])
        await sheet.append_row(["last"])

    run(work)
    assert ws.get_all_values() == [["order"], ["last"]]


def test_an_upsert_and_a_lock(run, ws):
    """An upsert under a key and a lock is made once."""
    ws.update([["id", "total"]])

    async def work(sheet):
        for _ in range(2):
            async with gspread.lock(sheet), gspread.idempotency_key(KEY):
                done = await gspread.upsert_rows(sheet, [{"id": "a", "total": 1}], key="id")
        return done

    assert run(work).appended == [2]
    assert ws.get_all_values() == [["id", "total"], ["a", "1"]]
