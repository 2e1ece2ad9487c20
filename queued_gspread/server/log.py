"""The server's logger: one line for each message, without secrets, as text or as JSON.

``docs/logging.md`` has every line and every field.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final, TextIO

from queued_gspread.protocol.codec.scrub import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LOGGER", "configure", "warning_after"]

LOGGER: Final = logging.getLogger("queued_gspread.server")

_LONGEST_LINE: Final = 2000
# How much of a traceback is kept: its end says the most.
_FIRST_LINES, _LAST_LINES = 20, 80


class _Lines(logging.Filter):
    """Keeps every message on one line, whatever an error in it says, and hides passwords.

    A traceback is indented, so that none of its lines looks like a message.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record and let it pass."""
        if hasattr(record, "call"):
            return True  # its fields are quoted already, and it contains no error
        message = record.getMessage()
        line = _line(clean(message))
        if line != message:
            record.msg, record.args = line, ()
        if record.exc_info:
            traceback = clean(logging.Formatter().formatException(record.exc_info))
            record.exc_text = "\n".join(f"    {_line(line)}" for line in _shortened(traceback))
        return True


LOGGER.addFilter(_Lines())


def _shortened(text: str) -> list[str]:
    lines = text.splitlines()
    if len(lines) > _FIRST_LINES + _LAST_LINES:
        lines[_FIRST_LINES:-_LAST_LINES] = ["…"]
    return lines


def _line(text: str) -> str:
    text = text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}…"
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def configure(level: str, form: str, stream: TextIO | None = None) -> None:
    """Send the log of this package to a stream (standard error), as text or as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JSON() if form == "json" else _TEXT)
    root = logging.getLogger("queued_gspread")
    root.handlers[:] = [handler]
    root.propagate = False
    root.setLevel(level.upper())


_TEXT: Final = logging.Formatter("%(asctime)s %(levelname)s %(message)s")


class _JSON(logging.Formatter):
    """Formats a record as one JSON object, with the fields of a call or an event as its keys."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        when = datetime.fromtimestamp(record.created, timezone.utc)
        line: dict[str, Any] = {
            "time": when.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        call = getattr(record, "call", None)
        line |= call or {"message": record.getMessage(), **getattr(record, "fields", {})}
        if record.exc_info:
            line["traceback"] = record.exc_text or self.formatException(record.exc_info)
        return json.dumps(line)


@contextlib.contextmanager
def warning_after(seconds: float, text: str, *told: object) -> Iterator[None]:
    """Log a warning if what is done meanwhile takes longer than so many seconds."""
    slow = threading.Timer(seconds, LOGGER.warning, (text, *told))
    slow.daemon = True
    slow.start()
    try:
        yield
    finally:
        slow.cancel()
        slow.join()
