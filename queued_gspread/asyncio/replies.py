"""Waits for the replies of all calls of a loop at one Redis: one read for all of them.

The read blocks on its own connection, on the streams of all replies that are expected. It is woken
for a new one by an entry in a stream of this loop's own, which it reads as well. That stream is
deleted in the same write, so nothing is left behind, however this process ends.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Final

from redis.exceptions import InvalidResponse, RedisError

from queued_gspread.broker.connection import client
from queued_gspread.broker.connection.effects import AwaitReply
from queued_gspread.broker.connection.shell import bodies_of
from queued_gspread.protocol.messages import new_id

from .line import Asked, is_running

if TYPE_CHECKING:
    from queued_gspread.broker.keys import Keys

    from .line import Line

__all__ = ["Replies"]

# Seconds after which the read is woken again: Redis may have got the entry before the read.
_AGAIN: Final = 0.02
# How many streams are read as long as replies come there: the oldest, as lanes are in order.
_FEW: Final = 50
# For so many seconds for each call, before all are read again: a stream costs some microseconds.
_EACH: Final = 20e-6


class Replies:
    """The replies that are expected; only for the loop that it was made in.

    Args:
        commands: The line for commands.
        reads: The line for the read alone.
        keys: The keys of the namespace.

    """

    def __init__(self, commands: Line, reads: Line, keys: Keys) -> None:
        self._loop = asyncio.get_running_loop()
        self._commands = commands
        self._reads = reads
        self._wake_key = keys.wake(new_id())
        self._expected: dict[str, asyncio.Future[bytes]] = {}
        # The read that is under way, and whether a reply is expected that it does not wait for.
        self._read: Asked | None = None
        self._has_more = False
        # Whether the latest replies were those of the oldest calls, and until when that counts.
        self._is_in_order = self._reads_few = False
        self._few_until = 0.0
        self._reading: asyncio.Task[None] | None = None
        self._waking: asyncio.Task[None] | None = None

    def expect(self, key: str) -> asyncio.Future[bytes]:
        """Return the reply of a job, to be had once it is there, or the error of the read."""
        future = self._expected.get(key)
        if future is None:
            future = self._expected[key] = self._loop.create_future()
            self._has_more = True
        if not is_running(self._reading):
            self._reading = self._loop.create_task(self._read_all())
        elif self._read and self._is_missed and not is_running(self._waking):
            self._waking = self._loop.create_task(self._wake(self._read))
        return future

    @property
    def _is_missed(self) -> bool:
        """Whether the read that is under way has to be woken for a reply: a short one has not."""
        return self._has_more and not self._reads_few

    def forget(self, key: str) -> None:
        """Expect a reply no longer."""
        self._expected.pop(key, None)

    async def _read_all(self) -> None:
        try:
            while self._expected:
                await self._read_once()
        except RedisError as error:
            self._lose(error)
        except (TypeError, ValueError, AttributeError) as error:  # else all would wait forever
            self._lose(InvalidResponse(f"this is no answer to XREAD: {error}"))

    async def _read_once(self) -> None:
        keys, seconds = self._next_read()
        self._read = self._reads.ask(AwaitReply.command_of([*keys, self._wake_key], seconds))
        try:
            streams = await self._read.answer()
        finally:
            self._read = None
        oldest, there = {*keys[:_FEW]}, dict(bodies_of(streams))
        if there.pop(self._wake_key, None) is not None and not is_running(self._waking):
            # Lost with its connection, the command that deletes it: every read would end at once.
            self._commands.tell(["UNLINK", self._wake_key])
        self._is_in_order = bool(there) and there.keys() <= oldest
        for key, body in there.items():
            future = self._expected.pop(key, None)
            if future is not None and not future.done():
                future.set_result(body)

    def _next_read(self) -> tuple[list[str], float]:
        """Return which replies to read and for how long to wait for one: of all, or of the oldest.

        To read all for each reply would cost the square of their number.
        """
        left = self._few_until - self._loop.time()
        self._reads_few = self._is_in_order and left > 0 and len(self._expected) > _FEW
        if self._reads_few:
            return list(islice(self._expected, _FEW)), left
        self._has_more = False
        self._few_until = self._loop.time() + _EACH * len(self._expected)
        return list(self._expected), client.SLICE

    async def _wake(self, read: Asked) -> None:
        try:
            while read is self._read and self._has_more:
                woken = self._commands.ask(["XADD", self._wake_key, "*", "body", ""])
                self._commands.tell(["UNLINK", self._wake_key])
                await woken.answer()
                await asyncio.wait({read.future}, timeout=_AGAIN)
        except RedisError as error:
            self._lose(error)

    def _lose(self, error: RedisError) -> None:
        expected, self._expected = self._expected, {}
        for future in expected.values():
            Asked((), future).end(error)
