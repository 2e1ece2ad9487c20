"""How to check whether a request with an unknown outcome was applied. Pure.

A hint names titles, ranges and ids. It never has a cell's value, a comment's text, or whom a file
was shared with. It continues the words "Before you call again, ". The texts are in
:mod:`queued_gspread.google_api.methods` and :mod:`queued_gspread.google_api.batch_requests`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from queued_gspread.google_api.batch_requests import BATCH_REQUESTS

from .idempotency import json_sent, known_method

if TYPE_CHECKING:
    from .request import Request

    Json = dict[str, Any]

__all__ = ["GENERAL", "how_to_check"]

GENERAL: Final = "look whether what it was to change has changed"
"""The hint for a request that is in no table."""

_LONGEST_NAME: Final = 200
_WHOLE_SHEET: Final = re.compile(r"'((?:[^']|'')+)'")


def how_to_check(request: Request) -> str:
    """Return what to look at to find out whether a request was applied."""
    method = known_method(request)
    if method is None or not method.check:
        return GENERAL
    body = json_sent(request)
    return method.check.format(
        titled=_titled(_named(body, "properties", "title")),
        named=_titled(_named(body, "name")),
        destination=_destination(_named(body, "destinationSpreadsheetId")),
        place=_place(request.path),
        batch=_of_batch(body),
    )


def _titled(title: str) -> str:
    return f" titled {title}" if title else ""


def _destination(where: str) -> str:
    return f"spreadsheet {where}" if where else "the other spreadsheet"


def _place(path: str) -> str:
    """Return where an append goes, according to its path."""
    label = unquote(path.rpartition(":")[0].rpartition("/")[2])
    if whole := _WHOLE_SHEET.fullmatch(label):
        title = whole[1].replace("''", "'")
        return f"in the worksheet {title[:_LONGEST_NAME]!r}"
    return f"at {label[:_LONGEST_NAME]!r}"


def _of_batch(body: Json | None) -> str:
    """Return the hint for the part that makes a batch non-idempotent, else for its first part."""
    parts = _parts(body)
    kind, about = next((part for part in parts if _is_never(part[0])), (*parts, ("", {}))[0])
    row = BATCH_REQUESTS.get(kind)
    if row is None:
        return GENERAL
    hint = row.check.format(sheet=_sheet(about), title=_title(about), span=_span(about))
    more = f" (all {len(parts)} parts of the batch were applied, or none)"
    return hint + more if parts[1:] else hint


def _is_never(kind: str) -> bool:
    row = BATCH_REQUESTS.get(kind)
    return row is not None and isinstance(row.idempotent, str)


def _parts(body: Json | None) -> list[tuple[str, Json]]:
    items = (body or {}).get("requests")
    return [
        (str(kind), about if isinstance(about, dict) else {})
        for item in (items if isinstance(items, list | tuple) else ())
        if isinstance(item, dict)
        for kind, about in item.items()
    ]


def _within(about: Json) -> list[Json]:
    """Return the objects that may name a request's sheet and rows, outermost first."""
    inner = [value for value in about.values() if isinstance(value, dict)]
    deeper = [value for one in inner for value in one.values() if isinstance(value, dict)]
    return [about, *inner, *deeper]


def _sheet(about: Json) -> str:
    for place in _within(about):
        for name in ("sheetId", "sourceSheetId"):
            if isinstance(place.get(name), int):
                return f"the sheet with id {place[name]}"
    return "the sheet"


def _title(about: Json) -> str:
    given = _named(about, "properties", "title") or _named(about, "newSheetName")
    return given or "as it was to be"


def _span(about: Json) -> str:
    for place in _within(about):
        first, end = place.get("startIndex"), place.get("endIndex")
        if isinstance(first, int) and isinstance(end, int):
            what = "columns" if place.get("dimension") == "COLUMNS" else "rows"
            return f"{what} {first + 1} to {end}"
    return "its rows or columns"


def _named(body: Json | None, *path: str) -> str:
    """Return the text at a path, quoted; '' if there is none."""
    found: Any = body
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    return repr(found[:_LONGEST_NAME]) if isinstance(found, str) and found else ""
