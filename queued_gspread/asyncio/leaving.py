"""Withdraws the job of a call whose task is cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from queued_gspread._clock import now
from queued_gspread.broker import note

from .shell import Shell

if TYPE_CHECKING:
    from queued_gspread.broker import QueuedJob

    from .bus import Bus

__all__ = ["withdraw"]

# Seconds for the withdrawal of a call whose task is cancelled.
_LEAVING: Final = 5.0


async def withdraw(bus: Bus, job: QueuedJob, error: BaseException) -> None:
    """Withdraw a job out of reach of another cancellation; note the call's fate on the error."""
    if bus.loop.is_closed():
        return
    work = bus.loop.create_task(_fate(bus, job))
    _withdrawals.add(work)
    work.add_done_callback(_withdrawals.discard)
    if isinstance(error, GeneratorExit):
        return  # a coroutine that is closed can wait for nothing
    try:
        fate = await asyncio.shield(work)
    except BaseException as other:
        note(other, "going on")
        raise
    note(error, fate)


# A loop holds its tasks weakly.
_withdrawals: set[asyncio.Task[str]] = set()


async def _fate(bus: Bus, job: QueuedJob) -> str:
    shell = Shell(bus, min(now() + _LEAVING, job.wait.last_moment))
    try:
        return await shell.drive(job.withdraw())
    finally:
        await shell.drive(job.core.end(job.wait))
