"""``queued-gspread jobs``: the calls that wait and those that are being made."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Final

from queued_gspread.acting import NotDoneError, calls_of, cancel, jobs_in

from .acting import (
    check_ids,
    details,
    job_arguments,
    lane_in,
    limit_option,
    operator_for,
    reason_option,
    signing_option,
    spreadsheet_option,
)
from .output import columns, say, warn
from .tables import table

if TYPE_CHECKING:
    import argparse

    from queued_gspread.broker.listed_jobs import ListedJob
    from queued_gspread.broker.operators import Operator

    from .options import Parser

__all__ = ["ABOUT", "add_options", "run"]

_HEAD: Final = ("job", "state", "age", "spreadsheet", "method", "caller")

ABOUT: Final = (
    "Show the calls that wait and those that are being made, spreadsheet by spreadsheet and in "
    "order; show all that may be known of one, which is never an argument; or cancel some: their "
    "callers get a CallCancelledError. A call that may have written is not cancelled."
)


def add_options(parser: Parser) -> None:
    """Add the options."""
    job_arguments(parser, "show", "cancel")
    parser.queue_options()
    spreadsheet_option(parser, "the id of the only spreadsheet to look at")
    limit_option(parser)
    parser.flag("--json", "a line of JSON for each")
    reason_option(parser)
    signing_option(parser)
    parser.example("jobs --spreadsheet 1AbC…", "what waits there")
    parser.example("jobs show 0f3c…", "one, without its arguments")
    parser.example("jobs cancel 0f3c… --reason 'twice the same import'", "call one off")


def run(options: argparse.Namespace) -> int:
    """List, show or cancel jobs; return the exit status: 1 if one was not found, or not cancelled.

    Raises:
        ConfigurationError: The arguments do not go together, or there is no key for a signed job.
        BrokerUnavailableError: Redis cannot be reached.

    """
    check_ids("jobs", options, wants=options.what != "list")
    queue = operator_for(options)
    if options.what == "list":
        _list(queue, options)
        return 0
    act = _show if options.what == "show" else _cancel
    found = [act(queue, job_id, options) for job_id in options.ids]
    return 0 if all(found) else 1


def _list(queue: Operator, options: argparse.Namespace) -> None:
    lane = lane_in(options)
    jobs = list(islice(jobs_in(queue, lane), options.limit))
    if options.json:
        for job in jobs:
            say(json.dumps(job.shown()))
        return
    rows = map(_row, jobs)
    for line in table(_HEAD, rows, columns(), whole=("job",), spare=("caller",)) if jobs else ():
        say(line)
    if not jobs:
        say(f"no calls wait in {queue.settings.place}")
    elif len(jobs) == options.limit:
        say(f"… of {calls_of(queue.waiting())}: see --limit and --spreadsheet")


def _row(job: ListedJob) -> list[str]:
    shown = job.shown()
    age = f"{job.age:.1f} s"
    return [job.job_id, job.state, age, job.spreadsheet, shown["method"], shown["caller"]]


def _show(queue: Operator, job_id: str, options: argparse.Namespace) -> bool:
    job = queue.find(job_id, lane_in(options))
    if job is None:
        return _missing(queue, job_id)
    shown = job.shown()
    if options.json:
        say(json.dumps(shown))
        return True
    for line in details(shown):
        say(line)
    return True


def _missing(queue: Operator, job_id: str) -> bool:
    warn(f"queued-gspread jobs: {job_id} is not in the queue of {queue.settings.place}")
    return False


def _cancel(queue: Operator, job_id: str, options: argparse.Namespace) -> bool:
    try:
        say(cancel(queue, job_id, lane_in(options), options.reason))
    except NotDoneError as error:
        warn(f"queued-gspread jobs: {error}")
        return False
    return True
