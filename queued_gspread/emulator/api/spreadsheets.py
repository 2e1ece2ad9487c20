"""The `spreadsheets` methods of the Sheets API: create, get, batchUpdate and sheets.copyTo."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, TypeAlias

from queued_gspread.emulator.batch import HANDLERS
from queued_gspread.emulator.batch.dimensions import DEFAULT_PIXELS
from queued_gspread.emulator.batch.groups import groups_json
from queued_gspread.emulator.batch.scope import Scope
from queued_gspread.emulator.batch.sheets import add_sheet, copy_title
from queued_gspread.emulator.batch.tables import table_bands, tables_json
from queued_gspread.emulator.book.developer_metadata import on_lines, on_sheet, on_spreadsheet
from queued_gspread.emulator.values.evaluate import Evaluator
from queued_gspread.emulator.wire.errors import InvalidArgumentError, invalid, sheets_unimplemented
from queued_gspread.emulator.wire.field_mask import apply_mask, names, parse_mask

from .grid_data import row_data

if TYPE_CHECKING:
    from queued_gspread.emulator.book.a1 import Bounds, Rect
    from queued_gspread.emulator.book.ids import Ids
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet
    from queued_gspread.emulator.wire.field_mask import Mask

Json = dict[str, Any]
Places: TypeAlias = "list[tuple[Sheet, Bounds]]"
_DOCS = "https://docs.google.com/spreadsheets/d"
_EXAMPLE_DATA_PATH = ("sheets", "data")
_ROW_DATA = (*_EXAMPLE_DATA_PATH, "rowData")
# Fields of a cell that must be computed.
_COMPUTED = ("effectiveValue", "formattedValue", "hyperlink")


def get(book: Spreadsheet, ranges: list[str], options: Json) -> Json:
    """Answer spreadsheets.get; a field mask decides instead of includeGridData."""
    try:
        found = [book.find(text) for text in ranges]
    except InvalidArgumentError as problem:
        raise invalid(str(problem)) from None
    return get_found(book, found or None, options)


def get_found(book: Spreadsheet, found: Places | None, options: Json) -> Json:
    """Return the Spreadsheet with the sheets of these ranges; with all sheets for None."""
    mask = parse_mask(options.get("fields") or "")
    answer = _resource(book, found, options, mask)
    masked: Json = apply_mask(mask, answer)
    return masked


def batch_update(book: Spreadsheet, body: Json, ids: Ids, email: str) -> Json:
    """Answer spreadsheets.batchUpdate: in order, all or nothing."""
    requests = body.get("requests")
    if not requests:
        raise invalid("Must specify at least one request.")
    parsed = [_kind(place, request) for place, request in enumerate(requests)]
    scope = Scope(book, ids, email)
    earlier = book.copy(book.spreadsheet_id, book.title)
    try:
        replies = [_apply(scope, place, *pair) for place, pair in enumerate(parsed)]
        updated = _updated(book, body)
    except BaseException:
        book.restore(earlier)
        raise
    return {"spreadsheetId": book.spreadsheet_id, "replies": replies, **updated}


def copy_to(source: Spreadsheet, sheet_id: int, target: Spreadsheet, ids: Ids) -> Json:
    """Answer sheets.copyTo: the copy comes last and is called "Copy of …"."""
    sheet = source.sheet(sheet_id)
    if sheet is None:
        raise invalid(f"The sheet ({sheet_id}) does not exist.")
    copied = sheet.copy(ids.sheet(), copy_title(target, sheet.title))
    copied.renumber(ids.sheet)
    try:
        target.check_size(copied, copied.grid.row_count, copied.grid.column_count)
    except InvalidArgumentError as problem:
        raise invalid(str(problem)) from None
    target.sheets.append(copied)
    return copied.properties_json(len(target.sheets) - 1)


def fill_new(book: Spreadsheet, body: Json, ids: Ids, email: str) -> None:
    """Give a new spreadsheet the properties and sheets that were asked for."""
    book.properties.update(body.get("properties") or {})
    sheets = body.get("sheets") or []
    _check_known("", body, {"spreadsheetId", "spreadsheetUrl", "properties", "sheets"})
    for place, sheet in enumerate(sheets):
        _check_known(f"sheets[{place}].", sheet, {"properties"})
    if sheets:
        book.sheets = []
    scope = Scope(book, ids, email)
    for place, sheet in enumerate(sheets):
        asked = sheet.get("properties") or {}
        asked = {**({} if place else {"sheetId": 0}), **asked, "index": None}
        asked["title"] = asked.get("title") or f"Sheet{place + 1}"
        try:
            add_sheet(scope, {"properties": asked})
        except InvalidArgumentError as problem:
            raise invalid(f"Invalid sheets[{place}]: {problem}") from None


def _check_known(where: str, asked: Json, known: set[str]) -> None:
    """Raise if a new spreadsheet asks for anything that the emulator cannot create."""
    for name in asked:
        if name not in known:
            raise sheets_unimplemented(f"The emulator does not support {where}{name} in create.")


def _updated(book: Spreadsheet, body: Json) -> Json:
    """Return the part of a batch's answer that shows the spreadsheet afterwards, if asked for."""
    if not body.get("includeSpreadsheetInResponse"):
        return {}
    options = {"includeGridData": body.get("responseIncludeGridData", False)}
    return {"updatedSpreadsheet": get(book, body.get("responseRanges", []), options)}


