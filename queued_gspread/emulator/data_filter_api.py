"""The methods of the Sheets API that take data filters instead of ranges, and its metadata."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from .a1 import range_name
from .data_filters import matched_metadata, ranges_of
from .errors import invalid, sheets_not_found
from .spreadsheets_api import get_found
from .values.evaluate import Evaluator
from .values.reading import read_range
from .values.writing import Writing, checked_major, checked_values, plan_update
from .values_api import answering, clear_cells, echo, input_option, rendering, totals, written

if TYPE_CHECKING:
    from .a1 import Rect
    from .sheet import Sheet
    from .spreadsheet import Spreadsheet

Json = dict[str, Any]


def get(book: Spreadsheet, body: Json, fields: str | None) -> Json:
    """Answer spreadsheets.getByDataFilter: all sheets without a filter."""
    filters = body.get("dataFilters") or []
    with answering():
        found = [place for asked in filters for place in ranges_of(book, asked)]
    return get_found(book, found if filters else None, bool(body.get("includeGridData")), fields)


def batch_get(book: Spreadsheet, body: Json) -> Json:
    """Answer values:batchGetByDataFilter: every range once, with all filters that select it."""
    options, major = rendering(body), checked_major(body.get("majorDimension"), "")
    evaluator, found = Evaluator(book), []
    for sheet, rect, filters in _selected(book, body.get("dataFilters") or []):
        values = read_range(evaluator, sheet, rect, options, major)
        found.append({"valueRange": values, "dataFilters": filters})
    return {"spreadsheetId": book.spreadsheet_id} | ({"valueRanges": found} if found else {})


def batch_clear(book: Spreadsheet, body: Json) -> Json:
    """Answer values:batchClearByDataFilter."""
    cleared = []
    for sheet, rect, _ in _selected(book, body.get("dataFilters") or []):
        clear_cells(sheet, rect)
        cleared.append(range_name(sheet.title, rect))
    return {"spreadsheetId": book.spreadsheet_id} | ({"clearedRanges": cleared} if cleared else {})


def batch_update(book: Spreadsheet, body: Json) -> Json:
    """Answer values:batchUpdateByDataFilter: all of it is checked before anything is written."""
    option = input_option(body.get("valueInputOption"))
    planned: list[tuple[Writing, Json]] = []
    for place, item in enumerate(body.get("data") or []):
        rows, asked = checked_values(item, f"data[{place}]"), item.get("dataFilter") or {}
        with answering(f"Invalid data[{place}]: "):
            planned += [(plan_update(*spot, rows), asked) for spot in ranges_of(book, asked)]
    responses = []
    for writing, asked in planned:
        told = written(book, writing, option) | {"dataFilter": asked}
        responses.append({name: part for name, part in told.items() if name != "spreadsheetId"})
    writings = [writing for writing, _ in planned]
    if body.get("includeValuesInResponse"):
        for writing, response in zip(writings, responses, strict=True):
            response["updatedData"] = echo(book, writing.rect, writing, body)
    answer = {"spreadsheetId": book.spreadsheet_id, **totals(writings, responses)}
    return answer | ({"responses": responses} if responses else {})


def get_metadata(book: Spreadsheet, metadata_id: int) -> Json:
    """Answer developerMetadata.get."""
    for entry in book.developer_metadata:
        if entry["metadataId"] == metadata_id:
            return copy.deepcopy(entry)
    raise sheets_not_found()


def search_metadata(book: Spreadsheet, body: Json) -> Json:
    """Answer developerMetadata.search: every entry once, with all filters that find it."""
    filters = body.get("dataFilters") or []
    with answering():
        found = [
            (entry, _finding(book, entry, filters)) for entry in matched_metadata(book, filters)
        ]
    listed = [{"developerMetadata": copy.deepcopy(e), "dataFilters": f} for e, f in found]
    return {"matchedDeveloperMetadata": listed} if listed else {}


def _finding(book: Spreadsheet, entry: Json, filters: list[Json]) -> list[Json]:
    return [asked for asked in filters if entry in matched_metadata(book, [asked])]


def _selected(book: Spreadsheet, filters: list[Json]) -> list[tuple[Sheet, Rect, list[Json]]]:
    """Return every range that filters select, in order, with the filters that select it."""
    if not filters:
        raise invalid("At least one data filter must be given")
    found: dict[tuple[int, Rect], tuple[Sheet, Rect, list[Json]]] = {}
    with answering():
        for asked in filters:
            for sheet, bounds in ranges_of(book, asked):
                rect = bounds.within(sheet.grid.row_count, sheet.grid.column_count)
                key = sheet.sheet_id, rect
                found.setdefault(key, (sheet, rect, []))[2].append(asked)
    return list(found.values())
