"""How the log and errors show texts that a client has sent: on one line, and not too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from queued_gspread.protocol.messages import Job

__all__ = ["quoted", "sheet_title", "spreadsheet_title", "title_of"]

_LONGEST_NAME: Final = 100


def quoted(text: str) -> str:
    """Return a client's text, escaped so that it cannot start a new line, and shortened."""
    return repr(text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…")


def title_of(job: Job) -> str:
    """Return the title of the call's target: its spreadsheet's, and its worksheet's."""
    if job.target is None:
        by_title = job.kind == "client" and job.method in ("open", "create", "openall")
        titles = job.args[:1] if by_title else ()
    else:
        titles = tuple(job.target[part].get("title") for part in ("spreadsheet", "properties"))
    shown = [quoted(title) for title in titles if title and isinstance(title, str)]
    return " / ".join(shown) or ("-" if job.target is None else "?")


def spreadsheet_title(job: Job | None) -> str:
    """Return the title of the call's spreadsheet, as its caller knows it; '' if it does not."""
    return _title(job, "spreadsheet")


def sheet_title(job: Job | None) -> str:
    """Return the title of the call's worksheet; '' if it is for none."""
    return _title(job, "properties")


def _title(job: Job | None, part: str) -> str:
    if job is None or job.target is None:
        return ""
    properties = job.target.get(part)
    title = properties.get("title") if isinstance(properties, dict) else None
    return quoted(title)[1:-1] if isinstance(title, str) else ""
