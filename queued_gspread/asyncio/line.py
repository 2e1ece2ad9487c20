"""Sends the commands of many calls over one connection, many in one write.

Answers come back in the order of the commands. A connection that is lost, or that leads to a Redis
which is not the master, is replaced by a new one for the next command; what still waits for its
answer on the old one gets that answer, or the error.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from queued_gspread._clock import now
from queued_gspread.broker.connection.pool import MovedAwayError, is_elsewhere
from queued_gspread.broker.connection.wire import packed
from queued_gspread.broker.waiting.wait import LEAVING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    Command = Sequence[Any]

__all__ = ["Asked", "Line", "copy_of", "is_running"]

# How many commands go out in one write.
_MOST: Final = 500
_LEAST: Final = 0.001


class Asked:
    """A command that was asked for, and its answer.

    Attributes:
        future: The answer.
        is_sent: Whether Redis may have got it.
        is_told: Whether the answer does not matter.
        is_joint: Whether several wait for the answer.

    """

    __slots__ = ("command", "future", "is_joint", "is_sent", "is_told")

    def __init__(self, command: Command, future: asyncio.Future[Any]) -> None:
        self.command = command
        self.future = future
        self.is_sent = False
        self.is_told = False
        self.is_joint = False

    async def answer(self, until: float = math.inf) -> Any:
        """Wait for the answer, at most until a moment of the clock.

        Raises:
            RedisError: The command failed, or the connection, or there was no answer in time.

        """
        if until != math.inf or self.is_joint:  # else who is cancelled cancels the command
            left = None if until == math.inf else max(_LEAST, until - now())
            await asyncio.wait({self.future}, timeout=left)
            if not self.future.done():
                error = RedisTimeoutError("Timeout reading from socket")
                error.was_sent = self.is_sent  # type: ignore[attr-defined]
                raise error
        return await self.future

    def end(self, error: RedisError) -> None:
        """Give the command an error of its own in place of an answer."""
        if not self.future.done():
            own = copy_of(error)
            own.was_sent = self.is_sent  # type: ignore[attr-defined]
            self.future.set_exception(own)
            self.future.exception()  # it may be that nobody waits for it any more


class Line:
    """Commands to one Redis; only for the loop that it was made in.

    Args:
        connect: Makes a connection of redis.asyncio's.
        note: Called with the error of a Redis that is not the master.

    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Any]],
        note: Callable[[ResponseError], None] = lambda _: None,
    ) -> None:
        self._connect = connect
        self._note = note
        self._pipes: list[_Pipe] = []

    @property
    def connections(self) -> list[Any]:
        """The connections that are open."""
        return [pipe.connection for pipe in self._pipes if pipe.connection is not None]

    def ask(self, command: Command) -> Asked:
        """Send a command the next time the loop comes round."""
        return self._pipe.ask(command)

    @property
    def _pipe(self) -> _Pipe:
        for pipe in [pipe for pipe in self._pipes if pipe.is_over]:
            self._pipes.remove(pipe)
            pipe.close_soon()
        if not self._pipes or self._pipes[-1].is_left:
            self._pipes.append(_Pipe(self._connect, self._note))
        return self._pipes[-1]

    def leave(self, is_wrong: Callable[[Any], bool] = lambda _: True) -> bool:
        """Cut connections that are wrong; return whether there was one."""
        wrong = [pipe for pipe in self._pipes if pipe.connection and is_wrong(pipe.connection)]
        for pipe in wrong:
            pipe.lose(
                RedisConnectionError("the connection was cut: it no longer leads to the master")
            )
        return bool(wrong)

    async def close(self) -> None:
        """Close all connections."""
        pipes, self._pipes = self._pipes, []
        for pipe in pipes:
            await pipe.close(waits=True)

    def tell(self, command: Command) -> None:
        """Send a command whose answer does not matter; now, if it can be: the loop may end next."""
        self._pipe.tell(command)

    async def finish(self) -> None:
        """Let what was asked for go out and be answered, but wait no longer than a moment.

        The end of a loop cancels all tasks, also those that were writing here.
        """
        for command in [command for pipe in self._pipes for command in pipe.untold]:
            self.tell(command)
        for pipe in self._pipes:
            await pipe.finish()


