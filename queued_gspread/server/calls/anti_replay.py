"""Which signed jobs are fresh, and which were answered: kept by the server, not by Redis.

An attacker who can write to Redis can put a copy of an old job into its lane and delete everything
Redis knows about it. So this state lives in the server's memory alone, and it is bounded. A
generation is an unguessable name. A job is fresh if it was signed or renewed under one of the two
latest generations that this server has made since its epoch began. The server keeps the ids of the
jobs that it answered under these two.

A job that is fresh and not yet answered was asked for under a generation of this epoch, by a caller
that had no answer then. Nothing must be remembered of earlier epochs, because nothing signed under
them is fresh.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from queued_gspread.broker.connection.client import LONGEST_LOOK

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AntiReplay"]

_LIFE: Final = 3600.0
# Two generations of ids take at most some 50 MB. Even at that rate, each lasts for minutes.
_MOST_ANSWERED: Final = 250_000
# After a longer silence between this server and Redis, callers get the whole of their time again.
_LONGEST_GAP: Final = LONGEST_LOOK / 2


@dataclass
class _Generation:
    began: float
    name: str = field(default_factory=lambda: os.urandom(16).hex())
    answered: set[bytes] = field(default_factory=set)


class AntiReplay:
    """The generations of one server. Thread-safe.

    Args:
        clock: A monotonic clock, in seconds.
        life: Seconds after which the next generation begins.
        most: Answered jobs after which the next generation begins.

    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        life: float = _LIFE,
        most: int = _MOST_ANSWERED,
    ) -> None:
        self._clock = clock
        self._life = life
        self._most = most
        self._lock = threading.Lock()
        self._is_used = False
        self._visible_since = clock()
        self._published_at: float | None = None
        self._start_anew()

    def begin(self) -> None:
        """Begin an epoch: what was fresh in an earlier one may have been answered since."""
        with self._lock:
            if self._is_used:
                self._start_anew()
            # The server may have stood by for hours.
            self._visible_since, self._published_at = self._clock(), None
            self._is_used = True

    @property
    def current(self) -> str:
        """The name under which jobs must be signed."""
        with self._lock:
            return self._latest().name

    def note_published(self, since_move: float) -> None:
        """Note that callers can see the current name in Redis now.

        Args:
            since_move: Seconds since that Redis started or became the master. One before it may
                have taken renewals that this one lacks.

        """
        with self._lock:
            now = self._clock()
            if self._published_at is None or self._is_gap(now):
                self._visible_since = now
            self._visible_since = max(self._visible_since, now - since_move)
            self._published_at = now

    @property
    def age(self) -> float:
        """Seconds for which callers could see a name of this epoch, and renew their jobs."""
        with self._lock:
            now = self._clock()
            return 0.0 if self._is_gap(now) else now - self._visible_since

    def is_fresh(self, name: str) -> bool:
        """Return whether a name belongs to one of the two latest generations."""
        with self._lock:
            self._latest()
            return any(name == generation.name for generation in self._kept)

    def note_answered(self, job_id: str) -> None:
        """Remember a job for as long as it could be fresh."""
        with self._lock:
            self._latest().answered.add(job_id.encode())

    def was_answered(self, job_id: str) -> bool:
        """Return whether a fresh job was answered before."""
        with self._lock:
            return any(job_id.encode() in generation.answered for generation in self._kept)

    def _is_gap(self, now: float) -> bool:
        return self._published_at is not None and now - self._published_at > _LONGEST_GAP

    def _start_anew(self) -> None:
        self._kept = [_Generation(self._clock())]

    def _latest(self) -> _Generation:
        latest, now = self._kept[0], self._clock()
        if now - latest.began >= self._life or len(latest.answered) >= self._most:
            self._kept = [_Generation(now), latest]
        return self._kept[0]
