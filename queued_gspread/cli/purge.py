"""``queued-gspread purge``: cancel all calls that wait."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import UNDONE

from .acting import (
    calls_of,
    confirmed,
    lane_in,
    operator_for,
    reason_option,
    signing_option,
    spreadsheet_option,
)
from .jobs import cancel_one, jobs_in
from .output import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from queued_gspread.broker.listed_jobs import ListedJob
    from queued_gspread.broker.operators import Operator

    from .options import Parser

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "Cancel all calls that wait now, or those of one spreadsheet: their callers get a "
    "CallCancelledError. Calls that may have written go on, and locks that are held stay. It asks "
    "first, and says how many callers are told. To keep new calls out, drain the queue before."
)

_KEPT: Final = {"started": "may have written and go on", "locked": "hold a lock"}


def add_options(parser: Parser) -> None:
    """Add the options."""
    parser.queue_options()
    spreadsheet_option(parser, "the id of the only spreadsheet whose calls are cancelled")
    reason_option(parser)
    signing_option(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.example("purge --reason 'wrong file'", "all that waits; drain the queue before")
    parser.example("purge --spreadsheet 1AbC… --yes", "without a question")


def run(options: argparse.Namespace) -> int:
    """Cancel what waits; return the exit status: 1 if the user did not agree.

    Raises:
        ConfigurationError: Nobody can be asked, or a job is signed and there is no key.
        BrokerUnavailableError: Redis cannot be reached.

    """
    queue, lane = operator_for(options), lane_in(options)
    waiting = Waiting()
    for job in jobs_in(queue, lane):
        waiting.add(job)
    where = f"the spreadsheet {lane} in {queue.settings.place}" if lane else queue.settings.place
    count, told = calls_of(waiting.count), waiting.told
    if not waiting.count:
        say(f"no calls wait in {where}")
        return 0
    if not confirmed(f"Cancel {count} in {where}? {told}.", is_given=options.yes):
        say("nothing was cancelled")
        return 1
    queue.note(f"purge {count}" + (f" of {lane}" if lane else ""), options.reason)
    fates = Counter(cancel_one(queue, job, options.reason) for job in waiting.jobs_in(queue))
    say(_outcome(fates, told))
    return 0


class Waiting:
    """The calls that wait at one time: their number and callers, and how far each lane goes.

    Not the calls themselves, which may be more than there is memory for.
    """

    def __init__(self) -> None:
        self.count = self._alone = 0
        self._callers: set[str] = set()
        self._last: dict[str, tuple[int, int]] = {}

    def add(self, job: ListedJob) -> None:
        """Add a call."""
        shown = job.shown()
        self.count += 1
        self._alone += shown["unattended"]
        if not shown["unattended"]:
            self._callers.add(shown["caller"])
        self._last[job.lane] = job.place

    def jobs_in(self, queue: Operator) -> Iterator[ListedJob]:
        """Yield those of these calls that are still there."""
        for lane, last in self._last.items():
            for job in queue.jobs(lane):
                if job.place > last:
                    break
                yield job

    @property
    def told(self) -> str:
        """Who is told, in words."""
        many = len(self._callers)
        told = "1 caller is told" if many == 1 else f"{many:,} callers are told"
        return told + (f"; for {calls_of(self._alone)} nobody waits" if self._alone else "")


def _outcome(fates: Counter[str], told: str) -> str:
    cancelled = sum(fates[fate] for fate in UNDONE)
    kept = [f"{calls_of(fates[fate])} {why}" for fate, why in _KEPT.items() if fates[fate]]
    over = sum(fates.values()) - cancelled - sum(fates[fate] for fate in _KEPT)
    kept += [f"{calls_of(over)} had ended before"] if over else []
    return "; ".join([f"cancelled {calls_of(cancelled)} ({told})", *kept])
