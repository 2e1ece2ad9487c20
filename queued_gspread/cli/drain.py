"""``queued-gspread drain``: finish what is there, and take nothing new."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from queued_gspread import acting
from queued_gspread.acting import calls_of
from queued_gspread.errors import ServerUnavailableError

from .acting import operator_for, reason_option
from .options import seconds
from .output import say

if TYPE_CHECKING:
    import argparse

    from queued_gspread.broker.operators import Operator

    from .options import Parser

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "Make the calls that are in the queue, and take no new ones until queued-gspread resume: their "
    "callers get a QueueDrainedError, which says by whom and why, and that nothing was put in. Who "
    "holds a lock may still make the calls of its block."
)

_LOOK: Final = 0.2


def add_options(parser: Parser) -> None:
    """Add the options."""
    parser.queue_options()
    reason_option(parser)
    parser.option(
        "--wait",
        "how long to wait until the queue is empty (default %(default)s)",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
    )
    parser.example(
        "drain --reason 'new server at 10:30' --wait 300", "wait until the queue is empty"
    )


def run(options: argparse.Namespace) -> int:
    """Drain; return the exit status.

    Raises:
        ServerUnavailableError: The queue was not empty in time.
        BrokerUnavailableError: Redis cannot be reached.

    """
    queue = operator_for(options)
    say(acting.drain(queue, options.reason))
    if options.wait:
        _wait(queue, options.wait)
    return 0


def _wait(queue: Operator, most: float) -> None:
    end = time.monotonic() + most
    while left := queue.waiting():
        if time.monotonic() > end:
            raise ServerUnavailableError(
                f"{calls_of(left)} left in {queue.settings.place} after {most:g} s: look at `queued"
                "-gspread jobs`. It takes no new ones until `queued-gspread resume`"
            )
        time.sleep(_LOOK)
    say("the queue is empty")
