"""Tries at putting a job in: several are one job, however far apart they reach Redis.

Redis remembers the ids of jobs for a while. Each try carries a time of Redis's clock before the
first one. Where Redis no longer remembers all that came since, it takes none that it does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from queued_gspread.clock import now
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.settings import hide_password

from .keys import remembered_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .connection import Connection
    from .keys import Keys
    from .wait import Wait
    from .wire import Pending

__all__ = ["RedisClock", "put_in"]

# The share of the time passed here that has passed on Redis's clock too, however the two differ.
_CERTAIN: Final = 0.999


class RedisClock:
    """What the clock of a Redis shows at the least, by what it has shown before."""

    def __init__(self) -> None:
        self._seen: tuple[int, float] | None = None

    def saw(self, shown: int) -> None:
        """Note what it has just shown, in milliseconds."""
        self._seen = shown, now()

    def forget(self) -> None:
        """Have the next job wait for another look at the queue."""
        self._seen = None

    def at_least(self) -> int | None:
        """Return what it shows now, or a little less; None if it was never seen."""
        if self._seen is None:
            return None
        shown, moment = self._seen
        return shown + int((now() - moment) * 1000 * _CERTAIN)


def put_in(
    connection: Connection, keys: Keys, wait: Wait, body: bytes, look: Sequence[Any]
) -> tuple[list[Any], Pending]:
    """Put a job in, once; return what ``enqueue.lua`` says, and the look for its reply.

    Raises:
        BrokerUnavailableError: Redis cannot be reached, or nobody can know whether it has the job.

    """
    began, clock = now(), connection.clock
    while True:
        lost: list[BrokerUnavailableError] = []
        found, pending = connection.run(
            "enqueue",
            keys.of_enqueue(wait.lane),
            [wait.job_id, body, wait.lane, remembered_ms(), wait.first],
            patience=wait.left,
            then=look,
            lost=lost,
        )
        clock.saw(found.pop())
        if found[0] != b"late":
            return found, pending
        pending.drop()
        if lost:
            raise _in_doubt(connection.url, now() - began) from lost[-1]
        # None was put in, for the clock was set, or this process did not run until now.
        wait.first = clock.at_least()


def _in_doubt(url: str, seconds: float) -> BrokerUnavailableError:
    told = BrokerUnavailableError(
        f"Redis at {hide_password(url)} was lost while a call was put in. {seconds:.0f} s later it "
        "no longer knows whether it had taken it (was this process stopped, the machine asleep, or "
        "Redis's clock set?)"
    )
    told.may_have_run = True
    return told
