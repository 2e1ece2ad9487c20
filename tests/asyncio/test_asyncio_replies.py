"""The one read of all replies, over lines that are scripts of answers."""

from __future__ import annotations

import asyncio
import gc

import pytest
from async_waiting import until
from gate import cell_of
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse

from queued_gspread.asyncio import replies
from queued_gspread.asyncio.line import Asked, Line
from queued_gspread.asyncio.replies import Replies
from queued_gspread.broker.keys import Keys


class Reads:
    """Notes what it is asked; the test answers."""

    def __init__(self):
        self.asked, self.told, self.expected = [], [], None

    def ask(self, command):
        self.asked.append(Asked(command, asyncio.get_running_loop().create_future()))
        return self.asked[-1]

    def tell(self, command):
        self.told.append(command)

    async def next_keys(self, *answered):
        """Answer the latest read with these replies; return the keys of the next read."""
        if self.asked:
            there = [[key.encode(), [(b"1-1", [b"body", b"reply"])]] for key in answered]
            self.asked[-1].future.set_result(there or None)
        before = len(self.asked)
        await until(lambda: len(self.asked) > before)
        command = self.asked[-1].command
        keys = command[command.index("STREAMS") + 1 :]
        return keys[: len(keys) // 2 - 1]  # without the one that wakes


@pytest.fixture
def expecting():
    """Return what expects some replies; it returns their keys and the line of the reads."""

    def expect(count):
        reads = Reads()
        reads.expected = Replies(Reads(), reads, Keys("ns"))
        names = [f"r{i}" for i in range(count)]
        for name in names:
            reads.expected.expect(name)
        return names, reads

    return expect


def test_the_oldest_replies_are_read_while_they_come(expecting, monkeypatch):
    """Once a reply of the oldest calls has come, theirs are read, until none of them comes."""
    monkeypatch.setattr(replies, "_EACH", 60.0)

    async def main():
        names, reads = expecting(200)
        assert await reads.next_keys() == names
        assert await reads.next_keys("r0", "r3") == names[1:3] + names[4:52]
        assert await reads.next_keys("r1") == names[2:3] + names[4:53]
        assert await reads.next_keys() == names[2:3] + names[4:]

    asyncio.run(main())


def test_all_replies_are_read_when_others_come(expecting, monkeypatch):
    """A reply of a call that is not among the oldest keeps all of them read."""
    monkeypatch.setattr(replies, "_EACH", 60.0)

    async def main():
        names, reads = expecting(200)
        assert await reads.next_keys() == names
        assert await reads.next_keys("r0", "r150") == names[1:150] + names[151:]

    asyncio.run(main())


def test_all_replies_are_read_now_and_then(expecting, monkeypatch):
    """However many replies of the oldest calls come, the others are not left out for long."""
    monkeypatch.setattr(replies, "_EACH", 0.0)

    async def main():
        names, reads = expecting(200)
        assert await reads.next_keys() == names
        assert await reads.next_keys("r0") == names[1:]

    asyncio.run(main())


@pytest.mark.parametrize("junk", [5, [b"x"], [[b"r0", [[b"1-1", [b"odd"]]]]], [[b"r0", 5]]])
def test_an_answer_that_is_none_ends_all_waits(expecting, junk):
    """What no Redis answers is told to all that wait, as by a blocking call."""

    async def main():
        _, reads = expecting(3)
        await reads.next_keys()
        waits = [reads.expected.expect(f"r{i}") for i in range(3)]
        reads.asked[-1].future.set_result(junk)
        await asyncio.wait(waits)
        assert {type(each.exception()) for each in waits} == {InvalidResponse}

    asyncio.run(main())


def test_a_wake_that_was_left_is_deleted(connect, raw, keys, monkeypatch):
    """An entry whose deletion was lost with a connection would end each read at once."""
    monkeypatch.setattr(replies, "new_id", lambda: "left")

    async def main():
        call = asyncio.ensure_future(connect().http_client.request("get", cell_of("a")))
        await until(lambda: raw.xlen(keys.lane("a")) == 1)
        raw.xadd(keys.wake("left"), {"body": ""})
        await until(lambda: not raw.exists(keys.wake("left")))
        call.cancel()

    asyncio.run(main())


class Closed:
    """A connection that is lost while something is written."""

    def __init__(self):
        self.writes, self.is_lost = 0, asyncio.Event()

    async def send_packed_command(self, *_, **__):
        self.writes += 1
        if self.writes > 1:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:  # redis-py's is over by then, with another error
                raise AttributeError("'NoneType' object has no attribute 'writelines'") from None

    async def read_response(self):
        await self.is_lost.wait()
        raise RedisConnectionError("Connection closed by server.")

    async def disconnect(self, *_, **__):
        pass


def test_a_connection_that_is_lost_in_a_write_is_no_error_of_the_programs():
    """Both commands have the connection's error, and the loop's handler hears of nothing."""
    told = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(what))
        connection = Closed()

        async def connect():
            return connection

        line = Line(connect)
        first = line.ask(["a"])
        await until(lambda: connection.writes == 1)
        second = line.ask(["b"])
        await until(lambda: connection.writes == 2)
        connection.is_lost.set()
        for asked in (first, second):
            with pytest.raises(RedisConnectionError):
                await asked.answer()
        await line.close()

    asyncio.run(main())
    gc.collect()  # a task tells of its error at its end
    assert told == []
