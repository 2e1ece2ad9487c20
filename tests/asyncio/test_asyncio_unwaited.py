"""Coroutines that put calls in and do not wait for them: ``pipeline(wait=False)``."""

# ruff: noqa: PT012 - what is raised in a block belongs to it

from __future__ import annotations

import asyncio
import signal

import pytest
from async_waiting import next_of, until
from limits import UNLIMITED
from processes import start_python
from waiting import PATIENCE, eventually

import queued_gspread.asyncio as gspread
from queued_gspread.asyncio import pipelining
from queued_gspread.broker import failed_calls
from queued_gspread.errors import QueuedGspreadError, QueueFullError, ServerUnavailableError
from queued_gspread.server import Server
from queued_gspread.settings import Settings

WHERE = ("lane", "A1", {"valueInputOption": "RAW"})


@pytest.fixture
def depth(raw, keys):
    """Return a function that returns how many jobs wait."""
    return lambda: int(raw.get(keys.depth) or 0)


def append(http, value="x"):
    return http.values_append(*WHERE, {"values": [[value]]})


def test_a_write_returns_once_it_is_in_the_queue(connect, depth, serve, gate, raw, keys):
    """Without any server, writes return None, and the block ends; they are made later, once."""

    async def main():
        http = connect().http_client
        async with gspread.pipeline(wait=False):
            assert await append(http, "first") is None
            assert depth() == 1
            assert await asyncio.gather(*(append(http) for _ in range(99))) == [None] * 99

    asyncio.run(main())
    assert depth() == 100
    gate.open()
    serve(no_merge=True)
    eventually(lambda: depth() == 0)
    assert len(gate.seen) == 100
    assert not raw.keys(keys.wake("*"))


def test_all_else_is_awaited_as_ever(gc, sh, connect):
    """Reads and new objects come as they are; a read sees the writes before it."""

    async def main():
        book = await connect().open_by_key(sh.id)
        async with gspread.pipeline(wait=False):
            sheet = await book.add_worksheet("New", 9, 9)
            assert isinstance(sheet, gspread.Worksheet)
            assert await sheet.append_row(["x"]) is None
            assert (await sheet.acell("A1")).value == "x"
            assert await sheet.get_all_values() == [["x"]]
        assert (await sheet.append_row(["y"]))["updates"]["updatedRows"] == 1

    asyncio.run(main())
    assert sh.worksheet("New").get_all_values() == [["x"], ["y"]]


KILLED = """
import asyncio, os, signal, sys
import queued_gspread.asyncio as gspread

async def main():
    http = gspread.authorize().http_client
    print("ready", flush=True)
    sys.stdin.readline()
    async with gspread.pipeline(wait=False):
        await asyncio.gather(*(
            http.values_append("lane", "A1", {"valueInputOption": "RAW"}, {"values": [[number]]})
            for number in range(10)
        ))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def test_who_is_killed_right_after_the_block_has_its_calls_made(
    redis_url, namespace, depth, serve, gate
):
    """SIGKILL right after the block costs no call."""
    process = start_python(KILLED, REDIS_URL=redis_url, NAMESPACE=namespace)
    process.communicate("go\n", timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL
    assert depth() == 10
    gate.open()
    serve(no_merge=True)
    eventually(lambda: depth() == 0)
    assert len(gate.seen) == 10


def test_the_end_of_the_block_waits_for_what_its_tasks_put_in(connect, depth):
    """A task that was started in the block has its call in the queue when that has ended."""

    async def main():
        http = connect().http_client
        async with gspread.pipeline(wait=False):
            tasks = [asyncio.ensure_future(append(http)) for _ in range(20)]
        assert depth() == 20
        await asyncio.gather(*tasks)

    asyncio.run(main())


def test_an_error_in_the_block_withdraws_nothing(connect, depth):
    """What was put in stays, whatever is raised, and the error comes out."""

    async def main():
        http = connect().http_client
        with pytest.raises(ValueError, match="mine"):
            async with gspread.pipeline(wait=False):
                await append(http)
                raise ValueError("mine")
        assert depth() == 1

    asyncio.run(main())


def test_a_task_that_is_cancelled_while_it_waits_for_room_puts_nothing_in(connect, depth):
    """A call that is not in the queue yet is given up with its task; those before it stay."""

    async def main():
        http = connect().http_client
        async with gspread.pipeline(wait=False, limit=2) as block:
            await append(http)
            await append(http)
            task = asyncio.ensure_future(append(http))
            await until(lambda: len(block._waiting) == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert depth() == 2

    asyncio.run(main())


def test_at_most_so_many_calls_are_under_way(connect, serve, gate, raw, keys):
    """With a limit, a call is put in once an earlier one is answered, however many tasks come."""
    serve(no_merge=True)

    async def main():
        http = connect().http_client
        async with gspread.pipeline(wait=False, limit=3):
            tasks = [asyncio.ensure_future(append(http)) for _ in range(10)]
            for _ in range(10):
                request = await next_of(gate)
                assert raw.xlen(keys.lane("lane")) <= 3
                request.answer({})
            await asyncio.gather(*tasks)

    asyncio.run(main())
    assert len(gate.seen) == 10


def test_at_most_so_many_bytes_are_under_way(connect, serve, gate, monkeypatch):
    """Jobs take no more memory than their bound."""
    monkeypatch.setattr(pipelining, "_MOST_BYTES", 50_000)
    serve(no_merge=True)
    gate.open()

    async def main():
        http, most = connect().http_client, 0
        async with gspread.pipeline(wait=False) as block:
            for _ in range(20):
                await append(http, "x" * 20_000)
                most = max(most, block._bytes)
        assert 20_000 < most <= 50_000

    asyncio.run(main())


def test_a_full_queue_drains_first(connect, serve, gate, depth):
    """Where the queue is full of a block's own calls, the next one waits; else it fails."""
    serve(no_merge=True, max_queue=2)

    async def main():
        http = connect().http_client
        async with gspread.pipeline(wait=False):
            await append(http)
            await append(http)
            task = asyncio.ensure_future(append(http))
            await asyncio.wait({task}, timeout=0.05)
            assert not task.done()
            (await next_of(gate)).answer({})
            await task
        async with gspread.pipeline(wait=False):
            with pytest.raises(QueueFullError):
                await append(http)
        assert depth() == 2

    asyncio.run(main())
    gate.open()


