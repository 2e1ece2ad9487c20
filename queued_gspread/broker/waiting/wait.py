"""One caller's wait, as data: since when, for what, and the latest sign of life."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from queued_gspread._clock import now
from queued_gspread.broker.formats import Sighted

from .notices import Notice

if TYPE_CHECKING:
    from queued_gspread.broker.connection.effects import AwaitReply
    from queued_gspread.broker.pauses import Pause

__all__ = ["LATE", "LEAVING", "Wait"]

LATE: Final = 0.4
"""Seconds that a caller still waits for Redis after its deadline."""

LEAVING: Final = 0.4
"""Seconds after that for the withdrawal: together less than one second."""


@dataclass
class Wait:
    """One caller's wait: since when, for what, and the latest sign of life.

    One that is for a job that need not be waited for (``is_unattended``) may end at any time; the
    job stays in the queue. Its timeout counts until the job is there.
    """

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
    # When Redis answered last, and its longest silence since it last proved to know the job.
    heard_at: float = field(default_factory=now)
    longest_gap: float = 0.0
    # The first look for the reply, until it is made: it is sent along with the job.
    ahead: AwaitReply | None = None
    # A time of Redis's clock before the first try at enqueueing the job.
    first: int | None = None
    leaves_by: float = 0.0
    is_unattended: bool = False
    # The lanes of the locks that its caller holds while it waits for another one, and the longest
    # time in seconds between two looks, each of which extends them.
    extends: tuple[str, ...] = ()
    extend_every: float = math.inf
    # What an operator had paused when the caller gave up.
    pause: Pause | None = None
    notice: Notice = field(default_factory=lambda: Notice(now()))

    @property
    def deadline(self) -> float:
        """The moment of the caller's timeout."""
        return math.inf if self.timeout is None else self.began + self.timeout

    @property
    def limit(self) -> float:
        """When its waits for Redis end: after the deadline, or with the withdrawal."""
        return self.leaves_by or self.deadline + LATE

    @property
    def last_moment(self) -> float:
        """When a withdrawal that begins now must end."""
        return max(self.deadline + LATE, now()) + LEAVING

    @property
    def left(self) -> float:
        """Seconds until the caller's timeout."""
        return self.deadline - now()

    @property
    def gap(self) -> float:
        """The longest time without an answer from Redis."""
        return max(self.longest_gap, now() - self.heard_at)

    @property
    def silence(self) -> float:
        """Seconds of the caller's wait for which no server was alive."""
        return now() - self.alive_at

    def heard(self) -> None:
        """Note that Redis has answered."""
        self.longest_gap = self.gap
        self.heard_at, self.redis_gone_at = now(), None
