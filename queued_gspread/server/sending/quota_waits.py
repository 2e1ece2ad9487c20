"""What the log says when requests begin to wait for the quota: once for a time of waiting."""

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

# So long nothing is said where the end of the wait is not known: soon an answer may come.
_PATIENCE: Final = 5.0
_SHARED: Final = "spreadsheets share it, and the next of one that has had its part"


class QuotaWaits:
    """Tells when requests of a kind begin to wait.

    That ends when one of them goes as soon as it comes. What begins within a window of the
    latest time is not told of: under constant load some wait all the time, and some do not.

    Args:
        quota: What is waited for.
        queue: Knows how many calls wait in it.
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
        # Since when each kind waits, and whether that was told.
        self._waiting: dict[str, tuple[float, bool]] = {}
        self._latest: dict[str, float] = {}
        self._lock = threading.Lock()

    def noted(self, slot: Slot, permit: Permit, attempts: Attempts) -> Permit:
        """Note what Redis has said to a request; return that.

        Args:
            slot: The slot that it asked for.
            permit: The answer.
            attempts: The attempts at the request, which tell whether it has waited.

        """
        if permit.word == "go" and not attempts.has_waited and slot.kind in self._waiting:
            with self._lock:
                self._waiting.pop(slot.kind, None)
        elif permit.word == "wait" and permit.kind != ALL and self._begins(slot, permit.wait):
            self._tell(slot, permit.wait)
        return permit

    def held_back(self, slot: Slot, wait: float) -> None:
        """Note that a request does not ask yet, for so many seconds, so that others have theirs."""
        if wait > 0 and self._begins(slot, wait):
            self._tell(slot, wait, is_shared=True)

    def _begins(self, slot: Slot, wait: float) -> bool:
        """Return whether this is to be told of."""
        now = self._clock()
        with self._lock:
            since, is_told = self._waiting.setdefault(slot.kind, (now, False))
            if is_told or (wait == math.inf and now < since + _PATIENCE):
                return False
            if now < self._latest.get(slot.kind, -math.inf) + slot.window:
                return False
            self._waiting[slot.kind] = (since, True)
            self._latest[slot.kind] = now
            return True

    def _tell(self, slot: Slot, wait: float, *, is_shared: bool = False) -> None:
        calls, until = self._count(), None
        told = "once Google has answered one of those in the air"
        if wait < math.inf:
            until = datetime.now(timezone.utc) + timedelta(seconds=wait)
            told = f"in {wait:.1f} s, at {until.astimezone():%H:%M:%S}"
        fields = {
            "event": "quota_wait",
            "quota": slot.kind,
            "until": until and until.isoformat(timespec="milliseconds"),
            "calls": calls,
            "shared": is_shared,
        }
        LOGGER.info(
            "waiting for the quota of %s (%s): %s may be sent %s; calls in the queue: %s",
            *(WHAT[slot.kind], self._quota.shown(slot.kind), _SHARED if is_shared else "the next"),
            *(told, "?" if calls is None else calls),
            extra={"fields": fields},
        )

    def _count(self) -> int | None:
        # Somebody may have put anything in its place.
        with suppress(BrokerUnavailableError, ValueError):
            return self._queue.count_waiting()
        return None
