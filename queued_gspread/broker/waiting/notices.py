"""Logs that a call waits, at most once a minute per process: a warning, and before it at INFO."""

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
"""Seconds that a call waits before a warning; a test may set it here."""

EARLY = 5.0
"""Seconds that it waits before a record at INFO."""

APART = 60.0
"""Seconds between two notices of one process at a level, whatever its clients and threads."""

# Seconds for which one call of a process asks why it waits, before another one may: many may be due
# in one moment, and for each Redis counts the calls ahead of it.
_TURN: Final = 5.0

# Without logging set up, Python shows this logger's warnings on stderr.
_LOGGER: Final = logging.getLogger("queued_gspread")
_lock: Final = ForkLock()
# The more urgent one first.
_LEVELS: Final = (logging.WARNING, logging.INFO)


class _Latest:
    """The latest notices, and the process that logged them: a forked child starts anew."""

    process = 0
    moment = -math.inf
    """Of the latest warning."""
    told = (0, -math.inf)
    """The process of the latest notice at INFO, and its moment."""
    turn = (0, -math.inf)
    """The process of the latest call that has asked why it waits, and when it did."""


class Notice:
    """Logs that one call waits, and later that it goes on.

    For whom logs at INFO, there is a record after :data:`EARLY`, and another one for each minute
    that the call goes on waiting; for everybody, a warning after :data:`PATIENCE`.

    Args:
        began: When it began to wait.
        is_quiet: Whether to log nothing.
        caller: The client's own name; '' if it has none.
        patience: Seconds that it waits before the warning; None for :data:`PATIENCE`.

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
        self._is_quiet = is_quiet
        self._has_warned = False
        self._tells_at = began + EARLY
        self._level = logging.WARNING
        self._said = 0  # the highest level of what was logged
        self._why = ""

    @property
    def _warns_at(self) -> float:
        """When the warning is due; infinite once it was logged."""
        if self._has_warned:
            return math.inf
        return self._began + (PATIENCE if self._patience is None else self._patience)

    @property
    def left(self) -> float:
        """Seconds until a notice is due; infinite once it is."""
        if self._is_quiet:
            return math.inf
        moment, next_at = now(), self._warns_at
        if next_at <= moment:
            next_at = math.inf
        if moment < self._tells_at < next_at and _LOGGER.isEnabledFor(logging.INFO):
            next_at = self._tells_at
        return next_at - moment

    def takes_turn(self) -> bool:
        """Return whether it is time to log why the call waits, and no other call is about to."""
        level = None if self._is_quiet else next(filter(self._is_due, _LEVELS), None)
        if level is None:
            return False
        with _lock.own:
            process, moment = _Latest.turn
            if process == os.getpid() and now() < moment + _TURN:
                return False
            _Latest.turn = os.getpid(), now()
        self._level = level
        return True

    def _is_due(self, level: int) -> bool:
        due_at = self._warns_at if level == logging.WARNING else self._tells_at
        return now() >= due_at and _may_speak(level) and _LOGGER.isEnabledFor(level)

    def say(self, why: str, brief: str = "") -> None:
        """Log why the call waits, unless the process has logged another call's notice meanwhile.

        Args:
            why: The warning.
            brief: The record at INFO; the same without one.

        """
        level, text = self._level, why
        with _lock.own:
            if not _may_speak(level):
                return
            if level == logging.WARNING:
                _Latest.process, _Latest.moment = os.getpid(), now()
                self._has_warned = True
            else:
                _Latest.told = os.getpid(), now()
                text = brief or why
        self._tells_at = now() + APART
        self._why = f"as said after {now() - self._began:.0f} s: {text}"
        self._said = max(level, self._said)
        _say(f"{self._who}: {text}", level)

    def last_words(self) -> str:
        """Return what to add to the error of a call that waited in vain: why, if it was logged."""
        return f". Why it waited, {self._why}" if self._why else ""

    def end(self) -> None:
        """Log that the call goes on, now that it has its answer, if its wait was logged."""
        if self._why:
            self._why = ""
            _say(f"{self._who}: goes on after {now() - self._began:.0f} s", self._said)


def _may_speak(level: int) -> bool:
    latest = _Latest.told if level == logging.INFO else (_Latest.process, _Latest.moment)
    return latest[0] != os.getpid() or now() >= latest[1] + APART


def _say(text: str, level: int) -> None:
    try:
        _LOGGER.log(level, "%s", text)
    except own(Exception):
        return  # from a filter or a handler: the call must go on
