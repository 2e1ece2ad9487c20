"""A thread's deadline for waiting for Redis, which every connection keeps.

A call waits in many places: for a connection and its handshake, for the discovery of the master,
for answers, and again after each failure. So the deadline belongs to the thread, and connections
check it before each wait.
"""

from __future__ import annotations

import math
import ssl
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Final, TypeVar

from queued_gspread._clock import now
from queued_gspread._interrupts import has_broken_in, own

from .detached import aside

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Limited", "extend", "is_limited", "is_of_socket", "left", "moment", "until"]

T = TypeVar("T")

# A socket with a time-out of 0 is non-blocking, and raises other errors.
_LEAST: Final = 0.001


class _Block:
    """An :func:`until` block that a thread is in."""

    def __init__(self, end: float) -> None:
        self.end = end


class _Limit(threading.local):
    # Weak references, so that a block ends even if an interrupt comes at its very end.
    blocks: tuple[weakref.ref[_Block], ...] = ()


_limit = _Limit()


def _inmost() -> _Block | None:
    for ref in reversed(_limit.blocks):
        block = ref()
        if block is not None:
            return block
    return None


def moment() -> float:
    """Return this thread's deadline for Redis; infinite if it has none."""
    block = _inmost()
    return math.inf if block is None else block.end


class until:  # noqa: N801 - a context manager, as those of contextlib are named
    """Gives this thread a deadline for Redis, in a block or as a decorator.

    Args:
        end: A moment of :func:`~queued_gspread._clock.now`.

    """

    def __init__(self, end: float) -> None:
        self._end = end
        self._block: _Block | None = None

    def __call__(self, work: Callable[..., T]) -> Callable[..., T]:
        """Return a function that works with this deadline."""

        def limited(*args: Any, **kwargs: Any) -> T:
            with until(self._end):
                return work(*args, **kwargs)

        return limited

    def __enter__(self) -> None:
        block = self._block = _Block(self._end)
        alive = [ref for ref in _limit.blocks if ref() is not None]
        _limit.blocks = (*alive, weakref.ref(block))

    def __exit__(self, *_: object) -> None:
        self._block = None


def extend(end: float) -> None:
    """Change the deadline for the rest of the thread's current :func:`until` block."""
    block = _inmost()
    if block is not None:
        block.end = end


def is_limited() -> bool:
    """Return whether this thread has a deadline."""
    return moment() != math.inf


def left() -> float:
    """Return the seconds until the deadline; infinite if there is none."""
    return moment() - now()


class Limited:
    """Mixin for a connection of redis-py that waits no longer than its thread may."""

    _sock: Any

    def _connect(self) -> _Socket:
        connect: Callable[[], Any] = super()._connect  # type: ignore[misc]
        return _Socket(_in_time(connect) if is_limited() else connect())

    def has_arrived(self) -> bool:
        """Return whether there is something to read, such as the end, though no answer is owed.

        The first byte of it is read: after that the connection is of no use.
        """
        return self._sock is None or self._sock.has_arrived()

    def disconnect(self, *args: Any, **kwargs: Any) -> None:
        """Close the socket here: redis-py would drop any OSError, even a signal handler's."""
        own, self._sock = self._sock, None
        super().disconnect(*args, **kwargs)  # type: ignore[misc]
        if own is not None:
            own.close()


def is_of_socket(error: OSError) -> bool:
    """Return whether a connection's own socket raised an error."""
    return hasattr(error, _MARK)


_MARK: Final = "_is_of_socket"


class _Socket:
    """A socket whose waits end at the thread's deadline.

    It marks its own errors.
    """

    def __init__(self, own: Any) -> None:
        self._own = own

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    def sendall(self, *args: Any) -> Any:
        return self._do(self._own.sendall, args)

    def recv(self, *args: Any) -> Any:
        return self._do(self._own.recv, args)

    def recv_into(self, *args: Any) -> Any:
        return self._do(self._own.recv_into, args)

    def has_arrived(self) -> bool:
        timeout = self._own.gettimeout()
        self._own.settimeout(0)
        try:
            self._own.recv(1)
        except own(BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            self._own.settimeout(timeout)
        return True

    def _do(self, wait: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        own = self._own.gettimeout()
        if not is_limited() or own == 0:
            return _marked(wait, args, own)
        limit = min(own, max(left(), _LEAST))
        self._own.settimeout(limit)
        try:
            return _marked(wait, args, limit)
        finally:
            self._own.settimeout(own)


def _marked(wait: Callable[..., Any], args: tuple[Any, ...], timeout: float | None) -> Any:
    began = time.monotonic()
    try:
        return wait(*args)
    except OSError as error:
        if _is_own(error, timeout, time.monotonic() - began):
            setattr(error, _MARK, True)
        raise


def _is_own(error: OSError, timeout: float | None, lasted: float) -> bool:
    # The system's errors all have a number. A time-out has none, and neither has one that gevent's
    # timer or another thread raises here, which comes too early. Timers may be somewhat early.
    is_systems = error.errno is not None
    is_due = isinstance(error, TimeoutError) and timeout is not None and lasted > timeout / 2
    return (is_systems or is_due) and not has_broken_in(error)


def _in_time(connect: Callable[[], Any]) -> Any:
    """Return a connected socket by the deadline: a name's look-up has no time-out of its own."""
    connecting = aside(connect)
    is_in_time = False
    try:
        is_in_time = connecting.wait(left())
    finally:
        if not is_in_time:
            connecting.give_up(lambda connected: connected.close())
    if is_in_time:
        return connecting.result()
    raise TimeoutError
