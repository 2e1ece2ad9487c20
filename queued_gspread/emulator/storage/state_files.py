"""Files, spreadsheets and sheets as JSON: all their attributes, by name.

A new attribute of one of them is stored without any change here, as long as it is plain JSON; only
other attributes have rules here. Attributes that all spreadsheets share belong to the store and are
not stored.
"""

from __future__ import annotations

import operator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from queued_gspread.emulator.book.a1 import Rect
from queued_gspread.emulator.book.sheet import Sheet
from queued_gspread.emulator.book.spreadsheet import SURROUNDINGS, Spreadsheet
from queued_gspread.emulator.book.store import File

from .state_cells import Shared, grid_from, grid_json
from .state_messages import LISTS, message_of, messages_of
from .state_part import DamagedError, Part

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
_DIMENSIONS = ("ROWS", "COLUMNS")
T = TypeVar("T")


def file_json(file: File, shared: Shared) -> Json:
    """Return a file as JSON, with the spreadsheet that it is."""
    times = {"created": file.created.isoformat(), "modified": file.modified.isoformat()}
    book = _book_json(file.book, shared) if file.book else None
    return {**vars(file), **times, "book": book}


def file_from(part: Part, shared: list[Any]) -> File:
    """Return the file in JSON; raise DamagedError if it cannot be read."""
    file = File(
        part["file_id"].expect(str),
        part["mime_type"].expect(str),
        part["name"].expect(str),
        created=part["created"].read(datetime.fromisoformat),
        modified=part["modified"].read(datetime.fromisoformat),
    )
    readers: dict[str, Callable[[Part], Any]] = {
        "created": lambda _: file.created,
        "modified": lambda _: file.modified,
        "book": lambda book: _book(book, shared) if book.content is not None else None,
        "parents": lambda parents: [parent.expect(str) for parent in parents],
    }
    return _completed(file, part, readers)


def _book_json(book: Spreadsheet, shared: Shared) -> Json:
    kept = {name: part for name, part in vars(book).items() if name not in SURROUNDINGS}
    return {**kept, "sheets": [_sheet_json(sheet, shared) for sheet in book.sheets]}


def _book(part: Part, shared: list[Any]) -> Spreadsheet:
    sheets = [_sheet(sheet, shared) for sheet in part["sheets"]]
    title = part["properties"]["title"].expect(str)
    book = Spreadsheet(part["spreadsheet_id"].expect(str), title, sheets)
    return _completed(
        book,
        part,
        {"sheets": lambda _: sheets, "properties": partial(message_of, "SpreadsheetProperties")},
    )


def _sheet_json(sheet: Sheet, shared: Shared) -> Json:
    dimensions = {name: list(found.items()) for name, found in sheet.dimensions.items()}
    return {**vars(sheet), "grid": grid_json(sheet.grid, shared), "dimensions": dimensions}


def _sheet(part: Part, shared: list[Any]) -> Sheet:
    readers: dict[str, Callable[[Part], Any]] = {
        "grid": lambda grid: grid_from(grid, shared),
        "merges": lambda merges: [Rect(*_whole_numbers(merge, 4)) for merge in merges],
        "groups": lambda groups: {
            name: [_whole_numbers(span, 2) for span in groups[name]] for name in _DIMENSIONS
        },
        "collapsed": lambda groups: {
            name: [_whole_numbers(found, 3) for found in groups[name]] for name in _DIMENSIONS
        },
        "dimensions": lambda dimensions: {
            name: dict(_line(line) for line in dimensions[name]) for name in _DIMENSIONS
        },
        "properties": partial(message_of, "SheetProperties"),
        "grid_properties": partial(message_of, "GridProperties"),
        "basic_filter": lambda found: (
            message_of("BasicFilter", found, ["range"]) if found.content is not None else None
        ),
    }
    return _completed(Sheet(part["sheet_id"].expect(int), part["title"].expect(str)), part, readers)


def _whole_numbers(part: Part, count: int) -> tuple[Any, ...]:
    numbers = part.expect(list)
    if len(numbers) != count or any(type(number) is not int or number < 0 for number in numbers):
        raise DamagedError(f"{part.place} is not {count} whole numbers")
    return tuple(numbers)


def _line(part: Part) -> tuple[int, Json]:
    """Return the index of a row or column, and its properties."""
    index, found = part.read(lambda pair: (operator.index(pair[0]), pair[1]))
    return index, message_of("DimensionProperties", Part(found, f"{part.place}[1]"))


def _completed(made: T, part: Part, readers: dict[str, Callable[[Part], Any]]) -> T:
    """Return an object with all attributes that a part names; the others keep their defaults."""
    for name, found in part.members():
        if name not in vars(made) or name in SURROUNDINGS:
            raise DamagedError(f"{found.place} is unknown to this version")
        if name in readers:
            setattr(made, name, readers[name](found))
            continue
        if name in LISTS:
            setattr(made, name, messages_of(found, name))
            continue
        setattr(made, name, found.expect(type(getattr(made, name))))
    return made
