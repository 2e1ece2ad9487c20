"""The methods of the Sheets API that take data filters instead of ranges, and its metadata."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.a1 import range_name
from queued_gspread.emulator.book.data_filters import matched_metadata, ranges_of
from queued_gspread.emulator.wire.errors import InvalidArgumentError, invalid, sheets_not_found

from . import values as values_api
from .spreadsheets import get_found

if TYPE_CHECKING:
    from queued_gspread.emulator.book.a1 import Bounds
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

Json = dict[str, Any]


def get(book: Spreadsheet, body: Json) -> Json:
    """Answer spreadsheets.getByDataFilter: all sheets without a filter."""
    filters = body.get("dataFilters", [])
    found = [place for asked in filters for place in _places(book, asked)] if filters else None
    return get_found(book, found, body)


def batch_get(book: Spreadsheet, body: Json) -> Json:
    """Answer values:batchGetByDataFilter: every range once, with all filters that select it."""
    selected = _selected(book, body)
    options = {name: option for name, option in body.items() if name != "dataFilters"}
    read = values_api.batch_get(book, list(selected), options)
    pairs = zip(read.get("valueRanges", []), selected.values(), strict=True)
    found = [{"valueRange": values, "dataFilters": filters} for values, filters in pairs]
    return {"spreadsheetId": book.spreadsheet_id} | ({"valueRanges": found} if found else {})


def batch_update(book: Spreadsheet, body: Json) -> Json:
    """Answer values:batchUpdateByDataFilter: everything is checked before anything is written."""
    data, filters = [], []
    for item in body.get("data", []):
        asked = item.get("dataFilter", {})
        values = {name: part for name, part in item.items() if name != "dataFilter"}
        for place in _places(book, asked):
            data.append({**values, "range": _name(*place)})
            filters.append(asked)
    answer = values_api.batch_update(book, {**body, "data": data})
    for response, asked in zip(answer.get("responses", []), filters, strict=True):
        del response["spreadsheetId"]
        response["dataFilter"] = asked
    return answer


def batch_clear(book: Spreadsheet, body: Json) -> Json:
    """Answer values:batchClearByDataFilter."""
    return values_api.batch_clear(book, {"ranges": list(_selected(book, body))})


def get_metadata(book: Spreadsheet, metadata_id: int) -> Json:
    """Answer developerMetadata.get."""
    for entry in book.developer_metadata:
        if entry["metadataId"] == metadata_id:
            return copy.deepcopy(entry)
    raise sheets_not_found()


def search_metadata(book: Spreadsheet, body: Json) -> Json:
    """Answer developerMetadata.search: every entry once, with all filters that find it."""
    filters = body.get("dataFilters", [])
    try:
        found = matched_metadata(book, filters)
        by_filter = [(asked, matched_metadata(book, [asked])) for asked in filters]
    except InvalidArgumentError as problem:
        raise invalid(str(problem)) from None
    listed = []
    for entry in found:
        matching = [asked for asked, entries in by_filter if entry in entries]
        listed.append({"developerMetadata": copy.deepcopy(entry), "dataFilters": matching})
    return {"matchedDeveloperMetadata": listed} if listed else {}


def _selected(book: Spreadsheet, body: Json) -> dict[str, list[Json]]:
    """Return the ranges that a body's filters select, each with the filters that select it."""
    filters = body.get("dataFilters", [])
    if not filters:
        raise invalid("At least one data filter must be given")
    found: dict[str, list[Json]] = {}
    for asked in filters:
        for place in _places(book, asked):
            found.setdefault(_name(*place), []).append(asked)
    return found


def _places(book: Spreadsheet, asked: Json) -> list[tuple[Sheet, Bounds]]:
    try:
        return ranges_of(book, asked)
    except InvalidArgumentError as problem:
        raise invalid(str(problem)) from None


def _name(sheet: Sheet, bounds: Bounds) -> str:
    return range_name(sheet.title, bounds.within(sheet.grid.row_count, sheet.grid.column_count))
