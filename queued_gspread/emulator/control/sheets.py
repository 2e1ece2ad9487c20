"""Files and windows of their sheets as JSON, for a person to look at."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.a1 import Rect
from queued_gspread.emulator.book.cell import CellError
from queued_gspread.emulator.book.timestamps import timestamp
from queued_gspread.emulator.values.evaluate import Evaluator
from queued_gspread.emulator.values.render import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from queued_gspread.emulator.book.cell import Cell, Value
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet
    from queued_gspread.emulator.book.store import File, Store
    from queued_gspread.web.fields import Json

_STYLES = ("bold", "italic", "underline", "strikethrough")
_CHANNELS = ("red", "green", "blue")
_STEPS = 255


def files_json(store: Store, limit: int) -> Json:
    """Return how many files there are, and the latest of them, the newest first."""
    latest = islice(reversed(store.files.values()), limit)
    shown = [{**_file_json(file), "private": file.file_id in store.private} for file in latest]
    return {"total": len(store.files), "files": shown}


def window_json(book: Spreadsheet, sheet: Sheet, asked: Rect) -> Json:
    """Return the cells in a rectangle of a sheet, cut off at the sheet's edge.

    Cells without content, format and note are left out. The first cell of a merge that reaches
    into the rectangle comes along wherever it is.
    """
    rect = _within(sheet, asked)
    merges = [merge for merge in sheet.merges if merge.overlaps(rect)]
    firsts = {(merge.start_row, merge.start_column) for merge in merges}
    evaluator, theme = Evaluator(book, "peek"), _theme(book)
    return {
        **_sheet_json(sheet),
        "row": rect.start_row,
        "column": rect.start_column,
        "height": rect.height,
        "width": rect.width,
        "frozen_rows": sheet.grid_properties.get("frozenRowCount", 0),
        "frozen_columns": sheet.grid_properties.get("frozenColumnCount", 0),
        "hidden_rows": _hidden(sheet, "ROWS", range(rect.start_row, rect.end_row)),
        "hidden_columns": _hidden(sheet, "COLUMNS", range(rect.start_column, rect.end_column)),
        "merges": [_merge_json(merge) for merge in merges],
        "cells": [
            {"row": row, "column": column, **_value_json(evaluator, sheet, row, column)}
            | _cell_json(cell, theme)
            for row, column, cell in _cells(sheet, rect, firsts)
        ],
    }


def _file_json(file: File) -> Json:
    return {
        "id": file.file_id,
        "name": file.title,
        "type": file.mime_type,
        "modified": timestamp(file.modified),
        "version": file.version,
        "trashed": file.trashed,
        "sheets": [_sheet_json(sheet) for sheet in file.book.sheets] if file.book else [],
    }


def _sheet_json(sheet: Sheet) -> Json:
    return {
        "id": sheet.sheet_id,
        "title": sheet.title,
        "rows": sheet.grid.row_count,
        "columns": sheet.grid.column_count,
        "hidden": sheet.is_hidden,
    }


def _within(sheet: Sheet, asked: Rect) -> Rect:
    rows, columns = sheet.grid.row_count, sheet.grid.column_count
    return Rect(
        min(asked.start_row, rows),
        min(asked.end_row, rows),
        min(asked.start_column, columns),
        min(asked.end_column, columns),
    )


def _hidden(sheet: Sheet, dimension: str, indices: range) -> list[int]:
    stored = sheet.dimensions[dimension]
    return [index for index in indices if stored.get(index, {}).get("hiddenByUser")]


def _merge_json(merge: Rect) -> Json:
    return {
        "row": merge.start_row,
        "column": merge.start_column,
        "height": merge.height,
        "width": merge.width,
    }


def _cells(
    sheet: Sheet, rect: Rect, firsts: set[tuple[int, int]]
) -> Iterator[tuple[int, int, Cell]]:
    yield from sheet.grid.stored(rect)
    for row, column in firsts:
        if not rect.holds(Rect(row, row + 1, column, column + 1)):
            yield row, column, sheet.grid.get(row, column)


def _value_json(evaluator: Evaluator, sheet: Sheet, row: int, column: int) -> Json:
    value = evaluator.value(sheet, row, column)
    number_format = evaluator.number_format(sheet, row, column)
    text = shown(sheet.grid.get(row, column), value, number_format)
    return {"value": text, "type": _type(value)}


def _cell_json(cell: Cell, theme: Mapping[str, Json]) -> Json:
    found: Json = {}
    if cell.formula is not None:
        found["formula"] = cell.formula
    if cell.note:
        found["note"] = cell.note
    if cell.format:
        found["format"] = _format_json(cell.format, theme)
    return found


def _type(value: Value) -> str:
    if value is None:
        return "empty"
    if isinstance(value, CellError):
        return "error"
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "number"


def _format_json(stored: Mapping[str, Any], theme: Mapping[str, Json]) -> Json:
    text = stored.get("textFormat") or {}
    found: Json = {name: True for name in _STYLES if text.get(name)}
    color = _hex(text, "foregroundColor", theme)
    background = _hex(stored, "backgroundColor", theme)
    align = str(stored.get("horizontalAlignment") or "").lower()
    found |= {"color": color} if color else {}
    found |= {"background": background} if background else {}
    return found | ({"align": align} if align in {"left", "center", "right"} else {})


def _hex(stored: Mapping[str, Any], name: str, theme: Mapping[str, Json]) -> str | None:
    style = stored.get(f"{name}Style") or {}
    color = stored.get(name, style.get("rgbColor", theme.get(style.get("themeColor", ""))))
    if color is None:
        return None
    levels = [round(float(color.get(channel) or 0) * _STEPS) for channel in _CHANNELS]
    return "#" + "".join(f"{min(max(level, 0), _STEPS):02x}" for level in levels)


def _theme(book: Spreadsheet) -> dict[str, Json]:
    colors = (book.properties.get("spreadsheetTheme") or {}).get("themeColors") or []
    return {color["colorType"]: color["color"].get("rgbColor") or {} for color in colors}
