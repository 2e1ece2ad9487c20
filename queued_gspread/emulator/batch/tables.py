"""Requests about tables: named ranges with a header, typed columns and alternating colours.

By recorded answers, and by Google's guide to tables and the reference of its messages. The names
of columns are what the header's cells show.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.a1 import SIDES, Rect
from queued_gspread.emulator.book.color import color_of, with_color_styles
from queued_gspread.emulator.wire.errors import InvalidArgumentError
from queued_gspread.emulator.wire.field_mask import names, parse_mask, replaced

from .scope import require_mask, shown_value
from .shift import Shift, shift_sheet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

    from .scope import Handler, Json, Scope

_COLORS = {
    "headerColorStyle": {"rgbColor": color_of(0x356854)},
    "firstBandColorStyle": {"rgbColor": color_of(0xFFFFFF)},
    "secondBandColorStyle": {"rgbColor": color_of(0xF6F8F9)},
}


def add_table(scope: Scope, request: Json) -> Json:
    """Make a range a table, whose first row is its header."""
    asked = request.get("table", {})
    sheet, rect = scope.grid_range(asked.get("range"))
    table_id = str(scope.attached_id("tables", asked))
    table = {"tableId": table_id, "name": asked.get("name") or _free_name(scope.book)}
    _place(scope, sheet, {**table, **_changes(asked)}, rect)
    _name_columns(sheet, rect, asked.get("columnProperties", []))
    if rect.start_row == 0 and sheet.grid.row_count > 1:
        sheet.grid_properties.setdefault("frozenRowCount", 1)
    return {"addTable": {"table": tables_json(sheet)[-1]}}


def update_table(scope: Scope, request: Json) -> Json:
    """Change the parts of a table that the mask names."""
    mask, asked = parse_mask(require_mask(request)), request.get("table", {})
    sheet, old = scope.attached("tables", asked.get("tableId"))
    new = {**replaced(old, {**asked, **_changes(asked)}, mask), "tableId": old["tableId"]}
    home, rect = scope.grid_range(new.get("range"))
    sheet.tables.remove(old)
    _place(scope, home, {**new, "name": new.get("name") or old["name"]}, rect)
    if names(mask, "columnProperties"):
        _name_columns(home, rect, asked.get("columnProperties", []))
    return {}


def delete_table(scope: Scope, request: Json) -> Json:
    """Remove a table with all that is in it; deleteBanding leaves the cells."""
    sheet, table = scope.attached("tables", request.get("tableId"))
    sheet.tables.remove(table)
    for row, column, _ in list(sheet.grid.stored(_rect(table))):
        sheet.grid.put(row, column, None)
    return {}


def make_room_in_table(scope: Scope, table_id: str, count: int) -> tuple[Sheet, int, int]:
    """Return the sheet, the row and the column at which rows go into a table, grown for them."""
    sheet, table = scope.attached("tables", table_id)
    rect = _rect(table)
    footer = "footerColorStyle" in table["rowsProperties"]
    body = Rect(rect.start_row, rect.end_row - footer, rect.start_column, rect.end_column)
    last = sheet.grid.last_filled(body)
    start = (last[0] if last else rect.start_row) + 1
    missing = start + count - body.end_row
    if missing > 0:
        scope.book.check_size(sheet, sheet.grid.row_count + missing, sheet.grid.column_count)
        shift_sheet(scope.book, sheet, Shift("ROWS", body.end_row, missing))
        _sheet, table = scope.attached("tables", table_id)
        table["range"]["endRowIndex"] = rect.end_row + missing
    return sheet, start, rect.start_column


def grow_tables(sheet: Sheet, written: Rect) -> None:
    """Let a table grow over rows that were appended right below it."""
    for table in sheet.tables:
        rect = _rect(table)
        columns = rect.start_column <= written.start_column < rect.end_column
        if columns and rect.start_row < written.start_row <= rect.end_row:
            table["range"]["endRowIndex"] = max(rect.end_row, written.end_row)


def tables_json(sheet: Sheet) -> list[Json]:
    """Return the tables of a sheet, with the names and the types of their columns."""
    return [
        {**copy.deepcopy(table), "columnProperties": list(_columns(sheet, table))}
        for table in sheet.tables
    ]


def table_bands(sheet: Sheet) -> list[Json]:
    """Return the alternating colours of tables; only a number can be a banded range's id."""
    return [
        {
            **({"bandedRangeId": int(found)} if (found := table["tableId"]).isdecimal() else {}),
            "range": dict(table["range"]),
            "rowProperties": with_color_styles(table["rowsProperties"]),
            "bandedRangeReference": found,
        }
        for table in sheet.tables
    ]


def _columns(sheet: Sheet, table: Json) -> Iterator[Json]:
    rect, typed = _rect(table), {c.get("columnIndex", 0): c for c in table["columnProperties"]}
    for index in range(rect.width):
        cell = sheet.grid.get(rect.start_row, rect.start_column + index)
        column = {"columnIndex": index} if index else {}
        name = shown_value(cell) or f"Column {index + 1}"
        yield {**column, "columnName": name, **typed.get(index, {})}


def _changes(asked: Json) -> Json:
    """Return the parts of a table that are stored otherwise than they are asked for."""
    styles = with_color_styles(asked.get("rowsProperties", {}))
    given = {name: style for name, style in styles.items() if name.endswith("Style")}
    columns = (
        {name: part for name, part in column.items() if name != "columnName"}
        for column in asked.get("columnProperties", [])
    )
    typed = [column for column in columns if column.keys() - {"columnIndex"}]
    return {"rowsProperties": _COLORS | given, "columnProperties": typed}


def _place(scope: Scope, sheet: Sheet, table: Json, rect: Rect) -> None:
    """Add a table to a sheet, if nothing is in its way."""
    taken = (other["name"].casefold() for s in scope.book.sheets for other in s.tables)
    if table["name"].casefold() in taken:
        raise InvalidArgumentError(f"A table with the name {table['name']} already exists.")
    if sheet.bands(rect):
        raise InvalidArgumentError("You cannot add a table over another or over a banding.")
    sheet.tables.append({**table, "range": sheet.range_json(rect)})


def _name_columns(sheet: Sheet, rect: Rect, asked: list[Json]) -> None:
    """Write the names of columns into the header, and names for those without one."""
    given = {column.get("columnIndex", 0): column.get("columnName") for column in asked}
    for index in range(rect.width):
        place = rect.start_row, rect.start_column + index
        name = given.get(index) or shown_value(sheet.grid.get(*place)) or f"Column {index + 1}"
        if name != shown_value(sheet.grid.get(*place)):
            cell = sheet.grid.get(*place)
            sheet.grid.put(*place, cell.changed(value=name, formula=None))


def _free_name(book: Spreadsheet) -> str:
    taken = {table["name"].casefold() for sheet in book.sheets for table in sheet.tables}
    number = 1
    while f"table{number}" in taken:
        number += 1
    return f"Table{number}"


def _rect(table: Json) -> Rect:
    return Rect(*map(table["range"].get, SIDES))


HANDLERS: dict[str, Handler] = {
    "addTable": add_table,
    "updateTable": update_table,
    "deleteTable": delete_table,
}
