"""Work in a thread of its own, so that the waiting thread can stop waiting for it.

A signal handler may raise in the waiting thread at any moment. So nothing here uses a lock that
Python code acquires: an interrupt between acquiring it and the next line would leave it locked, and
the working thread would wait for it forever. ``threading.Thread`` and ``Future`` both have such
locks. This module uses the interpreter's own, whose acquisition cannot be interrupted halfway.
"""

from __future__ import annotations

import _thread
import atexit
import math
import os
import threading
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from queued_gspread._clock import now
from queued_gspread._interrupts import handled, intruder, own

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Aside", "aside"]

_SLICE: Final = 0.2

T = TypeVar("T")


class Aside(Generic[T]):
    """Work that another thread does.

    Attributes:
        is_done: Whether it has ended.
        error: The exception that it raised, if any.

    """

    def __init__(self) -> None:
        self.is_done = False
        self.error: BaseException | None = None
        self._result: T
        self._unwanted: list[Callable[[T], Any]] = []
        self._underway = threading.Lock()
        self._underway.acquire()

    def wait(self, seconds: float = math.inf) -> bool:
        """Wait at most so many seconds until it is done; return whether it is.

        An exception from a signal handler ends the wait.
        """
        while not self.is_done and seconds > 0:
            # In slices: Python would handle a signal that comes just before a wait only after it.
            if self._underway.acquire(timeout=min(seconds, _SLICE)):
                self._underway.release()
            seconds -= _SLICE
        return self.is_done

    def result(self) -> T:
        """Return its result once it is done, or raise its exception."""
        if self.error is not None:
            raise self.error
        return self._result

    def give_up(self, close: Callable[[T], Any]) -> None:
        """Close its result as soon as it is there, since it is no longer wanted."""
        self._unwanted.append(close)
        if self.is_done:
            self._close_unwanted()

    def _do(self, work: Callable[[], T]) -> None:
        try:
            self._result = work()
        except BaseException as error:  # noqa: BLE001 - result() raises it
            self.error = error
        self.is_done = True
        self._underway.release()
        self._close_unwanted()

    def _close_unwanted(self) -> None:
        while self._unwanted:
            try:
                close = self._unwanted.pop()
            except IndexError:
                return  # the other thread took it
            if self.error is None:
                close(self._result)


def aside(work: Callable[[], T], *, awaited_until: float = -math.inf) -> Aside[T]:
    """Do something in a thread of its own.

    Args:
        work: What to do.
        awaited_until: A moment of :func:`~queued_gspread._clock.now`: until then, the process does
            not exit before the work is done.

    """
    done: Aside[T] = Aside()
    if awaited_until > now():
        _awaited[done] = os.getpid(), awaited_until
        work = _until_done(work, done)
    outer = handled()
    try:
        _thread.start_new_thread(done._do, (work,))  # noqa: SLF001 - of this module
    except own(RuntimeError) as error:
        if intruder(error, outer) is not None:
            raise
        done._do(work)  # noqa: SLF001 - too many threads, or the interpreter is about to end
    return done


# The work that a process waits for before it exits; a forked child does not have the threads.
_awaited: dict[Aside[Any], tuple[int, float]] = {}


def _until_done(work: Callable[[], T], done: Aside[T]) -> Callable[[], T]:
    def do() -> T:
        try:
            return work()
        finally:
            _awaited.pop(done, None)

    return do


@atexit.register
def _wait_for_awaited() -> None:
    for done, (pid, end) in list(_awaited.items()):
        if pid == os.getpid():
            done.wait(end - now())