def _kind(place: int, request: Json) -> tuple[str, Json]:
    where = f"requests[{place}]"
    for name in request:
        if name not in HANDLERS:
            raise sheets_unimplemented(f"The emulator does not support {where}.{name}.")
    if len(request) != 1:
        raise invalid(f"Invalid {where}: Must specify exactly one request kind.")
    [found] = request.items()
    return found


def _apply(scope: Scope, place: int, kind: str, request: Json) -> Json:
    try:
        return HANDLERS[kind](scope, request)
    except InvalidArgumentError as problem:
        raise invalid(f"Invalid requests[{place}].{kind}: {problem}") from None


def _resource(book: Spreadsheet, found: Places | None, options: Json, mask: Mask) -> Json:
    asked = options.get("includeGridData", False)
    with_data = names(mask, *_EXAMPLE_DATA_PATH) if mask else asked
    answer: Json = {
        "spreadsheetId": book.spreadsheet_id,
        "properties": copy.deepcopy(book.properties),
        "sheets": [],
    }
    for index, sheet in enumerate(book.sheets):
        bounds = [b for owner, b in found or () if owner is sheet]
        if bounds or found is None:
            metadata = on_sheet(book.developer_metadata, sheet.sheet_id)
            answer["sheets"].append(_sheet_json(sheet, index, metadata))
            if not options.get("excludeTablesInBandedRanges") and sheet.tables:
                bands = answer["sheets"][-1].get("bandedRanges", [])
                answer["sheets"][-1]["bandedRanges"] = bands + table_bands(sheet)
            if with_data:
                data = _data(book, sheet, bounds, mask)
                answer["sheets"][-1]["data"] = data
    metadata = on_spreadsheet(book.developer_metadata)
    attached = {"namedRanges": book.named_ranges, "developerMetadata": metadata}
    answer |= {name: copy.deepcopy(items) for name, items in attached.items() if items}
    answer["spreadsheetUrl"] = f"{_DOCS}/{book.spreadsheet_id}/edit"
    return answer


def _sheet_json(sheet: Sheet, index: int, metadata: list[Json]) -> Json:
    found: Json = {"properties": sheet.properties_json(index)}
    if sheet.merges:
        found["merges"] = [sheet.range_json(merge) for merge in sheet.merges]
    attached = {
        "protectedRanges": sheet.protected_ranges,
        "basicFilter": sheet.basic_filter,
        "filterViews": sheet.filter_views,
        "bandedRanges": sheet.banded_ranges,
        "conditionalFormats": sheet.conditional_formats,
        "developerMetadata": metadata,
        "tables": tables_json(sheet),
        "charts": sheet.charts,
        "slicers": sheet.slicers,
    }
    found |= {name: copy.deepcopy(items) for name, items in attached.items() if items}
    for dimension, name in (("ROWS", "rowGroups"), ("COLUMNS", "columnGroups")):
        if sheet.groups[dimension]:
            found[name] = groups_json(sheet, dimension)
    return found


def _data(book: Spreadsheet, sheet: Sheet, bounds: list[Bounds], mask: Mask) -> list[Json]:
    grid = sheet.grid
    whole = grid.everything
    rects = [b.within(grid.row_count, grid.column_count) for b in bounds] or [whole]
    evaluator = Evaluator(book)
    metadata = book.developer_metadata
    return [_grid_data(evaluator, sheet, rect, mask, metadata) for rect in rects]


def _grid_data(
    evaluator: Evaluator, sheet: Sheet, rect: Rect, mask: Mask, metadata: list[Json]
) -> Json:
    found: Json = {}
    if rect.start_row:
        found["startRow"] = rect.start_row
    if rect.start_column:
        found["startColumn"] = rect.start_column
    rows_wanted = names(mask, *_ROW_DATA)
    with_values = any(names(mask, *_ROW_DATA, "values", name) for name in _COMPUTED)
    filled = row_data(evaluator, sheet, rect, with_values) if rows_wanted else []
    if filled:
        found["rowData"] = filled
    rows, columns = range(*rect[:2]), range(*rect[2:])
    found["rowMetadata"] = _metadata(sheet, "ROWS", rows, metadata)
    found["columnMetadata"] = _metadata(sheet, "COLUMNS", columns, metadata)
    return found


def _metadata(sheet: Sheet, dimension: str, indices: range, entries: list[Json]) -> list[Json]:
    default = {"pixelSize": DEFAULT_PIXELS[dimension]}
    stored, attached = sheet.dimensions[dimension], on_lines(entries, sheet.sheet_id, dimension)
    return [default | stored.get(index, {}) | attached.get(index, {}) for index in indices]
