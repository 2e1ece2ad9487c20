"""Writes of values to known cells: ``values.update`` and ``values:batchUpdate`` become one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from queued_gspread.server.policy.request import Request

from .part import (
    Form,
    Json,
    Mergeable,
    MergeKind,
    batch_path,
    params_of,
    reads_params,
    split_by_part,
    values_path,
)
from .ranges import Covered, Extent, extent_of, named_cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["INPUT", "RENDER", "Capacity", "cells_of", "part", "request", "split"]

INPUT: Final = {"valueInputOption": ("RAW", "USER_ENTERED")}
RENDER: Final = {
    # Values read back after one write might show another write of the same request.
    "includeValuesInResponse": ("false",),
    "responseValueRenderOption": ("FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA"),
    "responseDateTimeRenderOption": ("SERIAL_NUMBER", "FORMATTED_STRING"),
}
_OPTIONS: Final = INPUT | RENDER
# Bounds the work of :class:`.ranges.Covered`: large extents are compared with all others, and of
# small ones every cell is stored.
_MOST_EXTENTS: Final = 1_000
_DIMENSIONS: Final = (None, "ROWS", "COLUMNS")


def part(asked: Request) -> Mergeable | None:
    """Return a write of values as a part; None if it is something else or its cells are unsure."""
    method, body = str(asked.method).upper(), asked.json
    query = params_of(asked)
    if query is None or not isinstance(body, dict):
        return None
    if method == "PUT":
        path = values_path(asked)
        fits = path is not None and body.get("range", path[1]) == path[1]
        if path is None or not fits:
            return None
        return _part(asked, path[0], [{**body, "range": path[1]}], query, Form.ONE)
    base = batch_path(asked, "/values:batchUpdate")
    if method != "POST" or base is None or query:
        return None
    if not isinstance(body.get("includeValuesInResponse", False), bool):
        return None  # Google takes any text as true, or refuses it
    options = {name: value for name, value in body.items() if name != "data"}
    return _part(asked, base, body.get("data"), options, Form.SEVERAL)


def _part(asked: Request, base: str, data: Any, query: Json, form: Form) -> Mergeable | None:
    options = reads_params(query, _OPTIONS)
    if options is None or "valueInputOption" not in options:
        return None
    if not isinstance(data, list) or not data:
        return None
    if form is Form.SEVERAL and not all(map(_has_no_gap, data)):
        return None  # the answer does not show which rows and columns its totals count
    extents = [_extent(item) for item in data]
    known = [extent for extent in extents if extent is not None]
    if len(known) < len(extents):
        return None
    return Mergeable(
        MergeKind.UPDATE,
        asked,
        base,
        tuple(sorted(options.items())),
        tuple(data),
        sum(extent.height * extent.width for extent in known),
        tuple(known),
        form,
    )


def _extent(item: Any) -> Extent | None:
    if not isinstance(item, dict) or not item.keys() <= {"range", "values", "majorDimension"}:
        return None
    lines: Any = item.get("values")
    text = item.get("range")
    if item.get("majorDimension") not in _DIMENSIONS or not isinstance(text, str):
        return None
    if cells_of(lines) is None:
        return None
    height, width = len(lines), max(map(len, lines), default=0)
    if item.get("majorDimension") == "COLUMNS":
        height, width = width, height
    return extent_of(text, height, width)


def _has_no_gap(item: Any) -> bool:
    """Return whether every line of a range is written without a gap, or nothing is written."""
    lines: Any = item.get("values") if isinstance(item, dict) else None
    if cells_of(lines) is None:
        return False
    kept = [[value for value in line if value is not None] for line in lines]
    return not any(kept) or all(
        line and len(line) == len(own) for line, own in zip(lines, kept, strict=True)
    )


def cells_of(lines: Any) -> int | None:
    """Return how many values a list of lists holds; None if it is something else."""
    if not isinstance(lines, list) or not all(isinstance(line, list) for line in lines):
        return None
    return sum(map(len, lines))


def request(parts: Sequence[Mergeable]) -> Request:
    """Return the one request for all of them."""
    data = [item for part in parts for item in part.items]
    body = {**dict(parts[0].options), "data": data}
    return Request("post", f"{parts[0].base}/values:batchUpdate", json=body)


class Capacity:
    """Lets writes join that share no cell with the others.

    Args:
        first: The first of them.

    """

    def __init__(self, first: Mergeable) -> None:
        self._left = _MOST_EXTENTS - len(first.extents)
        self._written = Covered()
        if self._left > 0:
            self._written.add(first.extents)

    def add(self, part: Mergeable) -> bool:
        """Add one more if it shares no cell with the others."""
        if len(part.extents) > self._left:
            return False
        if any(map(self._written.overlaps, part.extents)):
            return False
        self._written.add(part.extents)
        self._left -= len(part.extents)
        return True


def split(parts: Sequence[Mergeable], body: Json) -> list[Json] | None:
    """Return each part's answer."""
    shared = split_by_part(parts, body.get("responses"))
    if shared is None or not all(isinstance(each, dict) for own in shared for each in own):
        return None
    answers = [_answer(part, own, body) for part, own in zip(parts, shared, strict=True)]
    return None if None in answers else [answer for answer in answers if answer is not None]


def _answer(part: Mergeable, own: list[Json], body: Json) -> Json | None:
    if part.form is Form.ONE:
        return own[0]
    totals = _totals(own)
    if totals is None:
        return None
    return {"spreadsheetId": body.get("spreadsheetId"), **totals, "responses": own}


def _totals(responses: Iterable[Json]) -> Json | None:
    """Count as Google does: a row or a column that several ranges touch is one."""
    rows: set[tuple[str, int]] = set()
    columns: set[tuple[str, int]] = set()
    sheets: set[str] = set()
    cells = 0
    for response in responses:
        cells += response.get("updatedCells", 0)
        if "updatedRows" not in response:
            continue
        extent = named_cells(str(response.get("updatedRange")))
        if extent is None:
            return None
        sheets.add(extent.sheet)
        rows |= {(extent.sheet, row) for row in range(extent.top, extent.bottom)}
        columns |= {(extent.sheet, column) for column in range(extent.left, extent.right)}
    counts = {
        "totalUpdatedRows": len(rows),
        "totalUpdatedColumns": len(columns),
        "totalUpdatedCells": cells,
        "totalUpdatedSheets": len(sheets),
    }
    return {name: count for name, count in counts.items() if count}