class _Pipe:
    """One connection, and the commands that wait for their answers on it.

    Attributes:
        is_left: Whether it takes no more commands.
        connection: redis.asyncio's, once it is made.
        untold: Commands whose answers do not matter, and that it has lost.

    """

    def __init__(
        self, connect: Callable[[], Awaitable[Any]], note: Callable[[ResponseError], None]
    ) -> None:
        self._connect = connect
        self._note = note
        self._loop = asyncio.get_running_loop()
        self._left = False
        self.connection: Any = None
        self.untold: list[Command] = []
        self._queued: list[Asked] = []
        self._unanswered: deque[Asked] = deque()
        # How many answers that do not matter come before those.
        self._owed = 0
        self._writing: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def is_left(self) -> bool:
        return self._left or (self._is_idle and self._has_ended)

    @property
    def is_over(self) -> bool:
        """Whether nothing on it is waited for, and nothing will be."""
        return self.is_left and self._is_idle

    @property
    def _is_idle(self) -> bool:
        return not (self._queued or self._unanswered or is_running(self._writing))

    @property
    def _has_ended(self) -> bool:
        reader = getattr(self.connection, "_reader", None)
        # It may be at its end with answers that nobody has read.
        return self.connection is not None and (reader is None or bool(reader._eof))  # noqa: SLF001 - there is no other way

    def ask(self, command: Command) -> Asked:
        asked = Asked(command, self._loop.create_future())
        self._queued.append(asked)
        self._go_on()
        return asked

    def tell(self, command: Command) -> None:
        writer = getattr(self.connection, "_writer", None)
        if writer is None or not self._is_idle:
            self.ask(command).is_told = True
            return
        self._owed += 1
        writer.write(packed([command]))

    def _go_on(self) -> None:
        if not is_running(self._writing):
            self._writing = self._loop.create_task(self._write())

    async def finish(self) -> None:
        if self._queued:
            self._go_on()
        waiting = {asked.future for asked in (*self._queued, *self._unanswered)}
        if waiting:
            await asyncio.wait(waiting, timeout=LEAVING)

    async def _write(self) -> None:
        try:
            if self.connection is None:
                self.connection = await self._connect()
            while self._queued:
                batch, self._queued = self._queued[:_MOST], self._queued[_MOST:]
                self._await_answers(batch)
                text = packed([asked.command for asked in batch])
                await self.connection.send_packed_command([text], check_health=False)
        except RedisError as error:
            self.lose(error)
        except AttributeError:
            # The read has just closed the connection: it was lost, and redis-py's has no socket.
            if not self._left:
                raise
        except BaseException:
            # Of a loop that ends: it cancels this task too.
            self.lose(RedisConnectionError("the connection was lost with its task"))
            raise

    def _await_answers(self, batch: list[Asked]) -> None:
        for asked in batch:
            asked.is_sent = True
        self._unanswered.extend(batch)
        if not is_running(self._reading):
            self._reading = self._loop.create_task(self._read())

    async def _read(self) -> None:
        try:
            while self._unanswered:
                answer = await self._response()
                if self._owed:
                    self._owed -= 1
                    continue
                asked = self._unanswered.popleft()
                if isinstance(answer, RedisError):
                    asked.end(answer)
                elif not asked.future.done():
                    asked.future.set_result(answer)
        except RedisError as error:
            self.lose(error)
        except BaseException:
            self.lose(RedisConnectionError("the connection was lost with its task"))
            raise
        if self._left:
            await self.close()

    async def _response(self) -> Any:
        try:
            return await self.connection.read_response()
        except ResponseError as error:
            if not is_elsewhere(error):
                return error
            # What follows on this connection is refused in the same way.
            self._left = True
            self._note(error)
            return MovedAwayError(error)

    def lose(self, error: RedisError) -> None:
        """End everything on it with an error."""
        self._left = True
        waiting, self._queued = [*self._unanswered, *self._queued], []
        self._unanswered.clear()
        self.untold = [asked.command for asked in waiting if asked.is_told]
        for asked in waiting:
            asked.end(error)
        self.close_soon()

    def close_soon(self) -> None:
        if self.connection is not None and not self._loop.is_closed():
            _keep(self._loop.create_task(self.close()))

    async def close(self, *, waits: bool = False) -> None:
        self._left = True
        for task in (self._writing, self._reading):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        connection, self.connection = self.connection, None
        if connection is not None:
            await connection.disconnect(nowait=not waits)


def is_running(task: asyncio.Task[Any] | None) -> bool:
    """Return whether a task is there and not over: one may be cancelled before it has begun."""
    return task is not None and not task.done()


# A loop holds its tasks weakly.
_tasks: set[asyncio.Task[None]] = set()


def _keep(task: asyncio.Task[None]) -> None:
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def copy_of(error: RedisError) -> RedisError:
    """Return an error like this one: each that waits gets its own, with its own traceback."""
    own = type(error).__new__(type(error), *error.args)
    own.__dict__.update(vars(error))
    own.__cause__ = error.__cause__
    return own