def test_no_more_is_put_in_where_no_server_makes_room(connect, depth):
    """At the limit, and without a server, a call fails at its place; earlier ones stay."""

    async def main():
        http = connect(grace=0.2).http_client
        async with gspread.pipeline(wait=False, limit=2):
            await append(http)
            await append(http)
            with pytest.raises(ServerUnavailableError, match="stays in the queue"):
                await append(http)
        assert depth() == 2

    asyncio.run(main())


def test_all_that_wait_for_room_are_told_that_no_server_makes_any(connect, depth):
    """However many calls wait for the room of a few, each of them fails, and none waits on."""

    async def main():
        http = connect(grace=0.2).http_client
        async with gspread.pipeline(wait=False, limit=2):
            calls = asyncio.gather(*(append(http) for _ in range(9)), return_exceptions=True)
            made = await asyncio.wait_for(calls, PATIENCE)
        assert made[:2] == [None, None]
        assert [type(each) for each in made[2:]] == [ServerUnavailableError] * 7
        assert depth() == 2

    asyncio.run(main())


def test_a_failure_is_kept_and_raised_nowhere(
    redis_url, namespace, emulator, key_file, connect, caplog
):
    """A write that Google refuses is kept in Redis; the block knows nothing of it."""
    account = {"service_account": key_file, "api_endpoint": emulator.url}
    with Server(redis_url=redis_url, namespace=namespace, **account, **UNLIMITED):

        async def main():
            sheet = await (await connect().create("Failing")).get_sheet1()
            async with gspread.pipeline(wait=False):
                await sheet.update([["x"]], "nonsense range")
            await sheet.get_all_values()

        asyncio.run(main())
    (call,) = failed_calls(Settings(redis_url, namespace))
    assert (call.method, call.http_status) == ("worksheet.update", 400)
    assert "nobody waits for a call that failed" in caplog.text


def test_a_block_that_waits_is_told_how():
    """In asyncio, calls are awaited together by gather(), and the error says so."""
    with pytest.raises(ValueError, match=r"asyncio\.gather"):
        gspread.pipeline()
    with pytest.raises(ValueError, match="limit=0"):
        gspread.pipeline(wait=False, limit=0)


def test_without_a_loop_the_blocking_client_is_named_in_a_block_too(connect, depth):
    """A thread without a loop that the block begins is told so by the client's own error."""

    async def main():
        http = connect().http_client
        async with gspread.pipeline(wait=False):
            with pytest.raises(QueuedGspreadError, match="no event loop of asyncio is running"):
                await asyncio.to_thread(lambda: append(http).send(None))

    asyncio.run(main())
    assert depth() == 0


def test_a_block_is_used_once():
    """A block that has begun cannot be begun again."""

    async def main():
        block = gspread.pipeline(wait=False)
        async with block:
            pass
        with pytest.raises(RuntimeError, match="used once"):
            await block.__aenter__()

    asyncio.run(main())


def test_a_count_that_a_write_changes_is_known_to_the_next_one(gc, sh, connect):
    """Rows that are added twice are all there, and a new title is the one that is written to."""

    async def main():
        book = await connect().open_by_key(sh.id)
        sheet = await book.add_worksheet("New", 9, 9)
        async with gspread.pipeline(wait=False):
            await sheet.add_rows(10)
            await sheet.add_rows(10)
            await sheet.update_title("Newer")
            await sheet.insert_row(["x"])
            await sheet.append_row(["y"])

    asyncio.run(main())
    eventually(lambda: sh.worksheet("Newer").row_count == 30)
    assert sh.worksheet("Newer").get_all_values() == [["x"], ["y"]]


async def _first(generator):
    return await generator.__anext__()


def test_a_block_may_end_in_another_task(connect, depth):
    """A generator that is closed by another task ends its block."""

    async def rows(http):
        async with gspread.pipeline(wait=False):
            await append(http)
            yield

    async def main():
        made = rows(connect().http_client)
        await asyncio.create_task(_first(made))
        await made.aclose()
        assert depth() == 1

    asyncio.run(main())


def test_a_block_is_its_loops(gc, sh, connect):
    """A loop that a thread of the block begins waits for its own calls."""

    async def write(value):
        book = await connect().open_by_key(sh.id)
        return await (await book.get_sheet1()).append_row([value])

    async def main():
        async with gspread.pipeline(wait=False):
            answer = await asyncio.to_thread(asyncio.run, write("other"))
        assert answer["updates"]["updatedRows"] == 1

    asyncio.run(main())
