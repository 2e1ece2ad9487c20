"""``queued-gspread callers``: who puts calls into the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import screen, watching

if TYPE_CHECKING:
    import argparse

    from .options import Parser

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "Show the latest callers, by host and process: how many of their calls are running, were "
    "answered and have failed, and how many requests were sent for them. Two hundred are kept."
)


def add_options(parser: Parser) -> None:
    """Add the options."""
    watching.add_options(parser)
    parser.example("callers --watch", "a table, again every second")


def run(options: argparse.Namespace) -> int:
    """Show the callers; return the exit status.

    Raises:
        BrokerUnavailableError: Redis cannot be reached.

    """
    view = watching.View(
        lambda found, _, order, width: screen.callers(found, order, width),
        lambda found: [caller.caller for caller in found.callers],
        "callers",
    )
    return watching.show(options, view)
