"""``queued-gspread purge``: cancel all calls that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from queued_gspread.acting import Waiting

from .acting import (
    confirmed,
    lane_in,
    operator_for,
    reason_option,
    signing_option,
    spreadsheet_option,
)
from .output import say

if TYPE_CHECKING:
    import argparse

    from .options import Parser

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "Cancel all calls that wait now, or those of one spreadsheet: their callers get a "
    "CallCancelledError. Calls that may have written go on, and locks that are held stay. It asks "
    "first, and says how many callers are told. To keep new calls out, drain the queue before."
)


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
    waiting = Waiting(operator_for(options), lane_in(options))
    if not waiting.count:
        say(f"no calls wait in {waiting.where}")
        return 0
    if not confirmed(waiting.question, is_given=options.yes):
        say("nothing was cancelled")
        return 1
    say(waiting.cancel(options.reason))
    return 0
