"""The `spreadsheets.values` methods of the Sheets API."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from queued_gspread.emulator.batch.shift import Shift, shift_sheet
from queued_gspread.emulator.batch.tables import grow_tables
from queued_gspread.emulator.book.a1 import Rect, range_name
from queued_gspread.emulator.book.append import find_table
from queued_gspread.emulator.values.evaluate import Evaluator
from queued_gspread.emulator.values.reading import read_range
from queued_gspread.emulator.values.render import Rendering
from queued_gspread.emulator.values.writing import (
    Writing,
    apply_writing,
    checked_values,
    extent,
    major_of,
    plan_update,
)
from queued_gspread.emulator.wire.errors import InvalidArgumentError, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from queued_gspread.emulator.book.cell import Cell
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

Json = dict[str, Any]
_READING = {"value": "valueRenderOption", "moments": "dateTimeRenderOption"}
_ECHO = {"value": "responseValueRenderOption", "moments": "responseDateTimeRenderOption"}


@contextmanager
def _answering(prefix: str = "") -> Iterator[None]:
    """Turn an error about a range into the API's answer."""
    try:
        yield
    except InvalidArgumentError as problem:
        raise invalid(prefix + str(problem)) from None


def get(book: Spreadsheet, text: str, options: Json) -> Json:
    """Answer values.get."""
    rendering, major = _rendering(options), major_of(options)
    with _answering():
        return _read(Evaluator(book), book, text, rendering, major)


def batch_get(book: Spreadsheet, ranges: list[str], options: Json) -> Json:
    """Answer values:batchGet."""
    rendering, major = _rendering(options), major_of(options)
    evaluator = Evaluator(book)
    with _answering():
        found = [_read(evaluator, book, text, rendering, major) for text in ranges]
    return {"spreadsheetId": book.spreadsheet_id} | ({"valueRanges": found} if found else {})


def update(book: Spreadsheet, text: str, options: Json, body: Json) -> Json:
    """Answer values.update."""
    rows = checked_values(body)
    _check_range(text, body)
    option, echo = _input_option(options), _rendering(options, _ECHO)
    with _answering():
        writing = plan_update(*book.find(text), rows)
    answer = _written(book, writing, option)
    if options.get("includeValuesInResponse"):
        answer["updatedData"] = _echo(book, writing, echo)
    return answer


def batch_update(book: Spreadsheet, body: Json) -> Json:
    """Answer values:batchUpdate: everything is checked before anything is written."""
    data = body.get("data", [])
    rows = [checked_values(item, f"data[{place}]") for place, item in enumerate(data)]
    option, echo = _input_option(body), _rendering(body, _ECHO)
    writings = []
    for place, item in enumerate(data):
        with _answering(f"Invalid data[{place}]: "):
            writings.append(plan_update(*book.find(item.get("range") or ""), rows[place]))
    responses = [_written(book, writing, option) for writing in writings]
    if body.get("includeValuesInResponse"):
        for writing, response in zip(writings, responses, strict=True):
            response["updatedData"] = _echo(book, writing, echo)
    return {"spreadsheetId": book.spreadsheet_id, **_totals(writings, responses)} | (
        {"responses": responses} if responses else {}
    )


def clear(book: Spreadsheet, text: str) -> Json:
    """Answer values.clear."""
    with _answering():
        cleared = _clear(book, text)
    return {"spreadsheetId": book.spreadsheet_id, "clearedRange": cleared}


def batch_clear(book: Spreadsheet, body: Json) -> Json:
    """Answer values:batchClear."""
    ranges = body.get("ranges", [])
    with _answering():
        for text in ranges:
            book.find(text)
        cleared = [_clear(book, text) for text in ranges]
    return {"spreadsheetId": book.spreadsheet_id} | ({"clearedRanges": cleared} if cleared else {})


class Place(NamedTuple):
    """Where appended values go: the table found in a range, if any, and the first cell."""

    sheet_id: int
    table: Rect | None
    row: int
    column: int


def append_place(book: Spreadsheet, text: str) -> Place:
    """Return where values that are appended to a range go."""
    with _answering():
        sheet, bounds = book.find(text)
    searched = bounds.within(sheet.grid.row_count, sheet.grid.column_count)
    table = find_table(sheet.grid, searched)
    if table:
        return Place(sheet.sheet_id, table, table.end_row, table.start_column)
    return Place(sheet.sheet_id, None, searched.start_row, searched.start_column)


