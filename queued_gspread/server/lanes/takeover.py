"""The log line for when a server begins to work and others have left something to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.server.log import LOGGER

if TYPE_CHECKING:
    from queued_gspread.broker import Backlog, Predecessor

__all__ = ["log_takeover", "told"]


def log_takeover(before: Predecessor, backlog: Backlog) -> None:
    """Log which server this one took over from, and what waits; nothing if there is neither."""
    if not (before.about or backlog.calls):
        return
    fields = {
        "event": "takeover",
        "from": before.about or None,
        "silent_seconds": before.silent,
        "lanes": backlog.lanes,
        "calls": backlog.calls,
        "begun": backlog.begun,
    }
    LOGGER.info(told(before, backlog), extra={"fields": fields})


def told(before: Predecessor, backlog: Backlog) -> str:
    """Return that log line's text."""
    how = "has ended" if before.silent is None else f"has been silent for {before.silent:.1f} s"
    whom = f"took over from {before.about}, which {how}; " if before.about else ""
    lanes = "1 lane" if backlog.lanes == 1 else f"{backlog.lanes} lanes"
    calls = f"calls that wait here: {backlog.calls} in {lanes}"
    if not backlog.begun:
        return f"{whom}{calls}"
    return f"{whom}{calls}, {backlog.begun} of them begun before: these go on where they stood"
