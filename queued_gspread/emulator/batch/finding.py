"""The request that finds and replaces text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.cell import LONGEST
from queued_gspread.emulator.values.writing import TOO_LONG
from queued_gspread.emulator.wire.errors import InvalidArgumentError

from .scope import shown_value

if TYPE_CHECKING:
    from queued_gspread.emulator.book.a1 import Rect
    from queued_gspread.emulator.book.cell import Cell
    from queued_gspread.emulator.book.sheet import Sheet

    from .scope import Json, Scope

_SCOPES = ("range", "sheetId", "allSheets")
_JAVA_REFERENCE = re.compile(r"\\(.?)|\$(\d)|\$\{(\w+)\}|([^\\$]+)", re.DOTALL)


@dataclass
class _Tally:
    """The changes so far."""

    values: int = 0
    formulas: int = 0
    occurrences: int = 0
    rows: set[tuple[int, int]] = field(default_factory=set)

    def add(self, row: tuple[int, int], occurrences: int, in_formula: bool) -> None:
        self.rows.add(row)
        self.occurrences += occurrences
        self.formulas += in_formula
        self.values += not in_formula

    def json(self) -> Json:
        counts = {
            "valuesChanged": self.values,
            "formulasChanged": self.formulas,
            "rowsChanged": len(self.rows),
            "sheetsChanged": len({sheet_id for sheet_id, _ in self.rows}),
            "occurrencesChanged": self.occurrences,
        }
        return {name: count for name, count in counts.items() if count}


def find_replace(scope: Scope, request: Json) -> Json:
    """Replace text in a range, a sheet or all sheets; results are entered as if typed.

    By the reference of FindReplaceRequest. It searches what cells show, and formulas if they are
    included.
    """
    pattern = _pattern(request)
    replacement, entire = _replacement(request, pattern), bool(request.get("matchEntireCell"))
    tally = _Tally()
    for sheet, rect in _places(scope, request):
        for row, column, cell in list(sheet.grid.stored(rect)):
            text = _text(cell, bool(request.get("includeFormulas")))
            new, count = _replaced(text, pattern, replacement, entire)
            if text and count:
                scope.enter(sheet, (row, column), new)
                tally.add((sheet.sheet_id, row), count, cell.formula is not None)
    return {"findReplace": tally.json()}


def _replaced(
    text: str, pattern: re.Pattern[str], replacement: str, entire: bool
) -> tuple[str, int]:
    if entire:
        match = pattern.fullmatch(text)
        return (match.expand(replacement), 1) if match else (text, 0)
    pieces, end, length = list[str](), 0, 0
    for match in pattern.finditer(text):
        pieces += text[end : match.start()], match.expand(replacement)
        end, length = match.end(), length + len(pieces[-2]) + len(pieces[-1])
        if length > LONGEST:
            # Checked at every step: the text might take all the memory before the end.
            raise InvalidArgumentError(TOO_LONG)
    return "".join(pieces) + text[end:], len(pieces) // 2


def _places(scope: Scope, request: Json) -> list[tuple[Sheet, Rect]]:
    given = [name for name in _SCOPES if name in request and request[name] is not False]
    if len(given) != 1:
        found = ", ".join(given) or "none"
        raise InvalidArgumentError(f"Exactly one of {', '.join(_SCOPES)} must be set, was {found}")
    if given == ["range"]:
        return [scope.grid_range(request["range"])]
    sheets = scope.book.sheets if given == ["allSheets"] else [scope.sheet(request["sheetId"])]
    return [(sheet, sheet.grid.everything) for sheet in sheets]


def _text(cell: Cell, with_formulas: bool) -> str:
    """Return the text of a cell that is searched."""
    if cell.formula is not None:
        return cell.formula if with_formulas else ""
    return shown_value(cell)


def _pattern(request: Json) -> re.Pattern[str]:
    find = request.get("find") or ""
    if not find:
        raise InvalidArgumentError("find must not be empty")
    source = find if request.get("searchByRegex") else re.escape(find)
    try:
        return re.compile(source, 0 if request.get("matchCase") else re.IGNORECASE)
    except re.error as problem:
        raise InvalidArgumentError(f"Invalid regular expression {find}: {problem}") from None


def _replacement(request: Json, pattern: re.Pattern[str]) -> str:
    r"""Return the replacement in `re`'s syntax: Java's `$1` is `\g<1>`."""
    text = str(request.get("replacement") or "")
    if not request.get("searchByRegex"):
        return text.replace("\\", r"\\")

    def translated(match: re.Match[str]) -> str:
        group = match[2] or match[3]
        if not group:
            return (match[1] or match[4] or "\\").replace("\\", r"\\")
        if group not in pattern.groupindex and not (group.isdecimal() and int(group) <= groups):
            raise InvalidArgumentError(f"replacement names group {group}, which find does not have")
        return rf"\g<{group}>"

    groups = pattern.groups
    return _JAVA_REFERENCE.sub(translated, text)
