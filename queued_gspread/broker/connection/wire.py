"""Commands to Redis beneath redis-py's ``Redis``, which is most of what a short command costs.

Several commands go out in one write, and an answer that nobody waits for is read when the
connection is used next. Connecting, and what a connection is, stays with redis-py: a line is a
connection made as its pool makes them, which no list but ours knows, so that one that is lost to an
interrupt is closed. Nothing is sent twice here.

What redis-py raises comes out of here as it is, and what a signal handler has raised meanwhile does
too, whatever redis-py has made of it: connecting, where it has many ways to do so, is done in a
thread of its own, where no handler runs.
"""

from __future__ import annotations

import socket
import time
import weakref
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from queued_gspread._interrupts import chain, handled, has_broken_in, own, raise_unchanged

from .deadline import is_of_socket, moment, until
from .detached import Aside, aside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import redis

    from .majority import Host

    Command = Sequence[Any]

__all__ = ["Pending", "Wire", "was_sent"]

# How many lines are kept while nobody uses them, and for how many seconds.
_MOST_IDLE: Final = 32
_LONGEST_IDLE: Final = 30.0

# A connection that was used less than so many seconds ago is taken for alive.
_FRESH: Final = 0.02


class _Conn:
    """A connection, and how many answers are still to come that nobody waits for."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.owed = 0
        self.idle_since = 0.0
        self._used = 0.0

    def write(self, commands: Sequence[Command]) -> None:
        _unmasked(partial(self._send, commands))

    def _send(self, commands: Sequence[Command]) -> None:
        self.connection.send_packed_command([_packed(commands)], check_health=False)

    def read(self) -> Any:
        while self.owed:
            self._skip()
        # Behind an error, Redis may close the connection.
        self._used = 0.0
        answer = _unmasked(self.connection.read_response)
        self._used = time.monotonic()
        return answer

    def is_alive(self) -> bool:
        """Take in what nobody waits for; tell whether nothing else has come, such as the end."""
        if time.monotonic() - self._used < _FRESH:
            return True
        try:
            while _unmasked(self.connection.can_read):
                if not self.owed:
                    return False
                self._skip()
        except own(RedisError):
            return False
        return True

    def _skip(self) -> None:
        self.owed -= 1
        try:
            _unmasked(self.connection.read_response)
        except own(ResponseError):
            pass

    @property
    def is_open(self) -> bool:
        """Whether it has a socket."""
        return getattr(self.connection, "_sock", None) is not None

    def leads_to(self, place: Host) -> bool:
        """Return whether it leads there."""
        return (self.connection.host, self.connection.port) == place

    def cut(self) -> None:
        """Have whoever waits for an answer on it find it lost; any thread may do so."""
        own = getattr(self.connection, "_sock", None)
        with suppress(OSError):
            if own is not None:
                own.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection: what it still had to say is lost."""
        self.connection.disconnect()


def _unmasked(do: Callable[[], Any]) -> Any:
    """Do something by redis-py; raise what has broken in as it was."""
    outer = handled()
    try:
        return do()
    except Exception as error:  # redis-py stumbles over an OSError without arguments
        intruder = _intruder(error, outer)
        if intruder is None:
            raise
    try:
        raise_unchanged(intruder)
    finally:
        del intruder, outer  # or the frame and the exception hold each other, and all that is open


def _intruder(error: BaseException, outer: BaseException | None) -> BaseException | None:
    """Return what has broken in, of which redis-py may have made the error; None if nothing has.

    redis-py makes an error of its own of any OSError, which has to be a socket's to be believed.
    """
    for link in chain(error, outer):
        is_strange = isinstance(link, OSError) and not is_of_socket(link)
        if is_strange or has_broken_in(link):
            return link
    return None


def _packed(commands: Sequence[Command]) -> bytes:
    """Return commands in Redis's protocol: hiredis and redis-py take twice the time for it.

    And given a number, hiredis ends the process where a signal handler raises meanwhile.
    """
    parts: list[bytes] = []
    for command in commands:
        parts.append(b"*%d\r\n" % len(command))
        for arg in command:
            value = arg if isinstance(arg, bytes) else _as_bytes(arg)
            parts += (b"$%d\r\n" % len(value), value, b"\r\n")
    return b"".join(parts)


def _as_bytes(arg: Any) -> bytes:
    # A stranger's names go back as they came; a text of a class of its own is what it holds.
    text = arg if isinstance(arg, str) else str(arg)
    return str.encode(text, errors="surrogateescape")


