"""``queued-gspread outcomes``: the calls that failed, and those of which nobody knows."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from queued_gspread._clock import shown_utc
from queued_gspread.acting import ADVICE, dismiss, kept_outcomes

from .acting import (
    check_ids,
    details,
    job_arguments,
    limit_option,
    operator_for,
    reason_option,
)
from .output import columns, say, warn
from .tables import fold, table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from queued_gspread.broker.operators import Operator
    from queued_gspread.monitor.outcomes import Outcome

    from .options import Parser

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "Show the calls that failed, the latest first, as Redis keeps them: those of unknown outcome, "
    "jobs of which servers died, and the rest; show all that is kept of one, which is never an "
    "argument or a cell; export them as lines of JSON; or dismiss those that you have seen to."
)

# The width from which on there is room for the year and the time zone, and what stays of a time
# without them.
_WIDE, _OF_YEAR = 120, slice(5, 19)
_HEAD: Final = ("when", "sort", "job", "method", "spreadsheet", "error")


def add_options(parser: Parser) -> None:
    """Add the options."""
    job_arguments(parser, "show", "dismiss", "export")
    parser.queue_options()
    parser.add_argument(
        "--sort", choices=["unknown", "failed", "poisoned"], help="only those of this sort"
    )
    limit_option(parser)
    reason_option(parser)
    parser.example("outcomes --sort unknown", "those to look after")
    parser.example("outcomes show 0f3c…", "all that is kept of one")
    parser.example("outcomes dismiss 0f3c… --reason 'is there'", "once you have looked")
    parser.example("outcomes export > failures.jsonl", "all, as lines of JSON")


def run(options: argparse.Namespace) -> int:
    """List, show, dismiss or export; return the exit status: 1 if one was not found.

    Raises:
        ConfigurationError: The arguments do not go together.
        BrokerUnavailableError: Redis cannot be reached.

    """
    if options.what != "export":
        check_ids("outcomes", options, wants=options.what != "list")
    queue = operator_for(options)

    def is_meant(outcome: Outcome) -> bool:
        is_named = not options.ids or outcome.job_id in options.ids
        return is_named and options.sort in (None, outcome.sort)

    if options.what == "dismiss":
        found = dismiss(queue, is_meant, options.reason)
    else:
        found = [outcome for outcome, _, _ in kept_outcomes(queue) if is_meant(outcome)]
    if options.what == "list":
        return _list(queue, found, options.limit)
    for outcome in found:
        for line in _TOLD[options.what](outcome):
            say(line)
    ids = {outcome.job_id for outcome in found}
    missing = [job_id for job_id in options.ids if job_id not in ids]
    for job_id in missing:
        warn(f"queued-gspread outcomes: no failure of {job_id} is kept in {queue.settings.place}")
    return 1 if missing else 0


def _list(queue: Operator, found: list[Outcome], limit: int) -> int:
    width = columns()
    rows = [_row(outcome) for outcome in found[:limit]]
    if width is not None and width < _WIDE:
        rows = [[row[0][_OF_YEAR], *row[1:]] for row in rows]
    whole, spare = ("when", "job"), ("method", "sort")
    for line in table(_HEAD, rows, width, whole=whole, spare=spare) if found else ():
        say(line)
    if not found:
        say(f"no such failure is kept in {queue.settings.place}")
    elif len(found) > limit:
        say(f"and {len(found) - limit:,} more: see --limit and --sort")
    return 0


def _row(outcome: Outcome) -> list[str]:
    row = [shown_utc(outcome.at), outcome.sort, outcome.job_id, outcome.method, outcome.where]
    return [*row, outcome.error + (f": {outcome.message}" if outcome.message else "")]


def _shown(outcome: Outcome) -> list[str]:
    lines = details(asdict(outcome) | {"at": shown_utc(outcome.at)})
    return [*lines, *fold(ADVICE[outcome.sort], columns())] if outcome.sort in ADVICE else lines


_TOLD: Final[dict[str, Callable[[Outcome], list[str]]]] = {
    "show": _shown,
    "dismiss": lambda outcome: [f"dismissed {'  '.join(_row(outcome))}"],
    "export": lambda outcome: [json.dumps(asdict(outcome))],
}
