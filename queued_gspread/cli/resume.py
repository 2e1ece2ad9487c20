"""``queued-gspread resume``: end a pause, or a drain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from queued_gspread import acting

from .acting import lane_in, operator_for, reason_option, what_in, what_options
from .output import say

if TYPE_CHECKING:
    import argparse

    from .options import Parser

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "End what queued-gspread pause and queued-gspread drain have begun: all of it, or the one "
    "pause that the options name. Calls go on within a second, each in its place."
)


def add_options(parser: Parser) -> None:
    """Add the options."""
    parser.queue_options()
    what_options(parser)
    reason_option(parser)
    parser.example("resume", "everything")
    parser.example("resume --writes --spreadsheet 1AbC…", "what was paused with the same options")


def run(options: argparse.Namespace) -> int:
    """Resume; return the exit status.

    Raises:
        ConfigurationError: The options contradict each other, or nothing such is paused.
        BrokerUnavailableError: Redis cannot be reached.

    """
    what, lane, queue = what_in(options), lane_in(options), operator_for(options)
    for line in acting.resume(queue, what, lane, options.reason):
        say(line)
    return 0
