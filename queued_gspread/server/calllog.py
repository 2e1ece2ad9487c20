"""What the server's log says of every call, and what it never says: a cell's value."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from queued_gspread.broker import Entry
    from queued_gspread.job import Job

    from .outcome import Outcome

__all__ = ["LOGGER", "configure", "log_call", "title_of"]

LOGGER: Final = logging.getLogger("queued_gspread.server")


_CALL: Final = (
    "%(waiting)d waiting  %(caller)s  %(target)s  %(method)s  %(duration_ms).1f ms  "
    "requests: %(requests)d  %(outcome)s"
)


def log_call(entry: Entry, outcome: Outcome, seconds: float) -> None:
    """Log one call: who called what, how many wait in its lane, how long it took, how it ended."""
    if not LOGGER.isEnabledFor(logging.INFO):
        return
    about = {
        "waiting": entry.waiting - 1,
        **_of_job(outcome.job),
        "duration_ms": round(seconds * 1000, 1),
        "requests": outcome.requests,
        "outcome": outcome.word,
    }
    # Made here: to look for the line of code that says so takes a tenth of a short call's time.
    record = LOGGER.makeRecord(
        LOGGER.name, logging.INFO, __file__, 0, _CALL, (about,), None, extra={"call": about}
    )
    LOGGER.handle(record)


def _of_job(job: Job | None) -> dict[str, str]:
    if job is None:
        return {"caller": "?", "target": "?", "method": "?"}
    host, process = job.caller
    return {
        # Escaped: a client must not be able to write lines of its own.
        "caller": repr(f"{host}:{process}")[1:-1],
        "target": title_of(job),
        "method": repr(f"{job.kind}.{job.method}")[1:-1],
    }


def title_of(job: Job) -> str:
    """Return the title of the call's target: of its spreadsheet, and of its worksheet."""
    if job.target is None:
        by_title = job.kind == "client" and job.method in ("open", "create", "openall")
        return repr(job.args[0]) if by_title and job.args else "-"
    titles = [part.get("title") for part in (job.target["spreadsheet"], job.target["properties"])]
    return " / ".join(repr(title) for title in titles if title) or "?"


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
    """One JSON object a line; a call's facts are keys of it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        when = datetime.fromtimestamp(record.created, timezone.utc)
        line: dict[str, Any] = {
            "time": when.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        line |= getattr(record, "call", {"message": record.getMessage()})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)