def append(
    book: Spreadsheet,
    text: str,
    options: Json,
    body: Json,
    place: Place | None = None,
) -> Json:
    """Answer values.append; a place that was found earlier is used as it is."""
    rows = checked_values(body)
    _check_range(text, body)
    option, echo = _input_option(options), _rendering(options, _ECHO)
    insert = options.get("insertDataOption") == "INSERT_ROWS"
    place = place or append_place(book, text)
    sheet = book.sheet(place.sheet_id)
    if sheet is None:
        raise invalid(f"Unable to parse range: {text}")
    writing = Writing(sheet, extent(place.row, place.column, rows), rows)
    # By recorded answers, nulls at the end are not appended.
    writing = writing._replace(rect=writing.written)
    _make_room(book, writing, insert)
    answer: Json = {"spreadsheetId": book.spreadsheet_id}
    if place.table:
        answer["tableRange"] = range_name(sheet.title, place.table)
    answer["updates"] = _written(book, writing, option)
    grow_tables(sheet, writing.rect)
    if options.get("includeValuesInResponse"):
        answer["updates"]["updatedData"] = _echo(book, writing, echo)
    return answer


def _make_room(book: Spreadsheet, writing: Writing, insert: bool) -> None:
    grid, rect = writing.sheet.grid, writing.rect
    if next(writing.cells(), None) is None:
        return
    taller = rect.height if insert else max(rect.end_row - grid.row_count, 0)
    wide = max(rect.end_column, grid.column_count)
    with _answering():
        book.check_size(writing.sheet, grid.row_count + taller, wide)
    if insert:
        shift_sheet(book, writing.sheet, Shift("ROWS", rect.start_row, rect.height))
    grid.grow(rect.end_row, rect.end_column)


def _check_range(text: str, body: Json) -> None:
    """Raise Google's 400 if the body's range is not spelled exactly as in the URL."""
    named = body.get("range")
    if named and named != text:
        raise invalid(f"Request range[{text}] does not match value's range[{named}]")


def _read(
    evaluator: Evaluator, book: Spreadsheet, text: str, options: Rendering, major: str
) -> Json:
    sheet, bounds = book.find(text)
    rect = bounds.within(sheet.grid.row_count, sheet.grid.column_count)
    return read_range(evaluator, sheet, rect, options, major)


def _written(book: Spreadsheet, writing: Writing, option: str) -> Json:
    return {"spreadsheetId": book.spreadsheet_id, **apply_writing(book, writing, option)}


def _echo(book: Spreadsheet, writing: Writing, options: Rendering) -> Json:
    rect = writing.asked or writing.rect
    return read_range(Evaluator(book, "echo"), writing.sheet, rect, options, "ROWS")


def _clear(book: Spreadsheet, text: str) -> str:
    sheet, bounds = book.find(text)
    rect = bounds.within(sheet.grid.row_count, sheet.grid.column_count)
    filled: list[tuple[int, int, Cell]] = list(sheet.grid.stored(rect))
    for row, column, cell in filled:
        sheet.grid.put(row, column, cell.changed(value=None, formula=None))
    return range_name(sheet.title, rect)


def _totals(writings: list[Writing], responses: list[Json]) -> Json:
    """Count rows and columns once each, however many ranges touch them."""
    rows, columns, sheets = set(), set(), set()
    for writing in writings:
        owner = writing.sheet.sheet_id
        for row, column, _ in writing.cells():
            sheets.add(owner)
            rows.add((owner, row))
            columns.add((owner, column))
    counts = {
        "totalUpdatedRows": len(rows),
        "totalUpdatedColumns": len(columns),
        "totalUpdatedCells": sum(response.get("updatedCells", 0) for response in responses),
        "totalUpdatedSheets": len(sheets),
    }
    return {name: count for name, count in counts.items() if count}


def _rendering(options: Json, names: Mapping[str, str] = _READING) -> Rendering:
    """Return the render options of a reading, or of the response to a writing."""
    return Rendering(**{part: options[name] for part, name in names.items() if name in options})


def _input_option(options: Json) -> str:
    found = options.get("valueInputOption", "INPUT_VALUE_OPTION_UNSPECIFIED")
    if found == "INPUT_VALUE_OPTION_UNSPECIFIED":
        raise invalid("'valueInputOption' is required but not specified")
    return str(found)
