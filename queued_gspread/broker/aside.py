"""Work in a thread of its own, so that whoever waits for it can stop waiting."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aside"]

T = TypeVar("T")


def aside(work: Callable[[], T], name: str, *, daemon: bool) -> Future[T]:
    """Run a function in a thread of its own.

    Args:
        work: The function.
        name: Of the thread.
        daemon: Whether the process may end without waiting for it.

    """
    made: Future[T] = Future()
    try:
        threading.Thread(target=_make, args=(work, made), name=name, daemon=daemon).start()
    except RuntimeError:  # too many threads, or the interpreter is about to end
        _make(work, made)
    return made


def _make(work: Callable[[], T], made: Future[T]) -> None:
    try:
        made.set_result(work())
    except BaseException as error:  # noqa: BLE001 - raised for whoever asks for the result
        made.set_exception(error)
