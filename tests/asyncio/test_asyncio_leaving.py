"""Tasks that are cancelled, loops that end, and loops that are not the client's."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading

import pytest
from async_waiting import next_of, until
from gate import cell_of
from redis.exceptions import RedisError
from waiting import eventually

from queued_gspread.asyncio import bus, line
from queued_gspread.errors import QueuedGspreadError


def waiting(raw, keys, lane="a"):
    """Return how many jobs are in a lane."""
    return raw.xlen(keys.lane(lane))


def noted(error):
    """Return what is noted on an error; before Python 3.11, a task's is the context of another."""
    own = " ".join(getattr(error, "__notes__", map(str, error.args)))
    return own if own or error.__context__ is None else noted(error.__context__)


async def cancelled(task):
    """Cancel a task; return its error."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as raised:
        await task
    return raised.value


def test_a_cancelled_call_is_withdrawn(connect, raw, keys):
    """A call that no server has started is taken out of the queue, and the error says so."""

    async def main():
        http = connect().http_client
        tasks = [asyncio.ensure_future(http.request("get", cell_of("a"))) for _ in range(50)]
        await until(lambda: waiting(raw, keys) == 50)
        assert "not started" in noted(await cancelled(tasks[7]))
        assert waiting(raw, keys) == 49
        await asyncio.gather(*map(cancelled, tasks[:7] + tasks[8:]))
        assert waiting(raw, keys) == 0

    asyncio.run(main())


def test_a_call_that_was_started_may_have_been_made(serve, gate, connect):
    """A cancelled call whose write is at Google is told as one that may have been made."""
    serve()

    async def main():
        http = connect().http_client
        task = asyncio.ensure_future(http.request("put", cell_of("a"), json={"values": [[1]]}))
        request = await next_of(gate)
        assert "may have been made" in noted(await cancelled(task))
        request.answer()

    asyncio.run(main())


def test_a_cancelled_call_is_not_made(serve, gate, connect, raw, keys):
    """A call that was withdrawn behind another one is never sent."""
    serve()

    async def main():
        http = connect().http_client
        first = asyncio.ensure_future(http.request("put", cell_of("a"), json={"values": [[1]]}))
        request = await next_of(gate)
        second = asyncio.ensure_future(http.request("post", cell_of("a"), json={}))
        await until(lambda: waiting(raw, keys) == 2)
        await cancelled(second)
        request.answer()
        await first
        await until(lambda: waiting(raw, keys) == 0)
        assert len(gate.seen) == 1

    asyncio.run(main())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout came with Python 3.11")
def test_asyncios_timeout_withdraws_a_call(connect, raw, keys):
    """``asyncio.timeout`` ends a call as it ends anything else."""

    async def main():
        http = connect().http_client
        with pytest.raises(TimeoutError) as raised:
            async with asyncio.timeout(0.1):
                await http.request("get", cell_of("a"))
        assert "not started" in noted(raised.value.__cause__)
        assert waiting(raw, keys) == 0

    asyncio.run(main())


def test_wait_for_withdraws_a_call(connect, raw, keys):
    """``asyncio.wait_for`` ends a call, and returns once it is withdrawn."""

    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(connect().http_client.request("get", cell_of("a")), 0.1)
        assert waiting(raw, keys) == 0

    asyncio.run(main())


def test_a_second_cancellation_leaves_the_withdrawal_going(connect, raw, keys):
    """Whoever cancels a task again need not wait; the call is withdrawn all the same."""

    async def main():
        task = asyncio.ensure_future(connect().http_client.request("get", cell_of("a")))
        await until(lambda: waiting(raw, keys) == 1)
        task.cancel()
        await asyncio.sleep(0)
        assert "being withdrawn" in noted(await cancelled(task))
        await until(lambda: waiting(raw, keys) == 0)

    asyncio.run(main())


def test_calls_under_way_when_the_loop_ends_are_withdrawn(connect, raw, keys):
    """``asyncio.run`` cancels what is left, and nothing of it stays in the queue."""
    tasks = []

    async def main():
        http = connect().http_client
        tasks.extend(asyncio.ensure_future(http.request("get", cell_of("a"))) for _ in range(20))
        await until(lambda: waiting(raw, keys) == 20)

    asyncio.run(main())
    assert all(task.cancelled() for task in tasks)
    assert waiting(raw, keys) == 0


def test_a_coroutine_that_is_closed_is_withdrawn(connect, raw, keys):
    """Closing a coroutine in the middle of a call withdraws the call in the background."""

    async def main():
        http = connect().http_client
        with pytest.raises(asyncio.TimeoutError):  # from now on it knows Redis's clock
            await asyncio.wait_for(http.request("get", cell_of("a")), 0.1)
        call = http.request("get", cell_of("a"))
        assert call.send(None) is not None
        await until(lambda: waiting(raw, keys) == 1)
        call.close()
        await until(lambda: waiting(raw, keys) == 0)

    asyncio.run(main())


def test_a_closed_loop_is_named_with_the_remedy(server, connect):
    """A client whose loop is closed says so, and that authorize() makes another one."""
    client = connect()

    async def main():
        await client.create("Book")

    asyncio.run(main())
    with pytest.raises(QueuedGspreadError, match=r"closed.*authorize\(\) again"):
        asyncio.run(main())


def test_another_threads_loop_is_named_with_the_remedy(server, connect):
    """A client that another thread's loop uses says so, and how to run its calls."""
    client = connect()
    told = []

    async def elsewhere():
        with pytest.raises(QueuedGspreadError, match=r"another thread.*run_coroutine_threadsafe"):
            await client.create("Book")
        told.append(True)

    async def main():
        await client.create("Book")
        await asyncio.to_thread(lambda: asyncio.run(elsewhere()))

    asyncio.run(main())
    assert told == [True]


