"""Work in a thread of its own, so that whoever waits for it can stop waiting."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any, Final, TypeVar

from queued_gspread.intrusion import handled, intruder, own

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aside", "wait_for"]

_SLICE: Final = 0.2

T = TypeVar("T")


def aside(work: Callable[[], T], name: str, *, daemon: bool) -> Future[T]:
    """Run a function in a thread of its own.

    Args:
        work: The function.
        name: Of the thread.
        daemon: Whether the process may end without waiting for it.

    """
    made: Future[T] = Future()
    outer = handled()
    try:
        threading.Thread(target=_make, args=(work, made), name=name, daemon=daemon).start()
    except own(RuntimeError) as error:
        if intruder(error, outer) is not None:
            raise  # of a lock that an interrupt has left, while the thread begins
        _make(work, made)  # too many threads, or the interpreter is about to end
    return made


def wait_for(made: Future[Any]) -> None:
    """Wait until work is done; whatever a signal handler raises ends the wait."""
    while not made.done():
        # In slices, since Python misses a signal that comes just before a wait.
        wait([made], _SLICE)


def _make(work: Callable[[], T], made: Future[T]) -> None:
    try:
        made.set_result(work())
    except BaseException as error:  # noqa: BLE001 - raised for whoever asks for the result
        made.set_exception(error)
