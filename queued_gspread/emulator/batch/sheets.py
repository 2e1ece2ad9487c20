"""Requests about whole sheets and about the spreadsheet's own properties."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.color import stored_color, with_color_styles
from queued_gspread.emulator.book.developer_metadata import sheet_of
from queued_gspread.emulator.book.sheet import DEFAULT_COLUMNS, DEFAULT_ROWS, Sheet
from queued_gspread.emulator.values.references import renamed_formula
from queued_gspread.emulator.wire.errors import InvalidArgumentError
from queued_gspread.emulator.wire.field_mask import parse_mask, paths

from .scope import require_mask
from .shift import Shift, shift_sheet

if TYPE_CHECKING:
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

    from .scope import Handler, Json, Scope

_SIZES = ("rowCount", "columnCount")


def add_sheet(scope: Scope, request: Json) -> Json:
    """Add a sheet, by default at the end."""
    asked = request.get("properties") or {}
    book = scope.book
    title = asked.get("title") or _free_title(book)
    _check_title(book, title)
    sheet = Sheet(_new_id(scope, asked.get("sheetId")), title)
    grid = asked.get("gridProperties") or {}
    rows, columns = grid.get("rowCount", DEFAULT_ROWS), grid.get("columnCount", DEFAULT_COLUMNS)
    _check_counts(rows, columns)
    book.check_size(sheet, rows, columns)
    sheet.grid.resize(rows, columns)
    _set_properties(sheet, {k: v for k, v in asked.items() if k not in {"sheetId", "title"}})
    return _insert(book, sheet, asked.get("index"), "addSheet")


def duplicate_sheet(scope: Scope, request: Json) -> Json:
    """Copy a sheet, by default to the first place, as "Copy of …"."""
    book, source = scope.book, scope.sheet(request.get("sourceSheetId"))
    title = request.get("newSheetName") or copy_title(book, source.title)
    _check_title(book, title)
    sheet = source.copy(_new_id(scope, request.get("newSheetId")), title)
    sheet.renumber(scope.ids.sheet)
    book.check_size(sheet, sheet.grid.row_count, sheet.grid.column_count)
    return _insert(book, sheet, request.get("insertSheetIndex") or 0, "duplicateSheet")


def delete_sheet(scope: Scope, request: Json) -> Json:
    """Remove a sheet; at least one visible sheet must stay."""
    book, sheet = scope.book, scope.sheet(request.get("sheetId"))
    left = [other for other in book.sheets if other is not sheet]
    if not left or all(other.is_hidden for other in left):
        raise InvalidArgumentError("You can't remove all the sheets in a document.")
    book.sheets = left
    book.named_ranges = [
        named for named in book.named_ranges if named["range"].get("sheetId", 0) != sheet.sheet_id
    ]
    book.developer_metadata = [
        entry for entry in book.developer_metadata if sheet_of(entry) != sheet.sheet_id
    ]
    return {}


def update_sheet_properties(scope: Scope, request: Json) -> Json:
    """Change the properties of a sheet that the mask names."""
    asked = request.get("properties") or {}
    sheet, book = scope.sheet(asked.get("sheetId")), scope.book
    changes = _masked(asked, require_mask(request))
    if "title" in changes:
        _rename(book, sheet, changes.pop("title"))
    if changes.get("hidden") and all(s.is_hidden or s is sheet for s in book.sheets):
        raise InvalidArgumentError("You can't hide all the sheets in a document.")
    if "index" in changes:
        _move(book, sheet, int(changes.pop("index") or 0))
    _resize(book, sheet, changes.get("gridProperties") or {})
    _set_properties(sheet, changes)
    return {}


def update_spreadsheet_properties(scope: Scope, request: Json) -> Json:
    """Change the properties of the spreadsheet that the mask names."""
    changes = _masked(request.get("properties") or {}, require_mask(request))
    scope.book.properties.update({k: v for k, v in changes.items() if v is not None})
    return {}


def copy_title(book: Spreadsheet, title: str) -> str:
    """Return the free title "Copy of …", numbered from the second copy on."""
    first = f"Copy of {title}"
    candidate, number = first, 2
    while book.titled(candidate):
        candidate, number = f"{first} {number}", number + 1
    return candidate


def _insert(book: Spreadsheet, sheet: Sheet, index: int | None, reply: str) -> Json:
    place = len(book.sheets) if index is None else min(index, len(book.sheets))
    book.sheets.insert(place, sheet)
    return {reply: {"properties": sheet.properties_json(place)}}


def _new_id(scope: Scope, asked: int | None) -> int:
    if asked is None:
        return scope.ids.sheet()
    if scope.book.sheet(asked):
        message = f"A sheet with id {asked} already exists. Please enter another ID."
        raise InvalidArgumentError(message)
    return asked


def _free_title(book: Spreadsheet) -> str:
    number = len(book.sheets) + 1
    while book.titled(f"Sheet{number}"):
        number += 1
    return f"Sheet{number}"


def _check_title(book: Spreadsheet, title: str) -> None:
    if book.titled(title):
        message = f'A sheet with the name "{title}" already exists. Please enter another name.'
        raise InvalidArgumentError(message)


def _rename(book: Spreadsheet, sheet: Sheet, title: str | None) -> None:
    if not title:
        raise InvalidArgumentError("The sheet name cannot be empty.")
    other = book.titled(title)
    if other is not sheet:
        _check_title(book, title)
    for owner in (owner for owner in book.sheets if owner.grid.has_formulas):
        _rename_in_formulas(owner, sheet.title, title)
    sheet.title = title


def _rename_in_formulas(owner: Sheet, old: str, new: str) -> None:
    for row, column, cell in list(owner.grid.stored(owner.grid.everything)):
        if cell.formula is not None:
            formula = renamed_formula(cell.formula, old, new)
            owner.grid.put(row, column, cell.changed(formula=formula))


def _move(book: Spreadsheet, sheet: Sheet, index: int) -> None:
    """Move a sheet to an index as it is before the move, as Google counts."""
    if index < 0 or index > len(book.sheets):
        raise InvalidArgumentError(f"Sheet index[{index}] is out of range")
    old = book.sheets.index(sheet)
    book.sheets.remove(sheet)
    book.sheets.insert(index - 1 if index > old else index, sheet)


def _resize(book: Spreadsheet, sheet: Sheet, asked: Json) -> None:
    rows = asked.pop("rowCount", sheet.grid.row_count)
    columns = asked.pop("columnCount", sheet.grid.column_count)
    _check_counts(rows, columns)
    book.check_size(sheet, rows, columns)
    for name, count in (("frozenRowCount", rows), ("frozenColumnCount", columns)):
        if (asked.get(name) or 0) >= count:
            noun = "rows" if name == "frozenRowCount" else "columns"
            raise InvalidArgumentError(f"You can't freeze all visible {noun} on the sheet.")
    for dimension, count in (("ROWS", rows), ("COLUMNS", columns)):
        lost = count - sheet.size(dimension)
        if lost < 0:
            shift_sheet(book, sheet, Shift(dimension, count, lost))
    sheet.grid.grow(rows, columns)


def _check_counts(rows: int | None, columns: int | None) -> None:
    for name, count in zip(_SIZES, (rows, columns), strict=True):
        if not count or count < 1:
            raise InvalidArgumentError(f"{name} must be at least 1, was {count or 0}")


def _set_properties(sheet: Sheet, changes: Json) -> None:
    """Store properties; those with default values are left out, as in Google's answers."""
    changes = dict(changes)
    grid = changes.pop("gridProperties", None) or {}
    for name in ("sheetId", "sheetType", "index"):
        changes.pop(name, None)
    if "tabColorStyle" in changes or "tabColor" in changes:
        _set_tab_color(sheet, changes)
    for target, source in ((sheet.properties, changes), (sheet.grid_properties, grid)):
        for name, value in source.items():
            target.pop(name, None)
            if value and name not in _SIZES:
                target[name] = value


