"""Which signed jobs are fresh, and which were answered before: what a server knows by itself.

Somebody who can write to Redis can put a copy of an old job into its lane, and take away whatever
Redis holds about it. So this is kept in the server's memory alone, and is bounded: a job counts as
fresh if it was signed, or said to be wanted, under one of the two latest generations that this
server has made since its epoch began; and of the jobs answered under these two the ids are kept. A
generation is a name that nobody can guess.

What is fresh and not among the answered was asked for under a generation of this epoch, by a caller
that had no answer then. Of earlier epochs nothing has to be remembered, since nothing that was
signed under them is fresh.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AntiReplay"]

_LIFE: Final = 3600.0
# Two generations of ids take some 50 MB at the most; even then each lasts for minutes.
_MOST_ANSWERED: Final = 250_000


@dataclass
class _Generation:
    began: float
    name: str = field(default_factory=lambda: os.urandom(16).hex())
    answered: set[bytes] = field(default_factory=set)


class AntiReplay:
    """The generations of one server; its threads may use them at once.

    Args:
        clock: A monotonic clock, in seconds.
        life: Seconds after which a generation is followed by the next.
        most: Answered jobs after which it is, too.

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
        self._began = clock()
        self._start_anew()

    def begin(self) -> None:
        """Begin an epoch: what was fresh in an earlier one may have been answered since."""
        with self._lock:
            if self._is_used:
                self._start_anew()
            # Perhaps after hours of standing by.
            self._began = self._clock()
            self._is_used = True

    @property
    def current(self) -> str:
        """The name under which jobs are to be signed."""
        with self._lock:
            return self._latest().name

    @property
    def age(self) -> float:
        """Seconds since the epoch began."""
        return self._clock() - self._began

    def is_fresh(self, name: str) -> bool:
        """Tell whether a name is that of one of the two latest generations."""
        with self._lock:
            self._latest()
            return any(name == generation.name for generation in self._kept)

    def note_answered(self, job_id: str) -> None:
        """Remember a job for as long as it could be fresh."""
        with self._lock:
            self._latest().answered.add(job_id.encode())

    def was_answered(self, job_id: str) -> bool:
        """Tell whether a job that is fresh was answered before."""
        with self._lock:
            return any(job_id.encode() in generation.answered for generation in self._kept)

    def _start_anew(self) -> None:
        self._kept = [_Generation(self._clock())]

    def _latest(self) -> _Generation:
        latest, now = self._kept[0], self._clock()
        if now - latest.began >= self._life or len(latest.answered) >= self._most:
            self._kept = [_Generation(now), latest]
        return self._kept[0]
