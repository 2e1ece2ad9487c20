"""References inside formulas, rewritten when cells move or a formula is copied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from queued_gspread.emulator.a1 import Rect, column_index, column_letters, quote_title

if TYPE_CHECKING:
    from queued_gspread.emulator.shift import Change

_REFERENCE = re.compile(
    r"""(?P<text>"(?:[^"]|"")*")
    |(?P<sheet>(?:'(?:[^']|'')+'|[A-Za-z_][\w.]*)!)?
     (?<![\w.$])(?P<first>\$?[A-Za-z]{1,3}\$?[1-9]\d*)(?::(?P<second>\$?[A-Za-z]{1,3}\$?[1-9]\d*))?
     (?![\w(.])""",
    re.VERBOSE,
)
_CELL = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)([1-9]\d*)")
_GONE = "#REF!"
Corner = tuple[str, int, str, int]


def moved_formula(formula: str, home: str, changed: str, change: Change) -> str:
    """Return a formula of the sheet `home` after cells of `changed` have moved."""

    def move(match: re.Match[str]) -> str:
        title = _title(match["sheet"]) or home
        if match["text"] or title.casefold() != changed.casefold():
            return match[0]
        moved = _moved(match["first"], match["second"], change)
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
    """Return a formula pasted so many rows down and columns right; `$` holds a part fast."""

    def move(match: re.Match[str]) -> str:
        if match["text"]:
            return match[0]
        parts = [_offset(part, rows, columns) for part in (match["first"], match["second"]) if part]
        return (match["sheet"] or "") + (":".join(parts) if _GONE not in parts else _GONE)

    return _REFERENCE.sub(move, formula)


def _title(prefix: str | None) -> str | None:
    if prefix is None:
        return None
    return prefix[1:-2].replace("''", "'") if prefix.startswith("'") else prefix[:-1]


def _corner(text: str) -> Corner:
    match = _CELL.fullmatch(text)
    assert match
    return match[1], column_index(match[2]), match[3], int(match[4]) - 1


def _written(corner: Corner) -> str:
    return f"{corner[0]}{column_letters(corner[1])}{corner[2]}{corner[3] + 1}"


def _offset(text: str, rows: int, columns: int) -> str:
    fixed_column, column, fixed_row, row = _corner(text)
    column += 0 if fixed_column else columns
    row += 0 if fixed_row else rows
    if column < 0 or row < 0:
        return _GONE
    return _written((fixed_column, column, fixed_row, row))


def _moved(first: str, second: str | None, change: Change) -> str:
    start, end = _corner(first), _corner(second or first)
    moved = change.rect(Rect(start[3], end[3] + 1, start[1], end[1] + 1))
    if moved is None:
        return _GONE
    written = _written((start[0], moved.start_column, start[2], moved.start_row))
    last = (end[0], moved.end_column - 1, end[2], moved.end_row - 1)
    return f"{written}:{_written(last)}" if second else written
