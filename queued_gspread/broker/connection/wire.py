"""Sends commands to Redis without redis-py's ``Redis``, which is most of a short command's cost.

Several commands go out in one write, and an answer that no thread waits for is read when the
connection is next used. Connecting, and the connection itself, stay with redis-py: its pool's class
makes each connection, but only our list holds it, so that one that an interrupt loses is closed.
Nothing is retried here. The wire format of jobs and replies is another matter: it is in
:mod:`queued_gspread.protocol.codec`.

Exceptions of redis-py leave this module unchanged, and so does what a signal handler raised
meanwhile, even if redis-py converted it. Connecting, which has many such places, happens in a
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

__all__ = ["Pending", "Wire", "packed", "was_sent"]

# How many unused connections are kept, and for how many seconds.
MOST_IDLE: Final = 32
_LONGEST_IDLE: Final = 30.0

# A connection used less than so many seconds ago counts as alive.
_FRESH: Final = 0.02


class _Conn:
    """A connection, and how many unawaited answers are still to come."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.owed = 0
        self.idle_since = 0.0
        self._used = 0.0

    def write(self, commands: Sequence[Command]) -> None:
        _unmasked(partial(self._send, commands))

    def _send(self, commands: Sequence[Command]) -> None:
        self.connection.send_packed_command([packed(commands)], check_health=False)

    def read(self) -> Any:
        while self.owed:
            self._skip()
        # After an error, Redis may close the connection.
        self._used = 0.0
        answer = _unmasked(self.connection.read_response)
        self._used = time.monotonic()
        return answer

    def read_or_error(self) -> Any:
        """Return an answer, or the error that Redis gives in its place."""
        try:
            return self.read()
        except own(ResponseError) as error:
            # With the traceback, whoever keeps it would be kept by it.
            return error.with_traceback(None)

    def is_alive(self) -> bool:
        """Read what is owed; return False if anything else has arrived, such as EOF."""
        if time.monotonic() - self._used < _FRESH:
            return True
        try:
            while self.owed:
                self._skip()
            # Not redis-py's can_read(): it would take a handler's TimeoutError for its own.
            return not self.connection.has_arrived()
        except own(RedisError, OSError):
            return False

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
        """Return whether it leads to that host."""
        return (self.connection.host, self.connection.port) == place

    def cut(self) -> None:
        """Shut it down, so that a thread waiting on it finds it lost; any thread may do so."""
        own = getattr(self.connection, "_sock", None)
        with suppress(OSError):
            if own is not None:
                own.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection; answers still to come are lost."""
        self.connection.disconnect()


def _unmasked(do: Callable[[], Any]) -> Any:
    """Call redis-py; raise unchanged what broke in meanwhile."""
    outer = handled()
    try:
        return do()
    except Exception as error:  # redis-py fails on an OSError without arguments
        intruder = _intruder(error, outer)
        if intruder is None:
            raise
    try:
        raise_unchanged(intruder)
    finally:
        del intruder, outer  # else the frame and the exception form a cycle that holds sockets


def _intruder(error: BaseException, outer: BaseException | None) -> BaseException | None:
    """Return what broke in, even if redis-py has converted it; None if nothing did.

    redis-py converts any OSError, so only one that is marked as the socket's counts as its own.
    """
    for link in chain(error, outer):
        is_strange = isinstance(link, OSError) and not is_of_socket(link)
        if is_strange or has_broken_in(link):
            return link
    return None


def packed(commands: Sequence[Command]) -> bytes:
    """Return commands in Redis's protocol: hiredis and redis-py take twice as long.

    And for a number, hiredis crashes the process if a signal handler raises meanwhile.
    """
    lines: list[bytes] = []
    add = lines.append
    for command in commands:
        add(b"*%d" % len(command))
        for arg in command:
            if type(arg) is str:
                # Names that are not UTF-8 go back unchanged.
                value = arg.encode("utf-8", "surrogateescape")
            else:
                value = arg if type(arg) is bytes else _as_bytes(arg)
            add(b"$%d" % len(value))
            add(value)
    add(b"")
    return b"\r\n".join(lines)


def _as_bytes(arg: Any) -> bytes:
    if isinstance(arg, bytes):
        return arg
    # A str subclass counts by its value.
    text = arg if isinstance(arg, str) else str(arg)
    return str.encode(text, "utf-8", "surrogateescape")


def was_sent(error: RedisError) -> bool:
    """Return whether the failed command was sent: not if there was no connection for it."""
    return getattr(error, "was_sent", True)


class Pending:
    """The answer to a command that was sent; it is read or dropped once."""

    def __init__(self, wire: Wire, conn: _Conn) -> None:
        self._wire = wire
        self._conn: _Conn | None = conn

    def read(self) -> Any:
        """Wait for the answer.

        Raises:
            RedisError: The command failed, or the connection.

        """
        conn, self._conn = self._conn, None
        assert conn is not None, "an answer is read only once"
        return self._wire.read_last(conn)

    def drop(self) -> None:
        """Give up the answer, and its connection, unless it was read."""
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()


class Wire:
    """The connections of one process to one Redis; any of its threads may use them.

    Args:
        pool: redis-py's pool, which knows how to make connections.

    """

    def __init__(self, pool: redis.ConnectionPool) -> None:
        self._pool = pool
        self.idle: list[_Conn] = []
        self._most_idle = MOST_IDLE
        # All connections, those in use included.
        self._conns: set[weakref.ref[_Conn]] = set()
        self.only: Host | None = None
        """The only host to which connections may lead, if there is one."""

    def keep_to(self, place: Host | None) -> None:
        """From now on, use only connections to that host; None to use any."""
        self.only = place
        if place is not None:
            self.leave_all_but(place)

    def is_elsewhere(self, place: Host) -> bool:
        """Return whether any connection leads elsewhere."""
        return any(not conn.leads_to(place) for conn in self._open())

    def leave_all_but(self, place: Host) -> None:
        """Cut the connections that lead elsewhere: threads waiting on them find them lost."""
        for conn in self._open():
            if not conn.leads_to(place):
                conn.cut()

    def _open(self) -> list[_Conn]:
        conns = filter(None, (ref() for ref in list(self._conns)))
        return [conn for conn in conns if conn.is_open]

    def ask(self, command: Command) -> Any:
        """Send a command and return its answer.

        Raises:
            RedisError: The command failed, or the connection.

        """
        return self.read_last(self._written([command]))

    def ask_and_go_on(self, command: Command, then: Command) -> tuple[Any, Pending]:
        """Send two commands in one write; return the first answer and the pending second.

        Raises:
            RedisError: The first failed, or the connection; the second may have run.

        """
        conn = self._written([command, then])
        try:
            return conn.read(), Pending(self, conn)
        except BaseException as error:
            self._after(error, conn, is_last=False)
            raise

    def ask_all(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands in one write; return their answers, with an error for each that failed.

        Raises:
            RedisError: The connection failed, so any of them may have run.

        """
        conn = self._written(commands)
        try:
            answers = [conn.read_or_error() for _ in commands]
        except BaseException as error:
            self._after(error, conn, is_last=False)
            raise
        self._keep(conn)
        return answers

    def tell(self, *commands: Command) -> None:
        """Send commands in one write, without waiting for their answers.

        Raises:
            RedisError: The connection failed.

        """
        conn = self._written(commands)
        conn.owed += len(commands)
        self._keep(conn)

    def read_last(self, conn: _Conn) -> Any:
        """Return a connection's last answer, and keep the connection for later."""
        try:
            answer = conn.read()
        except BaseException as error:
            self._after(error, conn, is_last=True)
            raise
        self._keep(conn)
        return answer

    def close(self) -> None:
        """Close all connections; one in use is closed once it is free."""
        self._most_idle = 0
        self._forget_idle()

    def _keep(self, conn: _Conn) -> None:
        """Keep a connection for later unless there are enough; close one that was idle too long."""
        if len(self.idle) >= self._most_idle:
            conn.close()
            return
        conn.idle_since = time.monotonic()
        self.idle.append(conn)
        self._close_idle(conn.idle_since - _LONGEST_IDLE)

    def _close_idle(self, since: float) -> None:
        try:
            if self.idle[0].idle_since < since:
                self.idle.pop(0).close()
        except IndexError:
            pass  # another thread took it

    def _written(self, commands: Sequence[Command]) -> _Conn:
        conn = self._take()
        try:
            conn.write(commands)
        except BaseException as error:
            self._after(error, conn, is_last=False)
            raise
        return conn

    def _take(self) -> _Conn:
        while True:
            try:
                conn = self.idle.pop()
            except IndexError:
                return self._new_conn()
            if self._is_usable(conn):
                return conn
            conn.close()

    def _is_usable(self, conn: _Conn) -> bool:
        try:
            return conn.is_alive() and (self.only is None or conn.leads_to(self.only))
        except BaseException:
            conn.close()
            raise

    def _new_conn(self) -> _Conn:
        conn = _Conn(self._new_connection())
        self._conns.add(weakref.ref(conn, self._conns.discard))
        if self.only is not None and not conn.leads_to(self.only):
            conn.close()
            raise _elsewhere()
        return conn

    def _new_connection(self) -> Any:
        connect = until(moment())(partial(_connected, self._pool))
        connecting: Aside[Any] = aside(connect)
        try:
            connecting.wait()
        except BaseException:
            connecting.give_up(lambda connection: connection.disconnect())
            raise
        return connecting.result()

    def _after(self, error: BaseException, conn: _Conn, *, is_last: bool) -> None:
        """Keep a connection on which Redis only refused a command; else close it."""
        is_own = isinstance(error, RedisError) and not has_broken_in(error)
        if is_own and is_last and isinstance(error, ResponseError):
            self._keep(conn)
            return
        conn.close()
        if is_own and not isinstance(error, ResponseError):
            self._forget_idle()

    def _forget_idle(self) -> None:
        """Close the idle connections to a Redis that was lost."""
        idle, self.idle = self.idle, []
        for conn in idle:
            conn.close()


def _elsewhere() -> RedisError:
    error = RedisConnectionError("another Redis has just become the master")
    error.was_sent = False  # type: ignore[attr-defined]
    return error


def _connected(pool: redis.ConnectionPool) -> Any:
    """Return a new connection; mark an error of redis-py's as one before sending."""
    connection = pool.connection_class(**pool.connection_kwargs)
    try:
        connection.connect()
    except RedisError as error:
        error.was_sent = False  # type: ignore[attr-defined]
        raise
    return connection
