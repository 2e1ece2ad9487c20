"""Work in a thread of its own, so that whoever waits for it can stop waiting.

Whoever waits may be interrupted by a signal handler that raises, at any moment. So nothing here is
a lock that Python code takes: an interrupt between the taking and the next line would leave it
locked, and the thread that does the work would wait for it for ever. ``threading.Thread`` and
``Future`` both have such locks. What is used is the interpreter's own, which are taken or not.
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
    """What another thread does.

    Attributes:
        is_done: Whether it has come to its end.
        error: What it has raised, if anything.

    """

    def __init__(self) -> None:
        self.is_done = False
        self.error: BaseException | None = None
        self._result: T
        self._unwanted: list[Callable[[T], Any]] = []
        self._underway = threading.Lock()
        self._underway.acquire()

    def wait(self, seconds: float = math.inf) -> bool:
        """Wait until it is done, for so long at the most; return whether it is.

        Whatever a signal handler raises ends the wait.
        """
        while not self.is_done and seconds > 0:
            # In slices, since Python misses a signal that comes just before a wait.
            if self._underway.acquire(timeout=min(seconds, _SLICE)):
                self._underway.release()
            seconds -= _SLICE
        return self.is_done

    def result(self) -> T:
        """Return what came of it, once it is done, or raise that."""
        if self.error is not None:
            raise self.error
        return self._result

    def give_up(self, close: Callable[[T], Any]) -> None:
        """Have its result closed, as soon as it is there: nobody wants it any more."""
        self._unwanted.append(close)
        if self.is_done:
            self._close_unwanted()

    def _do(self, work: Callable[[], T]) -> None:
        try:
            self._result = work()
        except BaseException as error:  # noqa: BLE001 - raised for whoever asks for the result
            self.error = error
        self.is_done = True
        self._underway.release()
        self._close_unwanted()

    def _close_unwanted(self) -> None:
        while self._unwanted:
            try:
                close = self._unwanted.pop()
            except IndexError:
                return  # the other thread has taken it
            if self.error is None:
                close(self._result)


def aside(work: Callable[[], T], *, awaited_until: float = -math.inf) -> Aside[T]:
    """Do something in a thread of its own.

    Args:
        work: What is done.
        awaited_until: The moment of :func:`~queued_gspread._clock.now` before which the process
            does not end unless it is done.

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


# What the process waits for before it ends, and whose it is: a forked child's threads are gone.
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
