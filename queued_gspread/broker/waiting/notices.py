"""Logs that a call waits: once per call, and at most once a minute per process."""

from __future__ import annotations

import logging
import math
import os
from typing import Final

from queued_gspread._clock import now
from queued_gspread._fork import ForkLock
from queued_gspread._interrupts import own

__all__ = ["Notice"]

PATIENCE = 10.0
"""Seconds that a call waits before a notice; a test may set it here."""

APART = 60.0
"""Seconds between two notices of one process, whatever its clients and threads."""

# Without logging set up, Python shows this logger's warnings on stderr.
_LOGGER: Final = logging.getLogger("queued_gspread")
_lock: Final = ForkLock()


class _Latest:
    """The latest notice, and the process that logged it: a forked child starts anew."""

    process = 0
    moment = -math.inf


class Notice:
    """Logs that one call waits, and later that it goes on.

    Args:
        began: When it began to wait.
        is_quiet: Whether to log nothing.
        patience: Seconds that it waits before that; None for :data:`PATIENCE`.

    """

    def __init__(
        self, began: float, *, is_quiet: bool = False, patience: float | None = None
    ) -> None:
        self._began = began
        self._patience = patience
        self._is_over = is_quiet
        self._why = ""

    @property
    def _due_at(self) -> float:
        return self._began + (PATIENCE if self._patience is None else self._patience)

    @property
    def left(self) -> float:
        """Seconds until a notice is due; infinite once it is."""
        left = self._due_at - now()
        return left if left > 0 else math.inf

    @property
    def is_due(self) -> bool:
        """Whether it is time to log why the call waits."""
        if self._is_over or now() < self._due_at:
            return False
        return _may_speak() and _LOGGER.isEnabledFor(logging.WARNING)

    def say(self, why: str) -> None:
        """Log why the call waits, unless the process has logged another call's notice meanwhile."""
        with _lock.own:
            if not _may_speak():
                return
            _Latest.process, _Latest.moment = os.getpid(), now()
        self._is_over, self._why = True, f"as said after {now() - self._began:.0f} s: {why}"
        _say(f"queued_gspread: {why}")

    def last_words(self) -> str:
        """Return what to add to the error of a call that waited in vain: why, if it was logged."""
        return f". Why it waited, {self._why}" if self._why else ""

    def end(self) -> None:
        """Log that the call goes on, now that it has its answer, if its wait was logged."""
        if self._why:
            self._why = ""
            _say(f"queued_gspread: goes on after {now() - self._began:.0f} s")


def _may_speak() -> bool:
    return _Latest.process != os.getpid() or now() >= _Latest.moment + APART


def _say(text: str) -> None:
    try:
        _LOGGER.warning("%s", text)
    except own(Exception):
        return  # from a filter or a handler: the call must go on
