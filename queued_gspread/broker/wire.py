"""Commands to Redis beneath redis-py's ``Redis``, which is most of what a short command costs.

Several commands go out in one write, and an answer that nobody waits for is read when the
connection is used next. Connecting, and what a connection is, stays with redis-py's pool: a line is
a connection that is taken from it and kept. Nothing is sent twice here.
"""

from __future__ import annotations

import contextlib
import inspect
import time
from typing import TYPE_CHECKING, Any, Final

import redis
from redis.exceptions import RedisError, ResponseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    Command = Sequence[Any]

__all__ = ["Pending", "Wire", "was_sent"]

_NAME: Final = inspect.signature(redis.ConnectionPool.get_connection).parameters["command_name"]
# redis-py before 5.3 asks what a connection is for, and makes nothing of it.
_PURPOSE: Final = ("",) if _NAME.default is inspect.Parameter.empty else ()


# A connection that was used less than so many seconds ago is taken for alive.
_FRESH: Final = 0.02


class _Line:
    """A connection, and how many answers are still to come that nobody waits for."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.owed = 0
        self._used = 0.0

    def write(self, commands: Sequence[Command]) -> None:
        packed = self.connection.pack_commands([_in_bytes(command) for command in commands])
        self.connection.send_packed_command(packed, check_health=False)

    def read(self) -> Any:
        while self.owed:
            self._skip()
        # Behind an error, Redis may close the connection.
        self._used = 0.0
        answer = self.connection.read_response()
        self._used = time.monotonic()
        return answer

    def is_alive(self) -> bool:
        """Take in what nobody waits for; tell whether nothing else has come, such as the end."""
        if time.monotonic() - self._used < _FRESH:
            return True
        try:
            while self.connection.can_read():
                if not self.owed:
                    return False
                self._skip()
        except (RedisError, OSError):
            return False
        return True

    def _skip(self) -> None:
        self.owed -= 1
        with contextlib.suppress(ResponseError):
            self.connection.read_response()


def _in_bytes(command: Command) -> list[Any]:
    # A stranger's names go back as they came: hiredis knows nothing of how text is encoded.
    return [arg.encode(errors="surrogateescape") if type(arg) is str else arg for arg in command]


def was_sent(error: RedisError) -> bool:
    """Tell whether the command that failed was sent: not where there was no connection for it."""
    return getattr(error, "was_sent", True)


class Pending:
    """The answer to a command that has been sent; it is read, or given up, once."""

    def __init__(self, wire: Wire, line: _Line) -> None:
        self._wire = wire
        self._line: _Line | None = line

    def read(self) -> Any:
        """Wait for the answer.

        Raises:
            RedisError: The command failed, or the connection.

        """
        line, self._line = self._line, None
        assert line is not None, "an answer is read once"
        return self._wire.read_last(line)

    def drop(self) -> None:
        """Give the answer up, and the connection with it, if it was not read."""
        line, self._line = self._line, None
        if line is not None:
            self._wire.hang_up(line)


class Wire:
    """The lines of one process to one Redis; any of its threads may use them.

    Args:
        pool: Where connections come from.

    """

    def __init__(self, pool: redis.ConnectionPool) -> None:
        self._pool = pool
        self._idle: list[_Line] = []

    def ask(self, command: Command) -> Any:
        """Send a command and return its answer.

        Raises:
            RedisError: It failed, or the connection.

        """
        return self.read_last(self._written([command]))

    def ask_and_go_on(self, command: Command, then: Command) -> tuple[Any, Pending]:
        """Send two commands in one write; return the answer to the first once it is there.

        Raises:
            RedisError: The first failed, or the connection; the second may have been done.

        """
        line = self._written([command, then])
        try:
            return line.read(), Pending(self, line)
        except BaseException as error:
            self._after(error, line, is_last=False)
            raise

    def tell(self, command: Command) -> None:
        """Send a command whose answer nobody waits for.

        Raises:
            RedisError: The connection failed.

        """
        line = self._written([command])
        line.owed += 1
        self._idle.append(line)

    def read_last(self, line: _Line) -> Any:
        """Return the last answer that a line has to give, and take the line back."""
        try:
            answer = line.read()
        except BaseException as error:
            self._after(error, line, is_last=True)
            raise
        self._idle.append(line)
        return answer

    def hang_up(self, line: _Line) -> None:
        """Close a line: what it still had to say is lost."""
        line.connection.disconnect()
        self._pool.release(line.connection)

    def _written(self, commands: Sequence[Command]) -> _Line:
        line = self._line()
        try:
            line.write(commands)
        except BaseException as error:
            self._after(error, line, is_last=False)
            raise
        return line

    def _line(self) -> _Line:
        while True:
            try:
                line = self._idle.pop()
            except IndexError:
                return _Line(self._new_connection())
            if line.is_alive():
                return line
            self.hang_up(line)

    def _new_connection(self) -> Any:
        try:
            return self._pool.get_connection(*_PURPOSE)
        except RedisError as error:
            error.was_sent = False  # type: ignore[attr-defined]
            raise

    def _after(self, error: BaseException, line: _Line, *, is_last: bool) -> None:
        """Keep a line on which Redis has refused, if there is nothing to come; else close it."""
        if is_last and isinstance(error, ResponseError):
            self._idle.append(line)
            return
        self.hang_up(line)
        if isinstance(error, RedisError) and not isinstance(error, ResponseError):
            self._forget_idle()

    def _forget_idle(self) -> None:
        """Close the lines that lead to a Redis which was lost."""
        idle, self._idle = self._idle, []
        for line in idle:
            self.hang_up(line)
