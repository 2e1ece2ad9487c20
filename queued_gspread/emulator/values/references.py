"""References inside formulas, rewritten when cells move or a formula is copied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from queued_gspread.emulator.book.a1 import Rect, column_index, column_letters, quote_title

if TYPE_CHECKING:
    from queued_gspread.emulator.book.grid import Grid

_REFERENCE = re.compile(
    r"""(?P<text>"(?:[^"]|"")*")
    |(?P<sheet>(?:'(?:[^']|'')+'|[^\W\d][\w.]*)!)?
     (?<![\w.$])(?:
        (?P<first>\$?[A-Za-z]{1,3}\$?[1-9]\d*)(?::(?P<second>\$?[A-Za-z]{1,3}(?:\$?[1-9]\d*)?))?
       |(?P<open>\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3}|\$?[1-9]\d*:\$?[1-9]\d*)
     )(?![\w(.])""",
    re.VERBOSE,
)
_CORNER = re.compile(r"(?:(\$?)([A-Za-z]{1,3}))?(?:(\$?)([1-9]\d*))?")
_GONE = "#REF!"
# The end of an open side: beyond every grid.
_FAR = 10**9
# A column or a row that is None is not named: `A:A` has no rows.
Corner = tuple[str, "int | None", str, "int | None"]


class Change(Protocol):
    """A change that moves cells: whole rows or columns, or a part of them."""

    @property
    def dimension(self) -> str:
        """ROWS or COLUMNS: along which cells move."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a half-open span of whole rows or columns lies afterwards."""

    def index(self, index: int) -> int | None:
        """Return where a whole row or column lies afterwards, None if it is gone."""

    def rect(self, rect: Rect) -> Rect | None:
        """Return where a rectangle lies afterwards, None if it is gone."""

    def apply(self, grid: Grid) -> None:
        """Move the cells of a grid."""


def moved_formula(formula: str, home: str, changed: str, change: Change) -> str:
    """Return a formula of the sheet `home` after cells of `changed` have moved."""

    def move(match: re.Match[str]) -> str:
        title = _title(match["sheet"]) or home
        if match["text"] or title.casefold() != changed.casefold():
            return match[0]
        moved = _moved(*_parts(match), change)
        return (match["sheet"] or "") + moved

    return _REFERENCE.sub(move, formula)


def renamed_formula(formula: str, old: str, new: str) -> str:
    """Return a formula after a sheet got another title."""

    def rename(match: re.Match[str]) -> str:
        title = _title(match["sheet"])
        if match["text"] or title is None or title.casefold() != old.casefold():
            return match[0]
        return f"{quote_title(new)}!{match[0][len(match['sheet']) :]}"

    return _REFERENCE.sub(rename, formula)


def copied_formula(formula: str, rows: int, columns: int) -> str:
    """Return a formula pasted so many rows down and columns right; parts with `$` stay fixed."""

    def move(match: re.Match[str]) -> str:
        if match["text"]:
            return match[0]
        parts = [_offset(part, rows, columns) for part in _parts(match) if part]
        return (match["sheet"] or "") + (":".join(parts) if _GONE not in parts else _GONE)

    return _REFERENCE.sub(move, formula)


def _title(prefix: str | None) -> str | None:
    if prefix is None:
        return None
    return prefix[1:-2].replace("''", "'") if prefix.startswith("'") else prefix[:-1]


def _parts(match: re.Match[str]) -> tuple[str, str | None]:
    """Return the first corner that a reference names, and the second if it does."""
    if match["open"]:
        first, _, second = match["open"].partition(":")
        return first, second
    return match["first"], match["second"]


def _corner(text: str) -> Corner:
    match = _CORNER.fullmatch(text)
    assert match
    column = column_index(match[2]) if match[2] else None
    return match[1] or "", column, match[3] or "", int(match[4]) - 1 if match[4] else None


def _written(corner: Corner) -> str:
    fixed_column, column, fixed_row, row = corner
    letters = "" if column is None else fixed_column + column_letters(column)
    return letters + ("" if row is None else f"{fixed_row}{row + 1}")


def _offset(text: str, rows: int, columns: int) -> str:
    fixed_column, column, fixed_row, row = _corner(text)
    if column is not None and not fixed_column:
        column += columns
    if row is not None and not fixed_row:
        row += rows
    if (column or 0) < 0 or (row or 0) < 0:
        return _GONE
    return _written((fixed_column, column, fixed_row, row))


def _moved(first: str, second: str | None, change: Change) -> str:
    (fixed_left, left, fixed_top, top), (fixed_right, right, fixed_bottom, bottom) = (
        _corner(first),
        _corner(second or first),
    )
    rows = top or 0, _FAR if bottom is None else bottom + 1
    columns = left or 0, _FAR if right is None else right + 1
    moved = change.rect(Rect(*rows, *columns))
    if moved is None:
        return _GONE
    start = fixed_left, _kept(left, moved.start_column), fixed_top, _kept(top, moved.start_row)
    end = (
        fixed_right,
        _kept(right, moved.end_column - 1),
        fixed_bottom,
        _kept(bottom, moved.end_row - 1),
    )
    return f"{_written(start)}:{_written(end)}" if second else _written(start)


def _kept(named: int | None, moved: int) -> int | None:
    """Return where a column or a row has moved, None where it was not named."""
    return None if named is None else moved