def test_another_loop_of_the_same_thread_is_named_with_the_remedy(server, connect):
    """A client whose loop is still there, but does not run, says so."""
    client, first = connect(), asyncio.new_event_loop()
    first.run_until_complete(client.create("Book"))
    with pytest.raises(QueuedGspreadError, match=r"another event loop of this thread.*authorize"):
        asyncio.run(client.create("Book"))
    first.run_until_complete(client.create("Book"))
    first.run_until_complete(first.shutdown_asyncgens())
    first.close()


def test_each_thread_may_have_its_client(server, connect):
    """Two loops in two threads work side by side, each with a client of its own."""

    async def main():
        return (await (await connect().create("Book")).get_sheet1()).title

    titles = []
    threads = [threading.Thread(target=lambda: titles.append(asyncio.run(main()))) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert titles == ["Sheet1", "Sheet1"]


def test_without_a_loop_the_blocking_client_is_named(connect):
    """A coroutine that something else than asyncio drives names asyncio.run."""
    call = connect().open("Book")
    with pytest.raises(QueuedGspreadError, match=r"asyncio\.run\(\)"):
        call.send(None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_is_named_with_the_remedy(server, connect):
    """A client from before a fork says so in the child, where authorize() makes another one."""
    client = connect()
    asyncio.run(connect().create("Before"))
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            with pytest.raises(QueuedGspreadError, match=r"fork.*authorize\(\)"):
                asyncio.run(client.create("Book"))
            book = asyncio.run(connect().create("Child"))
            os.write(write, book.title.encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        assert told.read() == "Child"
    os.waitpid(pid, 0)


def test_a_loop_that_ends_leaves_no_connection(server, connect, raw, redis_url):
    """Once ``asyncio.run`` has returned, nothing of its client is connected."""

    def connections():
        return sum(each["name"] == "ends" for each in raw.client_list())

    async def main():
        book = await connect(redis_url=f"{redis_url}?client_name=ends").create("Book")
        assert connections() == 2
        return book.title

    gc.disable()
    try:
        assert asyncio.run(main()) == "Book"
        eventually(lambda: connections() == 0)
    finally:
        gc.enable()


def test_a_loop_that_is_only_closed_leaves_no_task(server, connect, raw, keys):
    """A program that closes its loop itself, once its calls are made, hears of no lost task."""

    async def main():
        sheet = await (await connect().create("Book")).get_sheet1()
        await asyncio.gather(*(sheet.append_row([number]) for number in range(20)))

    loop = asyncio.new_event_loop()
    for _ in range(3):
        loop.run_until_complete(main())
        assert asyncio.all_tasks(loop) == set()
        eventually(lambda: not raw.keys(keys.reply("*")))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def test_a_connection_that_was_cut_while_idle_is_replaced(server, connect, raw, redis_url):
    """A connection at whose end an answer is left that nobody has read is not used again."""

    async def main():
        book = await connect(redis_url=f"{redis_url}?client_name=idle").create("Book")
        (own,), sent = bus._buses[asyncio.get_running_loop()].values(), []
        for each in raw.client_list():
            if each["name"] == "idle":
                raw.client_kill_filter(_id=each["id"])
        await until(lambda: all(each._reader._eof for each in own.commands.connections))
        ask = line.Line.ask
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(line.Line, "ask", lambda *args: sent.append(ask(*args)) or sent[-1])
            assert (await book.get_sheet1()).title == "Sheet1"
        assert [error for error in map(error_of, sent) if isinstance(error, RedisError)] == []

    asyncio.run(main())


def error_of(asked):
    is_over = asked.future.done() and not asked.future.cancelled()
    return asked.future.exception() if is_over else None
