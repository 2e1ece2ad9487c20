"""Slots of answered requests: each is released by the next script that runs, or alone."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from queued_gspread.broker import AnsweredSlot, ReleaseArgs
from queued_gspread.errors import BrokerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queued_gspread.broker import Consumer, QuotaState, Slot
    from queued_gspread.server.pacing.valve import Valve

__all__ = ["Releases"]

_T = TypeVar("_T")


class Releases:
    """Releases slots. Thread-safe: all lanes of a server share it.

    Args:
        queue: The servers' side of the queue.
        valve: Is notified of each slot that is released.

    """

    def __init__(self, queue: Consumer, valve: Valve) -> None:
        self._queue = queue
        self._valve = valve
        # By lane, the slots that its next script releases.
        self._answered: dict[str, list[AnsweredSlot]] = {}
        # Releases that did not reach Redis; their slots are held until they do.
        self._kept: deque[tuple[list[ReleaseArgs], Slot, int]] = deque()

    def add(self, lane: str, slot: AnsweredSlot) -> None:
        """Let the next script that runs for a lane release a slot."""
        self._answered.setdefault(lane, []).append(slot)

    def with_next(self, lane: str, script: Callable[[Sequence[AnsweredSlot]], _T]) -> _T:
        """Run a lane's next script with its slots, and return what the script does.

        If the script fails, each slot is released alone.
        """
        slots = self._answered.pop(lane, ())
        try:
            returned = script(slots)
        except BaseException:
            self._each_alone(slots)
            raise
        for each in slots:
            self._valve.answered(each.slot)
        return returned

    def now(self, lane: str) -> None:
        """Release each of a lane's slots alone, as no script will run for it for a while."""
        if slots := self._answered.pop(lane, None):
            self._each_alone(slots)

    def settle(self, jobs: list[ReleaseArgs], slot: Slot, sent: int, **answer: Any) -> QuotaState:
        """Release a slot alone; if Redis fails, keep it for later, or it would be held forever."""
        try:
            return self._queue.release_slot(jobs, slot, sent, **answer)
        except BrokerUnavailableError:
            self._kept.append(([ReleaseArgs(job.entry) for job in jobs], slot, sent))
            raise

    def settle_kept(self) -> None:
        """Release the slots that were kept for later.

        Raises:
            BrokerUnavailableError: Redis still fails.

        """
        for _ in range(len(self._kept)):
            with suppress(IndexError):  # another thread was quicker
                self.settle(*self._kept.popleft(), passed=False)

    def _each_alone(self, slots: Sequence[AnsweredSlot]) -> None:
        for each in slots:
            with suppress(BrokerUnavailableError):  # it is kept for later
                self.settle([], each.slot, each.sent)
            self._valve.answered(each.slot)
