"""``queued-gspread purge``: cancel all calls that wait."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import UNDONE

from .acting import (
    calls_of,
    confirmed,
    examples,
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

    from queued_gspread.broker.listed_jobs import ListedJob

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
    examples(
        parser,
        "queued-gspread drain && queued-gspread purge --reason 'wrong file'",
        "queued-gspread purge --spreadsheet 1AbC… --yes",
    )


def run(options: argparse.Namespace) -> int:
    """Cancel what waits; return the exit status: 1 if the user did not agree.

    Raises:
        ConfigurationError: Nobody can be asked, or a job is signed and there is no key.
        BrokerUnavailableError: Redis cannot be reached.

    """
    queue, lane = operator_for(options), lane_in(options)
    jobs = list(jobs_in(queue, lane))
    where = f"the spreadsheet {lane} in {queue.settings.place}" if lane else queue.settings.place
    if not jobs:
        say(f"no calls wait in {where}")
        return 0
    told = _told(jobs)
    if not confirmed(f"Cancel {calls_of(len(jobs))} in {where}? {told}.", is_given=options.yes):
        say("nothing was cancelled")
        return 1
    queue.note(f"purge {calls_of(len(jobs))}" + (f" of {lane}" if lane else ""), options.reason)
    fates = Counter(cancel_one(queue, job, options.reason) for job in jobs)
    say(_outcome(fates, told))
    return 0


def _told(jobs: list[ListedJob]) -> str:
    shown = [job.shown() for job in jobs]
    callers = {each["caller"] for each in shown if not each["unattended"]}
    alone = sum(each["unattended"] for each in shown)
    many = "1 caller is told" if len(callers) == 1 else f"{len(callers):,} callers are told"
    return many + (f"; for {calls_of(alone)} nobody waits" if alone else "")


def _outcome(fates: Counter[str], told: str) -> str:
    cancelled = sum(fates[fate] for fate in UNDONE)
    kept = [f"{calls_of(fates[fate])} {why}" for fate, why in _KEPT.items() if fates[fate]]
    over = sum(fates.values()) - cancelled - sum(fates[fate] for fate in _KEPT)
    kept += [f"{calls_of(over)} had ended before"] if over else []
    return "; ".join([f"cancelled {calls_of(cancelled)} ({told})", *kept])