def _set_tab_color(sheet: Sheet, changes: Json) -> None:
    style = changes.pop("tabColorStyle", None) or {}
    color = changes.pop("tabColor", None) or style.get("rgbColor")
    sheet.properties.pop("tabColor", None)
    sheet.properties.pop("tabColorStyle", None)
    if color is not None:
        stored = stored_color(color)
        sheet.properties |= {"tabColor": stored, "tabColorStyle": {"rgbColor": stored}}
    elif style.get("themeColor"):
        sheet.properties["tabColorStyle"] = with_color_styles(style)


def _masked(asked: Json, fields: str) -> Json:
    """Return the values at a mask's paths, None where one is absent."""
    changes: Json = {}
    mask = parse_mask(fields)
    if "*" in mask:
        return {"title": None, **copy.deepcopy(asked)}
    for path in paths(mask):
        target: Any = changes
        source: Any = asked
        for name in path[:-1]:
            target = target.setdefault(name, {})
            source = (source or {}).get(name)
        target[path[-1]] = copy.deepcopy((source or {}).get(path[-1]))
    return changes


HANDLERS: dict[str, Handler] = {
    "addSheet": add_sheet,
    "duplicateSheet": duplicate_sheet,
    "deleteSheet": delete_sheet,
    "updateSheetProperties": update_sheet_properties,
    "updateSpreadsheetProperties": update_spreadsheet_properties,
}
