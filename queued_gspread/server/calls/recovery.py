"""What an earlier run of a call left behind, by this server or another one."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from queued_gspread.broker import spreadsheet_lane
from queued_gspread.server.replay.journal import Journal, Journals

from .promises import Promises

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.broker import Consumer, Entry

__all__ = ["Recovery"]


class Recovery:
    """Reads the journals of calls, and holds lanes back while an earlier write may still land.

    Args:
        queue: The servers' side of the queue.
        late_write_guard: Seconds for which a write without a response may still land.
        clock: A monotonic clock, in seconds.
        journals: Writes and reads the entries of journals.
        promises: What is kept under idempotency keys.

    """

    def __init__(
        self,
        queue: Consumer,
        late_write_guard: float,
        clock: Callable[[], float] = time.monotonic,
        journals: Journals | None = None,
        promises: Promises | None = None,
    ) -> None:
        self.journals = journals or Journals()
        self.promises = promises or Promises(queue)
        self._queue = queue
        self._late_write_guard = late_write_guard
        self._clock = clock
        # Lanes in which a write without a response may still land, and until when.
        self._guarded: dict[str, float] = {}
        self._guarding = threading.Lock()

    def journal(self, entry: Entry) -> Journal:
        """Return a call's journal."""
        return self.journals.read(entry.job_id, self._queue.journal(entry))

    def set_aside(self, entry: Entry) -> None:
        """Keep a job that servers have died with for inspection."""
        self._queue.poison(entry)

    def guard(self, lane: str) -> float:
        """Hold a lane back while an earlier write may still land; return for how many seconds."""
        seconds, now = self._late_write_guard, self._clock()
        if seconds:
            with self._guarding:
                kept = {name: end for name, end in self._guarded.items() if end > now}
                self._guarded = {**kept, spreadsheet_lane(lane): now + seconds}
        return seconds

    def not_before(self, lane: str, moment: float) -> float:
        """Return the first moment from ``moment`` on at which a lane is not held back."""
        return max(moment, self._guarded.get(spreadsheet_lane(lane), moment))
