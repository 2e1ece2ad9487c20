"""Says that a call waits: once for a call, and once a minute for a process, however many wait."""

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
"""Seconds for which a call waits without a word; a test may set it here."""

APART = 60.0
"""Seconds between two that are said by one process, whatever its clients and threads."""

# Python shows a warning of it on stderr where a program has no logging set up.
_LOGGER: Final = logging.getLogger("queued_gspread")
_lock: Final = ForkLock()


class _Latest:
    """When this process has said one, and which process that was: a forked child has its own."""

    process = 0
    moment = -math.inf


class Notice:
    """What is said of one call that waits, and that it goes on.

    Args:
        began: The moment at which it began to wait.
        is_quiet: Whether nothing is to be said.

    """

    def __init__(self, began: float, *, is_quiet: bool = False) -> None:
        self._began = began
        self._is_over = is_quiet
        self._why = ""

    @property
    def left(self) -> float:
        """Seconds for which the call still waits without a word; infinite once they are over."""
        left = self._began + PATIENCE - now()
        return left if left > 0 else math.inf

    @property
    def is_due(self) -> bool:
        """Whether it is time to say why the call waits."""
        if self._is_over or now() < self._began + PATIENCE:
            return False
        return _may_speak() and _LOGGER.isEnabledFor(logging.WARNING)

    def say(self, why: str) -> None:
        """Say why the call waits, unless the process has said so of another one meanwhile."""
        with _lock.own:
            if not _may_speak():
                return
            _Latest.process, _Latest.moment = os.getpid(), now()
        self._is_over, self._why = True, f"as said after {now() - self._began:.0f} s: {why}"
        _say(f"queued_gspread: {why}")

    def last_words(self) -> str:
        """Return what to add to the error of a call that waited in vain: why, if that was said."""
        return f". Why it waited, {self._why}" if self._why else ""

    def end(self) -> None:
        """Say that the call goes on, now that it has its answer, if it was said that it waits."""
        if self._why:
            self._why = ""
            _say(f"queued_gspread: goes on after {now() - self._began:.0f} s")


def _may_speak() -> bool:
    return _Latest.process != os.getpid() or now() >= _Latest.moment + APART


def _say(text: str) -> None:
    try:
        _LOGGER.warning("%s", text)
    except own(Exception):
        return  # a filter's or a handler's: the call goes on
