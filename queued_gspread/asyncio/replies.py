"""Waits for the replies of all calls of a loop at one Redis: one read for all of them.

The read blocks on its own connection, on the streams of all replies that are expected. It is woken
for a new one by an entry in a stream of this loop's own, which it reads as well. That stream is
deleted in the same write, so nothing is left behind, however this process ends.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from redis.exceptions import RedisError

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
        elif self._has_more and self._read is not None and not is_running(self._waking):
            self._waking = self._loop.create_task(self._wake(self._read))
        return future

    def forget(self, key: str) -> None:
        """Expect a reply no longer."""
        self._expected.pop(key, None)

    async def _read_all(self) -> None:
        try:
            while self._expected:
                await self._read_once()
        except RedisError as error:
            self._lose(error)

    async def _read_once(self) -> None:
        keys, self._has_more = [*self._expected, self._wake_key], False
        self._read = self._reads.ask(AwaitReply.command_of(keys, client.SLICE))
        try:
            streams = await self._read.answer()
        finally:
            self._read = None
        for key, body in bodies_of(streams):
            future = self._expected.pop(key, None)
            if future is not None and not future.done():
                future.set_result(body)

    async def _wake(self, read: Asked) -> None:
        try:
            while read is self._read and self._has_more:
                woken = self._commands.ask(["XADD", self._wake_key, "*", "body", ""])
                self._commands.ask(["UNLINK", self._wake_key])
                await woken.answer()
                await asyncio.wait({read.future}, timeout=_AGAIN)
        except RedisError as error:
            self._lose(error)

    def _lose(self, error: RedisError) -> None:
        expected, self._expected = self._expected, {}
        for future in expected.values():
            Asked((), future).end(error)
