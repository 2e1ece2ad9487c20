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

# Seconds for which one call of a process asks why it waits, before another one may: many may be due
# in one moment, and for each Redis counts the calls ahead of it.
_TURN: Final = 5.0

# Without logging set up, Python shows this logger's warnings on stderr.
_LOGGER: Final = logging.getLogger("queued_gspread")
_lock: Final = ForkLock()


class _Latest:
    """The latest notice, and the process that logged it: a forked child starts anew."""

    process = 0
    moment = -math.inf
    turn = (0, -math.inf)
    """The process of the latest call that has asked why it waits, and when it did."""


class Notice:
    """Logs that one call waits, and later that it goes on.

    Args:
        began: When it began to wait.
        is_quiet: Whether to log nothing.
        caller: The client's own name; '' if it has none.
        patience: Seconds that it waits before that; None for :data:`PATIENCE`.

    Attributes:
        caller: That name.
        job_id: The call's job, once it has one.

    """

    def __init__(
        self,
        began: float,
        *,
        is_quiet: bool = False,
        caller: str = "",
        patience: float | None = None,
    ) -> None:
        self.caller = caller
        self.job_id = ""
        self._began = began
        self._patience = patience
        self._who = f"queued_gspread ({caller})" if caller else "queued_gspread"
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

    def takes_turn(self) -> bool:
        """Return whether it is time to log why the call waits, and no other call is about to."""
        if self._is_over or now() < self._due_at:
            return False
        if not (_may_speak() and _LOGGER.isEnabledFor(logging.WARNING)):
            return False
        with _lock.own:
            process, moment = _Latest.turn
            if process == os.getpid() and now() < moment + _TURN:
                return False
            _Latest.turn = os.getpid(), now()
        return True

    def say(self, why: str) -> None:
        """Log why the call waits, unless the process has logged another call's notice meanwhile."""
        with _lock.own:
            if not _may_speak():
                return
            _Latest.process, _Latest.moment = os.getpid(), now()
        self._is_over, self._why = True, f"as said after {now() - self._began:.0f} s: {why}"
        _say(f"{self._who}: {why}")

    def last_words(self) -> str:
        """Return what to add to the error of a call that waited in vain: why, if it was logged."""
        return f". Why it waited, {self._why}" if self._why else ""

    def end(self) -> None:
        """Log that the call goes on, now that it has its answer, if its wait was logged."""
        if self._why:
            self._why = ""
            _say(f"{self._who}: goes on after {now() - self._began:.0f} s")


def _may_speak() -> bool:
    return _Latest.process != os.getpid() or now() >= _Latest.moment + APART


def _say(text: str) -> None:
    try:
        _LOGGER.warning("%s", text)
    except own(Exception):
        return  # from a filter or a handler: the call must go on
