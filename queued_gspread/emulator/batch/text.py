"""Requests that split, trim or paste the texts of cells.

By the reference of TrimWhitespaceRequest, TextToColumnsRequest and PasteDataRequest.
"""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

from queued_gspread.emulator.values.csv_import import csv_rows
from queued_gspread.emulator.wire.errors import InvalidArgumentError

from .scope import shown_value

if TYPE_CHECKING:
    from queued_gspread.emulator.book.sheet import Sheet

    from .scope import Json, Scope

_DELIMITERS = {"COMMA": ",", "SEMICOLON": ";", "PERIOD": ".", "SPACE": " "}
# Paste types that paste values; the others find nothing to paste in a text.
_WITH_VALUES = {"PASTE_NORMAL", "PASTE_VALUES", "PASTE_FORMULA", "PASTE_NO_BORDERS"}


def trim_whitespace(scope: Scope, request: Json) -> Json:
    """Remove spaces around texts and repeated ones within; they stay texts."""
    sheet, rect = scope.grid_range(request.get("range"))
    count = 0
    for row, column, cell in list(sheet.grid.stored(rect)):
        if isinstance(cell.value, str):
            trimmed = " ".join(cell.value.split())
            if trimmed != cell.value:
                sheet.grid.put(row, column, cell.changed(value=trimmed or None))
                count += 1
    return {"trimWhitespace": {"cellsChangedCount": count} if count else {}}


def text_to_columns(scope: Scope, request: Json) -> Json:
    """Split the texts of a column; the parts are entered from there on to the right."""
    sheet, rect = scope.grid_range(request.get("source"))
    if rect.width != 1:
        raise InvalidArgumentError(f"source must span exactly one column, was {rect.width}")
    texts = {
        row: shown_value(cell) for row, _, cell in sheet.grid.stored(rect) if cell.value is not None
    }
    mark = _delimiter(request, list(texts.values()))
    for row, text in texts.items():
        if mark in text:
            _enter(scope, sheet, (row, rect.start_column), [text.split(mark)])
    return {}


def paste_data(scope: Scope, request: Json) -> Json:
    """Enter the parts of a text from a cell on, as if they were typed."""
    sheet, row, column = scope.corner(request.get("coordinate"))
    data = str(request.get("data") or "")
    if not request.get("html") and not request.get("delimiter"):
        raise InvalidArgumentError("One of delimiter and html must be set")
    rows = _html_rows(data) if request.get("html") else _rows(data, str(request["delimiter"]))
    if request.get("type", "PASTE_NORMAL") in _WITH_VALUES:
        _enter(scope, sheet, (row, column), rows)
    return {}


def _enter(scope: Scope, sheet: Sheet, start: tuple[int, int], rows: list[list[str]]) -> None:
    row, column = start
    width = max(map(len, rows), default=0)
    scope.make_room(sheet, row + len(rows), column + width)
    for r, line in enumerate(rows, row):
        for c, text in enumerate(line, column):
            scope.enter(sheet, (r, c), text)


def _delimiter(request: Json, texts: list[str]) -> str:
    kind = request.get("delimiterType", "DELIMITER_TYPE_UNSPECIFIED")
    if kind == "CUSTOM":
        if not request.get("delimiter"):
            raise InvalidArgumentError("delimiter must be set where delimiterType is CUSTOM")
        return str(request["delimiter"])
    if kind == "AUTODETECT":
        marks = _DELIMITERS.values()
        return max(marks, key=lambda mark: sum(mark in text for text in texts))
    if kind not in _DELIMITERS:
        allowed = ", ".join([*_DELIMITERS, "CUSTOM", "AUTODETECT"])
        raise InvalidArgumentError(f"delimiterType must be one of {allowed}, was {kind}")
    return _DELIMITERS[kind]


def _rows(data: str, mark: str) -> list[list[str]]:
    if len(mark) == 1 and mark not in '"\r\n':
        return csv_rows(data, mark)
    return [line.split(mark) for line in data.splitlines()]


def _html_rows(data: str) -> list[list[str]]:
    parser = _Tables()
    parser.feed(data)
    parser.close()
    return parser.rows or [[line] for line in parser.loose.split("\n") if line.strip()]


class _Tables(HTMLParser):
    """The texts of all cells of HTML tables, row by row, and the text outside of them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.loose = ""
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  - HTMLParser gives it
        """Begin a row or a cell, or a line in one."""
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"} and self.rows:
            self.rows[-1].append("")
            self._in_cell = True
        elif tag in {"br", "p", "div"}:
            self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        """End a cell."""
        if tag in {"td", "th"} and self._in_cell:
            self._in_cell = False
            self.rows[-1][-1] = self.rows[-1][-1].strip()

    def handle_data(self, data: str) -> None:
        """Add a text to where it is."""
        if self._in_cell:
            self.rows[-1][-1] += data
        else:
            self.loose += data
