"""``queued-gspread locks``: show who holds the locks of spreadsheets, or break one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from queued_gspread._clock import shown_utc
from queued_gspread.broker import Producer, one_line
from queued_gspread.broker.operators import Operator
from queued_gspread.errors import LockError
from queued_gspread.protocol.routing import lane_name
from queued_gspread.settings import Settings

from .output import say

if TYPE_CHECKING:
    import argparse

    from queued_gspread.broker import LockHolder

    from .options import Parser

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "Show who holds the locks of spreadsheets, a line for each: its spreadsheet, the holder's host "
    "and process, and since when; or break one: it ends once the call that its holder has in the "
    "air is answered, and later calls of its block fail with LockLostError."
)


def add_options(parser: Parser) -> None:
    """Add the options."""
    parser.queue_options()
    parser.option(
        "--break",
        "the id of a spreadsheet whose lock is to end",
        dest="broken",
        metavar="SPREADSHEET",
    )
    parser.example("locks", "who holds which")
    parser.example("locks --break 1AbC…", "end one")


def run(options: argparse.Namespace) -> int:
    """Show the holders, or break a lock; return the exit status.

    Raises:
        LockError: The spreadsheet is not locked.
        BrokerUnavailableError: Redis cannot be reached.

    """
    settings = Settings.resolve(redis_url=options.redis_url, namespace=options.namespace)
    queue, where = Producer(settings), f"namespace {settings.namespace!r} at {settings.shown_url}"
    holders = queue.holders()
    if options.broken is None:
        for holder in holders:
            say(_shown(holder))
        if not holders:
            say(f"no spreadsheet is locked in {where}")
        return 0
    lanes = (options.broken, lane_name(options.broken))
    holder_of_it = next((holder for holder in holders if holder.lane in lanes), None)
    if holder_of_it is not None:
        Operator(settings).note(f"break the lock of the spreadsheet {holder_of_it.lane}")
    if holder_of_it is None or not queue.break_lock(holder_of_it):
        raise LockError(f"the spreadsheet {options.broken} is not locked in {where}")
    say(f"broke the lock: {_shown(holder_of_it)}")
    return 0


def _shown(holder: LockHolder) -> str:
    since = shown_utc(holder.since)
    state = "" if holder.state == "held" else f", {holder.state}, with a call in the air"
    return f"{one_line(holder.lane)}: {holder.who}, since {since}, hold {holder.hold:g} s{state}"
