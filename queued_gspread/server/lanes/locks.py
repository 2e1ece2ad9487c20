"""A lane whose first job asks for its lock, or has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.broker import LOCKED, StaleEpochError
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.server.calls.call_log import log_call
from queued_gspread.server.calls.outcome import Outcome
from queued_gspread.server.log import LOGGER

if TYPE_CHECKING:
    from collections.abc import Generator

    from queued_gspread.broker import Consumer, Entry, Permit
    from queued_gspread.server.calls.admission import Admission
    from queued_gspread.server.calls.runner import Runner
    from queued_gspread.server.pacing.ticket_queue import Ticket

    from .tables import Tables

__all__ = ["end_lapsed", "let_lock_in"]


def let_lock_in(
    queue: Consumer, admission: Admission, runner: Runner, tables: Tables, entry: Entry
) -> Generator[Ticket, Permit, Outcome]:
    """Give its lock to the first job of a lane; return how the job ends, or that it is left.

    The job stays where it is. So the lane is done for now: it becomes ready again when the lock
    ends.
    """
    if entry.mark == LOCKED:
        queue.look_behind(entry)
        return Outcome("left")
    admitted = yield from admission.admit(queue, entry)
    if isinstance(admitted, Outcome):
        return admitted
    grant = runner.asked_for_lock(admitted)
    if isinstance(grant, Outcome):
        return grant
    # The holder's appends are in another lane.
    tables.note(entry.lane, None, None)
    if not admission.grant(queue, entry, grant):
        return Outcome("withdrawn", job=grant.outcome.job)
    log_call(entry, grant.outcome)
    return Outcome("left")


def end_lapsed(queue: Consumer) -> None:
    """End the locks whose holders have had no call for too long."""
    try:
        lapsed = queue.end_lapsed()
    except (StaleEpochError, BrokerUnavailableError):
        return  # the lease's thread logs it
    for lane, who in lapsed:
        LOGGER.warning("lane %r: the lock of %s has lapsed, for want of calls", lane, who)
