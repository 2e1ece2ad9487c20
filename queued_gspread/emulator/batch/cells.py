"""Requests that change cells in place: values, formats, notes, validation, merges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.a1 import Rect
from queued_gspread.emulator.book.color import with_color_styles
from queued_gspread.emulator.values.entry import held
from queued_gspread.emulator.values.missing import note_written
from queued_gspread.emulator.wire.errors import InvalidArgumentError
from queued_gspread.emulator.wire.field_mask import names, parse_mask

from .scope import check_length, require_mask
from .tables import make_room_in_table

if TYPE_CHECKING:
    from queued_gspread.emulator.book.cell import Cell
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.wire.field_mask import Mask

    from .scope import Handler, Json, Scope


def repeat_cell(scope: Scope, request: Json) -> Json:
    """Give all cells of a range the same properties."""
    sheet, rect = scope.grid_range(request.get("range"))
    mask, data = parse_mask(require_mask(request)), request.get("cell") or {}
    for row in range(rect.start_row, rect.end_row):
        for column in range(rect.start_column, rect.end_column):
            _put(scope, sheet, row, column, data, mask)
    return {}


def update_cells(scope: Scope, request: Json) -> Json:
    """Give each cell of a range its own properties; cells without data lose theirs."""
    mask, rows = parse_mask(require_mask(request)), request.get("rows") or []
    sheet, rect = _target(scope, request, rows)
    for row in range(rect.start_row, rect.end_row):
        place = row - rect.start_row
        line = rows[place].get("values") or [] if place < len(rows) else []
        for column in range(rect.start_column, rect.end_column):
            offset = column - rect.start_column
            _put(scope, sheet, row, column, line[offset] if offset < len(line) else {}, mask)
    return {}


def append_cells(scope: Scope, request: Json) -> Json:
    """Add rows of cells below the last one with data, and rows to the grid if need be.

    With a table they go into it, above its footer.
    """
    rows, column = request.get("rows") or [], 0
    if "tableId" in request:
        sheet, start, column = make_room_in_table(scope, request["tableId"], len(rows))
    else:
        sheet = scope.sheet(request.get("sheetId"))
        last = sheet.grid.last_filled(sheet.grid.everything)
        start = last[0] + 1 if last else 0
    width = max((len(line.get("values") or []) for line in rows), default=0)
    scope.make_room(sheet, start + len(rows), column + width)
    where = {"sheetId": sheet.sheet_id, "rowIndex": start, "columnIndex": column}
    fields = require_mask(request)
    return update_cells(scope, {"start": where, "rows": rows, "fields": fields}) if rows else {}


def set_data_validation(scope: Scope, request: Json) -> Json:
    """Set or, without a rule, clear the validation of a range."""
    sheet, rect = scope.grid_range(request.get("range"))
    rule = request.get("rule")
    for row in range(rect.start_row, rect.end_row):
        for column in range(rect.start_column, rect.end_column):
            cell = sheet.grid.get(row, column)
            sheet.grid.put(row, column, cell.changed(validation=_without_false(rule)))
    return {}


def merge_cells(scope: Scope, request: Json) -> Json:
    """Merge a range as a whole, by rows or by columns; all values but the first are lost."""
    sheet, rect = scope.grid_range(request.get("range"))
    for merge in sheet.merges:
        if merge.overlaps(rect) and not rect.holds(merge):
            raise InvalidArgumentError(
                "You must select all cells in a merged range to merge or unmerge them."
            )
    sheet.merges = [merge for merge in sheet.merges if not rect.holds(merge)]
    for part in _parts(rect, request.get("mergeType", "MERGE_ALL")):
        if part.width * part.height > 1:
            sheet.merges.append(part)
            _keep_first(sheet, part)
    return {}


def unmerge_cells(scope: Scope, request: Json) -> Json:
    """Undo the merges in a range."""
    sheet, rect = scope.grid_range(request.get("range"))
    if any(merge.overlaps(rect) and not rect.holds(merge) for merge in sheet.merges):
        raise InvalidArgumentError(
            "You must select all cells in a merged range to merge or unmerge them."
        )
    sheet.merges = [merge for merge in sheet.merges if not merge.overlaps(rect)]
    return {}


def _target(scope: Scope, request: Json, rows: list[Json]) -> tuple[Sheet, Rect]:
    if "range" in request:
        return scope.grid_range(request["range"])
    sheet, row, column = scope.corner(request.get("start"))
    width = max((len(line.get("values") or []) for line in rows), default=0)
    rect = Rect(row, row + max(len(rows), 1), column, column + max(width, 1))
    if not sheet.grid.everything.holds(rect):
        raise InvalidArgumentError("Attempting to write beyond the grid.")
    return sheet, rect


def _put(scope: Scope, sheet: Sheet, row: int, column: int, data: Json, mask: Mask) -> None:
    cell = _changed(sheet.grid.get(row, column), data, mask)
    sheet.grid.put(row, column, cell)
    if names(mask, "userEnteredValue"):
        note_written(scope.book, sheet, row, column, cell)


def _changed(cell: Cell, data: Json, mask: Mask) -> Cell | None:
    changes: dict[str, Any] = {}
    if names(mask, "note"):
        check_length(data.get("note"))
        changes["note"] = data.get("note") or None
    if names(mask, "dataValidation"):
        changes["validation"] = _without_false(data.get("dataValidation"))
    if names(mask, "userEnteredFormat"):
        below = {} if "*" in mask else mask.get("userEnteredFormat", {})
        changes["format"] = _format(cell.format or {}, data.get("userEnteredFormat") or {}, below)
    if names(mask, "textFormatRuns"):
        changes["runs"] = [
            with_color_styles(run) for run in data.get("textFormatRuns") or []
        ] or None
    if names(mask, "userEnteredValue"):
        changes |= _entered(data.get("userEnteredValue") or {})
    return cell.changed(**changes)


def _format(old: Any, new: Json, mask: Mask) -> Json | None:
    """Return a format in which the parts that a mask names are replaced."""
    if not mask or "*" in mask:
        return with_color_styles(new) or None
    found = dict(old)
    for name, below in mask.items():
        for key in (name, name + "Style"):
            found.pop(key, None) if not below else None
        if below:
            found[name] = _format(old.get(name) or {}, new.get(name) or {}, below)
        elif name in new:
            found |= with_color_styles({name: new[name]})
    return {name: part for name, part in found.items() if part is not None} or None


def _entered(value: Json) -> Json:
    kinds = ("formulaValue", "stringValue", "numberValue", "boolValue")
    found = next((value[kind] for kind in kinds if kind in value), None)
    check_length(found)
    if "formulaValue" in value:
        return {"value": None, "formula": found}
    return {"value": None if found == "" else held(found), "formula": None}


def _without_false(rule: Json | None) -> Json | None:
    return {name: part for name, part in rule.items() if part is not False} if rule else None


def _parts(rect: Rect, kind: str) -> list[Rect]:
    if kind == "MERGE_ROWS":
        return [Rect(r, r + 1, *rect[2:]) for r in range(rect.start_row, rect.end_row)]
    if kind == "MERGE_COLUMNS":
        return [Rect(*rect[:2], c, c + 1) for c in range(rect.start_column, rect.end_column)]
    return [rect]


def _keep_first(sheet: Sheet, part: Rect) -> None:
    filled = [found for found in sheet.grid.stored(part) if found[2].is_filled]
    for place, (row, column, cell) in enumerate(filled):
        sheet.grid.put(row, column, cell.changed(value=None, formula=None))
        if place == 0:
            first = sheet.grid.get(part.start_row, part.start_column)
            kept = first.changed(value=cell.value, formula=cell.formula, runs=cell.runs)
            sheet.grid.put(part.start_row, part.start_column, kept)


HANDLERS: dict[str, Handler] = {
    "repeatCell": repeat_cell,
    "updateCells": update_cells,
    "appendCells": append_cells,
    "setDataValidation": set_data_validation,
    "mergeCells": merge_cells,
    "unmergeCells": unmerge_cells,
}
