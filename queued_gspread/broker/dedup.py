"""Enqueues a job exactly once: several tries make one job, however far apart they reach Redis.

Redis remembers the ids of recent jobs. Each try carries a time of Redis's clock before the first
try. If Redis no longer remembers all jobs since that time, it refuses a job that it does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread._clock import now
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.settings import hide_password

from .keys import remembered_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .connection.client import Connection
    from .connection.wire import Pending
    from .keys import Keys
    from .waiting.wait import Wait

__all__ = ["put_in"]


def put_in(
    connection: Connection, keys: Keys, wait: Wait, body: bytes, look: Sequence[Any]
) -> tuple[list[Any], Pending]:
    """Enqueue a job once; return the result of ``enqueue.lua`` and the pending look for a reply.

    Raises:
        BrokerUnavailableError: Redis cannot be reached, or it is not known whether it has the job.

    """
    began, clock = now(), connection.clock
    while True:
        lost: list[BrokerUnavailableError] = []
        result, pending = connection.run(
            "enqueue",
            keys.of_enqueue(wait.lane),
            [wait.job_id, body, wait.lane, remembered_ms(), wait.first],
            patience=wait.left,
            then=look,
            lost=lost,
        )
        clock.saw(result.pop())
        if result[0] != b"late":
            return result, pending
        pending.drop()
        if lost:
            raise _in_doubt(connection.url, now() - began) from lost[-1]
        # No try got through; the clock was set, or this process did not run until now.
        wait.first = clock.at_least()


def _in_doubt(url: str, seconds: float) -> BrokerUnavailableError:
    error = BrokerUnavailableError(
        f"Redis at {hide_password(url)} was lost while a call was put in. {seconds:.0f} s later it "
        "no longer knows whether it had taken it (was this process stopped, the machine asleep, or "
        "Redis's clock set?)"
    )
    error.may_have_run = True
    return error