def was_sent(error: RedisError) -> bool:
    """Return whether the command that failed was sent: not where there was no connection for it."""
    return getattr(error, "was_sent", True)


class Pending:
    """The answer to a command that has been sent; it is read, or given up, once."""

    def __init__(self, wire: Wire, line: _Conn) -> None:
        self._wire = wire
        self._line: _Conn | None = line

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
            line.close()


class Wire:
    """The lines of one process to one Redis; any of its threads may use them.

    Args:
        pool: Says how connections are made.

    """

    def __init__(self, pool: redis.ConnectionPool) -> None:
        self._pool = pool
        self._idle: list[_Conn] = []
        self._most_idle = _MOST_IDLE
        # Those that are in use, too.
        self._lines: set[weakref.ref[_Conn]] = set()
        self.only: Host | None = None
        """The only place to which lines may lead, if there is one."""

    def keep_to(self, place: Host | None) -> None:
        """Use no line that leads elsewhere from now on; None to use any."""
        self.only = place
        if place is not None:
            self.leave_all_but(place)

    def is_elsewhere(self, place: Host) -> bool:
        """Return whether a line leads elsewhere."""
        return any(not line.leads_to(place) for line in self._open())

    def leave_all_but(self, place: Host) -> None:
        """Cut the lines that lead elsewhere: whoever waits at their end finds them lost."""
        for line in self._open():
            if not line.leads_to(place):
                line.cut()

    def _open(self) -> list[_Conn]:
        lines = filter(None, (ref() for ref in list(self._lines)))
        return [line for line in lines if line.is_open]

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
        self._keep(line)

    def read_last(self, line: _Conn) -> Any:
        """Return the last answer that a line has to give, and take the line back."""
        try:
            answer = line.read()
        except BaseException as error:
            self._after(error, line, is_last=True)
            raise
        self._keep(line)
        return answer

    def close(self) -> None:
        """Close all lines; one that is in use when it is not any more."""
        self._most_idle = 0
        self._forget_idle()

    def _keep(self, line: _Conn) -> None:
        """Keep a line for the next command, unless there are enough; close what nobody needs."""
        if len(self._idle) >= self._most_idle:
            line.close()
            return
        line.idle_since = time.monotonic()
        self._idle.append(line)
        self._close_idle(line.idle_since - _LONGEST_IDLE)

    def _close_idle(self, since: float) -> None:
        try:
            if self._idle[0].idle_since < since:
                self._idle.pop(0).close()
        except IndexError:
            pass  # another thread has taken it

    def _written(self, commands: Sequence[Command]) -> _Conn:
        line = self._line()
        try:
            line.write(commands)
        except BaseException as error:
            self._after(error, line, is_last=False)
            raise
        return line

    def _line(self) -> _Conn:
        while True:
            try:
                line = self._idle.pop()
            except IndexError:
                return self._new_line()
            if line.is_alive() and (self.only is None or line.leads_to(self.only)):
                return line
            line.close()

    def _new_line(self) -> _Conn:
        line = _Conn(self._new_connection())
        self._lines.add(weakref.ref(line, self._lines.discard))
        if self.only is not None and not line.leads_to(self.only):
            line.close()
            raise _elsewhere()
        return line

    def _new_connection(self) -> Any:
        connect = until(moment())(partial(_connected, self._pool))
        made: Aside[Any] = aside(connect)
        try:
            made.wait()
        except BaseException:
            made.give_up(lambda connection: connection.disconnect())
            raise
        return made.result()

    def _after(self, error: BaseException, line: _Conn, *, is_last: bool) -> None:
        """Keep a line on which Redis has refused, if there is nothing to come; else close it."""
        is_own = isinstance(error, RedisError) and not has_broken_in(error)
        if is_own and is_last and isinstance(error, ResponseError):
            self._keep(line)
            return
        line.close()
        if is_own and not isinstance(error, ResponseError):
            self._forget_idle()

    def _forget_idle(self) -> None:
        """Close the lines that lead to a Redis which was lost."""
        idle, self._idle = self._idle, []
        for line in idle:
            line.close()


def _elsewhere() -> RedisError:
    error = RedisConnectionError("another Redis has just become the master")
    error.was_sent = False  # type: ignore[attr-defined]
    return error


def _connected(pool: redis.ConnectionPool) -> Any:
    """Return a new connection; an error of redis-py says that nothing was sent over it."""
    connection = pool.connection_class(**pool.connection_kwargs)
    try:
        connection.connect()
    except RedisError as error:
        error.was_sent = False  # type: ignore[attr-defined]
        raise
    return connection
