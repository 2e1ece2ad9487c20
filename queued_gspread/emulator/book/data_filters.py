"""Data filters: the ranges and the developer metadata that they select.

By the reference of DataFilter: one of an A1 range, a GridRange and a metadata lookup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.wire.errors import InvalidArgumentError

from .a1 import Bounds, Rect
from .developer_metadata import looked_up, sheet_of

if TYPE_CHECKING:
    from .sheet import Sheet
    from .spreadsheet import Spreadsheet

Json = dict[str, Any]
_KINDS = ("a1Range", "gridRange", "developerMetadataLookup")


def matched_metadata(book: Spreadsheet, filters: list[Json]) -> list[Json]:
    """Return the metadata that any of the filters finds, each entry once.

    A range finds what belongs to rows and columns that have a cell in it, and to its sheet.
    """
    if not filters:
        raise InvalidArgumentError("At least one data filter must be given")
    found = [entry for asked in filters for entry in _found(book, asked)]
    return [entry for entry in book.developer_metadata if entry in found]


def _found(book: Spreadsheet, asked: Json) -> list[Json]:
    if _kind(asked) == "developerMetadataLookup":
        return looked_up(book.developer_metadata, asked["developerMetadataLookup"])
    sheet, bounds = _place(book, asked)
    rect = bounds.within(sheet.grid.row_count, sheet.grid.column_count)
    mine = [entry for entry in book.developer_metadata if sheet_of(entry) == sheet.sheet_id]
    return [entry for entry in mine if _rect(sheet, entry).overlaps(rect)]


def ranges_of(book: Spreadsheet, asked: Json) -> list[tuple[Sheet, Bounds]]:
    """Return what a filter selects: with metadata, its row, column or sheet, or all sheets."""
    if _kind(asked) != "developerMetadataLookup":
        return [_place(book, asked)]
    found: list[tuple[Sheet, Bounds]] = []
    for entry in looked_up(book.developer_metadata, asked["developerMetadataLookup"]):
        sheet = book.sheet(sheet_of(entry) or 0)
        if sheet_of(entry) is None:
            found += [(every, Bounds()) for every in book.sheets]
        elif sheet is not None:
            found.append((sheet, _bounds(entry)))
    return found


def _kind(asked: Json) -> str:
    given = [name for name in _KINDS if name in asked]
    if len(given) != 1:
        found = ", ".join(given) or "none"
        raise InvalidArgumentError(
            f"A data filter must have exactly one of {', '.join(_KINDS)}, was {found}"
        )
    return given[0]


def _place(book: Spreadsheet, asked: Json) -> tuple[Sheet, Bounds]:
    if "a1Range" in asked:
        return book.find(asked["a1Range"])
    return book.grid_range(asked["gridRange"])


def _bounds(entry: Json) -> Bounds:
    where = entry["location"].get("dimensionRange")
    if where is None:
        return Bounds()
    span = where["startIndex"], where["endIndex"]
    return Bounds(*span) if where["dimension"] == "ROWS" else Bounds(None, None, *span)


def _rect(sheet: Sheet, entry: Json) -> Rect:
    return _bounds(entry).within(sheet.grid.row_count, sheet.grid.column_count)
