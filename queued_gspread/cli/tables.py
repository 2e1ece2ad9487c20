"""Text that fits: tables with aligned columns, and lines that are folded at a width. Pure.

Without a width, as for a pipe, nothing is left out but the ends of long cells.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["cut", "fold", "table"]

_LONGEST_CELL: Final = 46
_NUMBER: Final = re.compile(r"[-\d.,%]+( (ms|s|min|h|d|%))?|\?|")
_BETWEEN: Final = "  "
# To what widths text is cut: as long as columns can be left out instead, and after that.
_EASY, _LEAST = 18, 8


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    width: int | None = None,
    *,
    whole: Sequence[str] = (),
    spare: Sequence[str] = (),
) -> list[str]:
    """Return the lines of a table; columns of numbers are aligned to the right.

    Args:
        head: The titles of its columns.
        rows: The cells of its rows.
        width: The width of the terminal; None for none.
        whole: The columns whose text is cut last.
        spare: The columns that are left out if the width is too small, the first one first.

    """
    columns = [*zip(head, *([cut(cell) for cell in row] for row in rows), strict=True)]
    numeric = {column[0] for column in columns if all(map(_NUMBER.fullmatch, column[1:]))}
    fixed = numeric | {*whole}
    left_out = [*spare]
    widths = _fit(columns, width, fixed, _EASY)
    while width is not None and _total(widths) > width and left_out:
        name = left_out.pop(0)
        columns = [column for column in columns if column[0] != name]
        widths = _fit(columns, width, fixed, _EASY)
    for kept in (fixed, numeric):
        if width is not None and _total(widths) > width:
            widths = _fit(columns, width, kept, _LEAST)
    lines = []
    for row in zip(*columns, strict=True):
        cells = zip(row, widths, (column[0] in numeric for column in columns), strict=True)
        lines.append(_BETWEEN.join(_padded(*cell) for cell in cells).rstrip())
    return lines


def fold(line: str, width: int | None) -> list[str]:
    """Return a line as several ones where it is wider than that."""
    if width is None or _columns(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False)


def cut(text: str, longest: int = _LONGEST_CELL) -> str:
    """Return a text without its end where it is wider than that."""
    if _columns(text) <= longest:
        return text
    while _columns(text) >= longest:
        text = text[:-1]
    return f"{text}…"


def _fit(
    columns: Sequence[Sequence[str]], width: int | None, fixed: set[str], least: int
) -> list[int]:
    """Return widths of columns that fit, as far as cutting text down to ``least`` does it."""
    widths = [max(map(_columns, column)) for column in columns]
    free = [place for place, column in enumerate(columns) if column[0] not in fixed]
    while width is not None and free and _total(widths) > width:
        widest = max(free, key=lambda place: widths[place])
        if widths[widest] <= max(least, len(columns[widest][0])):
            break
        widths[widest] -= 1
    return widths


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_BETWEEN) * (len(widths) - 1)


def _padded(cell: str, width: int, is_right: bool) -> str:
    cell = cut(cell, width)
    space = " " * (width - _columns(cell))
    return space + cell if is_right else cell + space


def _columns(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(sign) for sign in text)


def _columns_of(sign: str) -> int:
    if unicodedata.combining(sign):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1
