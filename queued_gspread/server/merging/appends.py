"""Appended rows: several ``values.append`` become one, and each caller's rows are located.

Google searches for the table anew before every append. So rows may share a request only if that
search is certain to find the table that the rows before them left:

- A row with a blank or missing cell may leave another table: after ``["x", "", "y"]`` the next
  append finds the table that begins at ``y``. A formula or a leading apostrophe may show nothing.
- With a range of cells and OVERWRITE, single appends step over cells below the table, but one
  append of all rows would overwrite them. If the range is the whole sheet, nothing is below its
  last table. INSERT_ROWS pushes the cells below down.
- Rows that are wider than the table may touch cells beside it. Narrower rows may miss the table if
  its last row has gaps. So the table must be known from the answer to the previous append
  (:func:`table_after`), and the rows must be no wider than it.

A table is the rectangle around cells with content, grown until the cells along its sides are empty.
So a search that reaches any cell of a table finds all of it, and a full row reaches the row above
it if both begin in the same column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.server.policy.request import Request

from .part import Json, Mergeable, MergeKind, params_of, reads_params, values_path
from .ranges import Extent, extent_of, is_whole_sheet, named_cells, write_range
from .updates import INPUT, RENDER

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Capacity", "Table", "part", "request", "split", "table_after"]

_OPTIONS: Final = {**INPUT, **RENDER, "insertDataOption": ("OVERWRITE", "INSERT_ROWS")}


@dataclass(frozen=True)
class Table:
    """The table that an append left.

    Attributes:
        rows: The cells of the appended rows.
        whole: The table that the next append finds; None if that is not certain.

    """

    rows: Extent
    whole: Extent | None = None


def part(asked: Request) -> Mergeable | None:
    """Return an append as a part; None if it is something else, or may have to be sent alone."""
    path, query, body = values_path(asked, ":append"), params_of(asked), asked.json
    if path is None or query is None or str(asked.method).upper() != "POST":
        return None
    base, target = path
    options = reads_params(query, _OPTIONS)
    if options is None or "valueInputOption" not in options or not _fits(target, options):
        return None
    if not isinstance(body, dict) or not body.keys() <= {"values", "majorDimension", "range"}:
        return None
    if body.get("majorDimension") not in (None, "ROWS") or body.get("range", target) != target:
        return None
    rows: Any = body.get("values")
    if not _is_dense(rows):
        return None
    return Mergeable(
        MergeKind.APPEND,
        asked,
        base,
        tuple(sorted(options.items())),
        tuple(rows),
        len(rows) * len(rows[0]),
        range=target,
    )


def _fits(text: str, options: Json) -> bool:
    if is_whole_sheet(text):
        return True
    return options.get("insertDataOption") == "INSERT_ROWS" and extent_of(text) is not None


def _is_dense(rows: Any) -> bool:
    """Return whether rows are equally wide and none of their cells may be or look empty."""
    if not isinstance(rows, list) or not rows:
        return False
    if not all(isinstance(row, list) and row for row in rows):
        return False
    return len(set(map(len, rows))) == 1 and all(_is_filled(cell) for row in rows for cell in row)


def _is_filled(value: Any) -> bool:
    if isinstance(value, str):
        text = value.strip()
        return bool(text) and (text[0] not in "=+-@'" or _is_number(text))
    return isinstance(value, bool | int | float)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _width(part: Mergeable) -> int:
    """Return how many columns an append's rows have."""
    return len(part.items[0])


class Capacity:
    """Lets rows join that are no wider than the table, which must be known.

    Args:
        first: The first append.
        table: The table that the previous append left.

    """

    def __init__(self, first: Mergeable, table: Table | None) -> None:
        whole = None if table is None else table.whole
        self._width = 0 if whole is None or _width(first) > whole.width else whole.width

    def add(self, part: Mergeable) -> bool:
        """Add one more if it is certain where its rows go."""
        return _width(part) <= self._width


def request(parts: Sequence[Mergeable]) -> Request:
    """Return the one request for all of them."""
    first = parts[0].request
    rows = [row for part in parts for row in part.items]
    return Request(first.method, first.endpoint, first.params, json={"values": rows})


def split(parts: Sequence[Mergeable], body: Json) -> list[Json] | None:
    """Return each part's answer, as it would have been alone."""
    written = _written(parts, body)
    if written is None:
        return None
    table = named_cells(str(body["tableRange"])) if "tableRange" in body else None
    answers, top = [], written.top
    for part in parts:
        rows = written._replace(
            top=top, bottom=top + len(part.items), right=written.left + _width(part)
        )
        answers.append(_answer(body.get("spreadsheetId"), table, rows))
        table = rows if table is None else _spanned(table, rows)
        top = rows.bottom
    return answers


def _written(parts: Sequence[Mergeable], body: Json) -> Extent | None:
    """Return the cells of all rows; None if the answer does not match these rows."""
    updates = body.get("updates")
    if not isinstance(updates, dict):
        return None
    cells = named_cells(str(updates.get("updatedRange")))
    size = sum(len(part.items) for part in parts), max(map(_width, parts))
    return cells if cells is not None and (cells.height, cells.width) == size else None


def _answer(spreadsheet: Any, table: Extent | None, rows: Extent) -> Json:
    about = {"spreadsheetId": spreadsheet}
    updates = about | {
        "updatedRange": write_range(rows),
        "updatedRows": rows.height,
        "updatedColumns": rows.width,
        "updatedCells": rows.height * rows.width,
    }
    table_range = {} if table is None else {"tableRange": write_range(table)}
    return {**about, **table_range, "updates": updates}


def _spanned(table: Extent, rows: Extent) -> Extent:
    return table._replace(bottom=rows.bottom, right=max(table.right, rows.right))


def table_after(parts: Sequence[Mergeable], body: Json, before: Table | None) -> Table | None:
    """Return the table that an append left; None if that is not known at all.

    Args:
        parts: The appended rows.
        body: The answer.
        before: The table that the previous append left, if nothing else was written since.

    """
    rows = _written(parts, body)
    if rows is None:
        return None
    if "tableRange" not in body:
        # Either the sheet was empty or the range was; in the latter case other cells may touch
        # the rows.
        return Table(rows, rows if is_whole_sheet(parts[0].range) else None)
    table = named_cells(str(body["tableRange"]))
    if table is None or (table.left, table.bottom) != (rows.left, rows.top):
        return None
    is_reached = _width(parts[0]) == table.width or _is_under(table, before)
    is_within = rows.width <= table.width
    return Table(rows, _spanned(table, rows) if is_reached and is_within else None)


def _is_under(table: Extent, before: Table | None) -> bool:
    """Return whether a table ends with the previous append's rows and begins in their column."""
    if before is None:
        return False
    rows = before.rows
    return (table.sheet, table.left, table.bottom) == (rows.sheet, rows.left, rows.bottom)
