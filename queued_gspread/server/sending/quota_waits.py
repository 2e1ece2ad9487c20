"""Log lines for when requests begin to wait for the quota: once for each time of waiting."""

from __future__ import annotations

import math
import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import ALL
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.server.log import LOGGER

from .incidents import WHAT

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker import Consumer, Permit, Slot
    from queued_gspread.server.pacing.quota import Quota
    from queued_gspread.server.policy.retry import Attempts

__all__ = ["QuotaWaits"]

# While the end of a wait is not known, log nothing for so many seconds: an answer may come soon.
_SILENT_FOR: Final = 5.0
_SHARED: Final = "spreadsheets share it, and the next of one that has had its part"


class QuotaWaits:
    """Logs when requests of a kind begin to wait.

    A time of waiting ends when a request goes without having waited. One that begins within a
    window of the latest log line is not logged: under constant load some requests wait all the
    time, and some do not.

    Args:
        quota: The quota that they wait for.
        queue: Counts the calls that wait in it.
        clock: A monotonic clock, in seconds.

    """

    def __init__(
        self,
        quota: Quota,
        queue: Consumer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._quota = quota
        self._queue = queue
        self._clock = clock
        # Since when each kind waits, and whether that was logged.
        self._waiting: dict[str, tuple[float, bool]] = {}
        self._latest: dict[str, float] = {}
        self._lock = threading.Lock()

    def noted(self, slot: Slot, permit: Permit, attempts: Attempts) -> Permit:
        """Note Redis's answer to a request, and return it.

        Args:
            slot: The slot that the request asked for.
            permit: The answer.
            attempts: The attempts to send the request; they know whether it has waited.

        """
        if permit.word == "go" and not attempts.has_waited and slot.kind in self._waiting:
            with self._lock:
                self._waiting.pop(slot.kind, None)
        elif permit.word == "wait" and permit.kind != ALL and self._is_news(slot, permit.wait):
            self._log(slot, permit.wait)
        return permit

    def held_back(self, slot: Slot, wait: float) -> None:
        """Note that fairness keeps a request from asking for so many seconds."""
        if wait > 0 and self._is_news(slot, wait):
            self._log(slot, wait, is_shared=True)

    def _is_news(self, slot: Slot, wait: float) -> bool:
        """Return whether to log this wait; if so, note that it was logged."""
        now = self._clock()
        with self._lock:
            since, is_logged = self._waiting.setdefault(slot.kind, (now, False))
            if is_logged or (wait == math.inf and now < since + _SILENT_FOR):
                return False
            if now < self._latest.get(slot.kind, -math.inf) + slot.window:
                return False
            self._waiting[slot.kind] = (since, True)
            self._latest[slot.kind] = now
            return True

    def _log(self, slot: Slot, wait: float, *, is_shared: bool = False) -> None:
        calls, until = self._count(), None
        when = "once Google has answered one of those in the air"
        if wait < math.inf:
            until = datetime.now(timezone.utc) + timedelta(seconds=wait)
            when = f"in {wait:.1f} s, at {until.astimezone():%H:%M:%S}"
        fields = {
            "event": "quota_wait",
            "quota": slot.kind,
            "until": until and until.isoformat(timespec="milliseconds"),
            "calls": calls,
            "shared": is_shared,
        }
        LOGGER.info(
            "waiting for the quota of %s (%s): %s may be sent %s; calls in the queue: %s",
            WHAT[slot.kind],
            self._shown(slot),
            _SHARED if is_shared else "the next",
            when,
            "?" if calls is None else calls,
            extra={"fields": fields},
        )

    def _shown(self, slot: Slot) -> str:
        """Return the limit in words."""
        if not (slot.may_be_lent and slot.limit):
            return self._quota.shown(slot.kind)
        return f"{slot.limit} in {slot.window:g} s for all accounts together"

    def _count(self) -> int | None:
        # Another program may have put anything into that key.
        with suppress(BrokerUnavailableError, ValueError):
            return self._queue.count_waiting()
        return None
