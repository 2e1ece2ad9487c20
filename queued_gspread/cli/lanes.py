"""``queued-gspread lanes``: the spreadsheets whose calls are in the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import screen, watching

if TYPE_CHECKING:
    import argparse

    from .options import Parser

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "Show the spreadsheets whose calls are in the queue, the oldest call first: how many calls, "
    "which is under way, whose and since when, what it waits for, and how long one more call waits "
    "there at the most."
)


def add_options(parser: Parser) -> None:
    """Add the options."""
    watching.add_options(parser)
    parser.example("lanes", "a table")
    parser.example("lanes --json | jq '.[] | select(.calls > 100)'", "the long ones")


def run(options: argparse.Namespace) -> int:
    """Show the lanes; return the exit status.

    Raises:
        BrokerUnavailableError: Redis cannot be reached.

    """
    view = watching.View(
        lambda found, _, order, width: screen.lanes(found, order, width),
        lambda found: [lane.lane for lane in found.lanes],
        "lanes",
    )
    return watching.show(options, view)
