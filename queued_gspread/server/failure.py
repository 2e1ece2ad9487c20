"""End the whole server if one of its threads fails; otherwise callers would wait in vain."""

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
    """Wraps the work of a thread so that its failure does not go unnoticed."""

__all__ = ["Failure", "logged"]


class Failure:
    """Watches the threads of one run of a server.

    Args:
        end: Called in the thread that has failed, to end the server.

    Attributes:
        error: What the first thread that failed raised.

    """

    def __init__(self, end: Callable[[], None] = lambda: None) -> None:
        self._end = end
        self._message = ""
        self._reason: QueuedGspreadError | None = None
        self.error: BaseException | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the server has ended without being asked to."""
        return self.error is not None or self._reason is not None

    def end_for(self, reason: QueuedGspreadError) -> bool:
        """End the server in good order for a reason that :meth:`check` raises as it is.

        Returns whether this is the first reason.
        """
        if self._reason is not None:
            return False
        self._reason = reason
        self._end()
        return True

    def watched(self, work: Callable[..., None]) -> Callable[..., None]:
        """Wrap the work of a thread so that the server ends if it raises anything."""

        @wraps(work)
        def works(*args: object) -> None:
            try:
                work(*args)
            except BaseException as error:  # noqa: BLE001 - check() raises it
                self._note(error)

        return works

    def retire(self) -> None:
        """Let what is left of this run end nothing: the next run begins."""
        self._end = lambda: None

    def check(self) -> None:
        """Raise the reason why the server ended, or an error if one of its threads failed."""
        if self._reason is not None:
            raise self._reason
        if self.error is not None:
            raise QueuedGspreadError(
                self._message or "a thread of the server has failed"
            ) from self.error

    def _note(self, error: BaseException) -> None:
        try:
            name, what = threading.current_thread().name, f"{type(error).__name__}: {error}"
            LOGGER.critical("the thread %s has failed, please report it", name, exc_info=error)
            message = f"the server has ended, since its thread {name!r} has failed: {clean(what)}"
            self._message = self._message or message
        finally:
            self.error = self.error or error
            self._end()


def logged(work: Callable[..., None]) -> Callable[..., None]:
    """Wrap the work of a thread that belongs to no server so that it logs what it raises."""
    return Failure().watched(work)
