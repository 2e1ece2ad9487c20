"""``queued-gspread pause``: send nothing more for now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from queued_gspread import acting

from .acting import (
    lane_in,
    operator_for,
    reason_option,
    what_in,
    what_options,
)
from .output import say

if TYPE_CHECKING:
    import argparse

    from .options import Parser

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "Send Google no further requests until queued-gspread resume: none at all, none of one "
    "spreadsheet, or only what reads or what writes. Requests in the air are answered. Calls keep "
    "their places, and new ones are taken; their callers' timeouts count, and say what is paused, "
    "by whom and why. It holds for any server that comes."
)


def add_options(parser: Parser) -> None:
    """Add the options."""
    parser.queue_options()
    what_options(parser)
    reason_option(parser)
    parser.example("pause --reason 'moving the ledger, back at 10:30'", "everything")
    parser.example("pause --writes --spreadsheet 1AbC…", "what writes there")


def run(options: argparse.Namespace) -> int:
    """Pause; return the exit status.

    Raises:
        ConfigurationError: The options contradict each other, or there are too many pauses.
        BrokerUnavailableError: Redis cannot be reached.

    """
    what, lane, queue = what_in(options), lane_in(options), operator_for(options)
    say(acting.pause(queue, what, lane, options.reason))
    return 0
