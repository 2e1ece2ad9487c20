"""A server whose thread fails ends as a whole: it would go on for show, and callers would wait."""

from __future__ import annotations

import threading
from functools import wraps
from typing import TYPE_CHECKING, TypeAlias

from queued_gspread.errors import QueuedGspreadError
from queued_gspread.protocol.codec.scrub import clean

from .log import LOGGER

if TYPE_CHECKING:
    from collections.abc import Callable

    Watch: TypeAlias = Callable[[Callable[..., None]], Callable[..., None]]
    """Makes of the work of a thread one that does not end unnoticed."""

__all__ = ["Failure", "logged"]


class Failure:
    """Watches the threads of one run of a server.

    Args:
        end: Called, in the thread that has failed, to have the server end.

    Attributes:
        error: What the first thread that failed has raised.

    """

    def __init__(self, end: Callable[[], None] = lambda: None) -> None:
        self._end = end
        self._told = ""
        self._reason: QueuedGspreadError | None = None
        self.error: BaseException | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the server has ended though nobody has asked it to."""
        return self.error is not None or self._reason is not None

    def end_for(self, reason: QueuedGspreadError) -> bool:
        """Have the server end in good order, for a reason that is told as it is.

        Returns whether this is the first one.
        """
        if self._reason is not None:
            return False
        self._reason = reason
        self._end()
        return True

    def watched(self, work: Callable[..., None]) -> Callable[..., None]:
        """Return the work of a thread, with which the server ends if it raises anything."""

        @wraps(work)
        def works(*args: object) -> None:
            try:
                work(*args)
            except BaseException as error:  # noqa: BLE001 - it is raised where the server is waited for
                self._note(error)

        return works

    def retire(self) -> None:
        """Have nothing end for what is left of this run: another one begins."""
        self._end = lambda: None

    def check(self) -> None:
        """Raise what the server ended for, or that a thread has failed."""
        if self._reason is not None:
            raise self._reason
        if self.error is not None:
            raise QueuedGspreadError(
                self._told or "a thread of the server has failed"
            ) from self.error

    def _note(self, error: BaseException) -> None:
        try:
            name, what = threading.current_thread().name, f"{type(error).__name__}: {error}"
            LOGGER.critical("the thread %s has failed, please report it", name, exc_info=error)
            told = f"the server has ended, since its thread {name!r} has failed: {clean(what)}"
            self._told = self._told or told
        finally:
            self.error = self.error or error
            self._end()


def logged(work: Callable[..., None]) -> Callable[..., None]:
    """Return the work of a thread that belongs to no server, which logs what it raises."""
    return Failure().watched(work)
