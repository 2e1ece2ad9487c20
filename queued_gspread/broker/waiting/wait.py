"""One caller's wait, as data: since when, for what, and when there was last a sign of life."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from queued_gspread._clock import now
from queued_gspread.broker.formats import Sighted

from .notices import Notice

if TYPE_CHECKING:
    from queued_gspread.broker.connection.wire import Pending

__all__ = ["LATE", "LEAVING", "Wait"]

LATE: Final = 0.4
"""Seconds after its deadline for which a caller still waits for an answer from Redis."""

LEAVING: Final = 0.4
"""Seconds then for all that has to do with the withdrawal: together less than one."""


@dataclass
class Wait:
    """One caller's wait: since when, for what, and when there was last a sign of life."""

    job_id: str
    lane: str
    timeout: float | None
    stream_id: str = ""
    generation: str = ""
    is_wanted: bool = False
    began: float = field(default_factory=now)
    alive_at: float = field(default_factory=now)
    others: Sighted = field(default_factory=Sighted)
    redis_gone_at: float | None = None
    # When Redis answered last, and its longest silence since it was last seen to know the job.
    heard_at: float = field(default_factory=now)
    longest_gap: float = 0.0
    pending: Pending | None = None
    # A time of Redis's clock before the first try at putting the job in.
    first: int | None = None
    leaves_by: float = 0.0
    notice: Notice = field(default_factory=lambda: Notice(now()))

    @property
    def deadline(self) -> float:
        """The moment of the caller's timeout."""
        return math.inf if self.timeout is None else self.began + self.timeout

    @property
    def last_moment(self) -> float:
        """The moment until which a withdrawal that begins now may take."""
        return max(self.deadline + LATE, now()) + LEAVING

    @property
    def left(self) -> float:
        """Seconds until the caller's timeout."""
        return self.deadline - now()

    @property
    def gap(self) -> float:
        """The longest time in which this process had no answer of Redis's."""
        return max(self.longest_gap, now() - self.heard_at)

    @property
    def silence(self) -> float:
        """Seconds for which no server was alive, of those that the caller has waited."""
        return now() - self.alive_at

    def heard(self) -> None:
        """Note that Redis has answered."""
        self.longest_gap = self.gap
        self.heard_at, self.redis_gone_at = now(), None
