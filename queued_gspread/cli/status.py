"""``queued-gspread status``: one screen of what is to be seen of a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import screen, watching

if TYPE_CHECKING:
    import argparse

    from .options import Parser

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "Show a queue on one screen: what is wrong, its servers, the quota, how long a call that is "
    "put in now waits at the most, the calls that wait, and what failed lately. It only reads "
    "Redis, so it needs no server, and a user of Redis who may observe and nothing else is enough."
)


def add_options(parser: Parser) -> None:
    """Add the options."""
    watching.add_options(parser)
    parser.example("status", "one screen")
    parser.example("status --watch", "the same, again every second")
    parser.example("status --json | jq .problems", "what is wrong, as JSON")


def run(options: argparse.Namespace) -> int:
    """Show the queue; return the exit status.

    Raises:
        BrokerUnavailableError: Redis cannot be reached.

    """
    view = watching.View(screen.status, lambda found: [lane.lane for lane in found.lanes])
    return watching.show(options, view)
