"""What the server's log says of every call, and what it never says: a cell's value.

``docs/logging.md`` has every line and every field.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final, TextIO

from queued_gspread.codec.scrub import clean

from .google_error import fields_of

if TYPE_CHECKING:
    from queued_gspread.broker import Entry
    from queued_gspread.job import Job

    from .outcome import Outcome
    from .tally import Tally

__all__ = ["LOGGER", "configure", "log_call", "title_of"]

LOGGER: Final = logging.getLogger("queued_gspread.server")

_LONGEST_NAME: Final = 100
_LONGEST_LINE: Final = 2000
# Of a traceback: the end says the most.
_FIRST_LINES, _LAST_LINES = 20, 80

_CALL: Final = (
    "%(waiting)d waiting  %(caller)s  %(target)s  %(method)s  %(duration_ms).1f ms, "
    "%(waited_ms).1f waited  requests: "
)
# What further fields are called in a log of text.
_LABELS: Final = {
    "http_status": "HTTP ",
    "error_status": "",
    "error_reason": "",
    "error_message": "",
    "spreadsheet": "spreadsheet ",
}


class _CallLine:
    """The text of a call's line; made only where somebody reads it."""

    def __init__(self, about: dict[str, Any], tally: Tally | None) -> None:
        self._about = about
        self._tally = tally

    def __str__(self) -> str:
        about = self._about
        line = f"{_CALL % about}{self._tally or 0}  {about['outcome']}"
        if about["outcome"] == "ok":
            return line
        named = [f"{label}{about[name]}" for name, label in _LABELS.items() if name in about]
        return "  ".join([line, *named])


def log_call(entry: Entry, outcome: Outcome) -> None:
    """Log one call: who called what, how many wait behind it, how long it took, how it ended.

    Its time begins with its enqueue, on Redis's clock, whichever server it has waited for.
    """
    if not LOGGER.isEnabledFor(logging.INFO):
        return
    now, tally = time.monotonic(), outcome.tally
    began = entry.seen - entry.age
    waited = now - began if tally is None else tally.waited(began, now)
    about = {
        "waiting": entry.waiting - 1,
        **_of_job(outcome.job),
        "duration_ms": round((now - began) * 1000, 1),
        "waited_ms": round(waited * 1000, 1),
        "requests": 0 if tally is None else tally.requests,
        "sent": [] if tally is None else tally.as_fields(),
        "outcome": outcome.word,
    }
    if outcome.word != "ok":
        about |= fields_of(outcome.error) | {"spreadsheet": _quoted(entry.lane)[1:-1]}
    # Made here: to look for the line of code that says so takes a tenth of a short call's time.
    told = _CallLine(about, tally)
    record = LOGGER.makeRecord(
        LOGGER.name, logging.INFO, __file__, 0, told, (), None, extra={"call": about}
    )
    LOGGER.handle(record)


def _of_job(job: Job | None) -> dict[str, str]:
    if job is None:
        return {"caller": "?", "target": "?", "method": "?"}
    host, process = job.caller
    return {
        "caller": _quoted(f"{host}:{process}")[1:-1],
        "target": title_of(job),
        "method": _quoted(f"{job.kind}.{job.method}")[1:-1],
    }


class _Lines(logging.Filter):
    """Makes one line of a message, whatever an error in it says, and hides passwords.

    A traceback is indented, so that none of its lines looks like a message.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; let it pass."""
        if hasattr(record, "call"):
            return True  # its fields are quoted, and it has no error in it
        told = record.getMessage()
        line = _line(clean(told))
        if line != told:
            record.msg, record.args = line, ()
        if record.exc_info:
            told = clean(logging.Formatter().formatException(record.exc_info))
            record.exc_text = "\n".join(f"    {_line(line)}" for line in _some_of(told))
        return True


LOGGER.addFilter(_Lines())


def _some_of(text: str) -> list[str]:
    lines = text.splitlines()
    if len(lines) > _FIRST_LINES + _LAST_LINES:
        lines[_FIRST_LINES:-_LAST_LINES] = ["…"]
    return lines


def _line(text: str) -> str:
    text = text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}…"
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def _quoted(text: str) -> str:
    """Return a text that a client has sent: escaped, so that it makes no line, and not too long."""
    return repr(text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…")


def title_of(job: Job) -> str:
    """Return the title of the call's target: of its spreadsheet, and of its worksheet."""
    if job.target is None:
        by_title = job.kind == "client" and job.method in ("open", "create", "openall")
        titles = job.args[:1] if by_title else ()
    else:
        titles = tuple(job.target[part].get("title") for part in ("spreadsheet", "properties"))
    shown = [_quoted(title) for title in titles if title and isinstance(title, str)]
    return " / ".join(shown) or ("-" if job.target is None else "?")


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
    """One JSON object a line; a call's facts, and those of some events, are keys of it."""

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
