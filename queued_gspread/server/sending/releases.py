"""Slots of requests that were answered: each is released by the script that runs next, or alone."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from queued_gspread.broker import AnsweredSlot, ReleaseArgs
from queued_gspread.errors import BrokerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from queued_gspread.broker import Consumer, QuotaState, Slot
    from queued_gspread.server.pacing.valve import Valve

__all__ = ["Releases"]


class Releases:
    """Releases slots; all lanes of a server may use it at once.

    Args:
        queue: The servers' side of the queue.
        valve: Is told of each slot that is released.

    """

    def __init__(self, queue: Consumer, valve: Valve) -> None:
        self._queue = queue
        self._valve = valve
        # By lane, those that the next script releases.
        self._answered: dict[str, list[AnsweredSlot]] = {}
        # What Redis would not take, and why a slot is held until it does.
        self._kept: deque[tuple[list[ReleaseArgs], Slot, int]] = deque()

    def add(self, lane: str, slot: AnsweredSlot) -> None:
        """Have the next script that runs for a lane release a slot."""
        self._answered.setdefault(lane, []).append(slot)

    @contextmanager
    def with_next(self, lane: str) -> Iterator[Sequence[AnsweredSlot]]:
        """Yield a lane's slots for the script that runs now; where that fails, they go alone."""
        slots = self._answered.pop(lane, [])
        try:
            yield slots
        except BaseException:
            self._each_alone(slots)
            raise
        for each in slots:
            self._valve.answered(each.slot)

    def now(self, lane: str) -> None:
        """Release a lane's slots alone, since no script runs for it for a while."""
        if slots := self._answered.pop(lane, None):
            self._each_alone(slots)

    def settle(self, jobs: list[ReleaseArgs], slot: Slot, sent: int, **answer: Any) -> QuotaState:
        """Release a slot alone; where Redis fails, keep it in mind: it would be held for ever."""
        try:
            return self._queue.release_slot(jobs, slot, sent, **answer)
        except BrokerUnavailableError:
            self._kept.append(([ReleaseArgs(job.entry) for job in jobs], slot, sent))
            raise

    def settle_kept(self) -> None:
        """Release what is kept in mind.

        Raises:
            BrokerUnavailableError: Redis still fails.

        """
        for _ in range(len(self._kept)):
            with suppress(IndexError):  # another thread has been quicker
                self.settle(*self._kept.popleft(), passed=False)

    def _each_alone(self, slots: Sequence[AnsweredSlot]) -> None:
        for each in slots:
            with suppress(BrokerUnavailableError):  # it is kept in mind
                self.settle([], each.slot, each.sent)
            self._valve.answered(each.slot)
