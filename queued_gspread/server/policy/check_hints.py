"""How to find out whether a request was applied of whose outcome nobody knows. Pure.

A hint has titles, ranges and ids in it, and neither a cell's value nor the text of a comment, nor
whom a file was shared with. It goes on after "Before you call again, ".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from .batch_idempotency import IDEMPOTENT, NOT_IDEMPOTENT
from .idempotency import body_of, route_of, url_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .request import Request

    Json = dict[str, Any]

__all__ = ["BATCHED", "GENERAL", "HINTS", "how_to_check"]

GENERAL: Final = "look whether what it was to change has changed"
"""The hint for a request that no table knows."""

_LONGEST_NAME: Final = 200
_WHOLE_SHEET: Final = re.compile(r"'((?:[^']|'')+)'")


def how_to_check(request: Request) -> str:
    """Return what to look at, to know whether a request was applied."""
    found = route_of(request)
    return HINTS[found.what](request) if found and found.what in HINTS else GENERAL


# A request of its own ----------------------------------------------------------------------------


def _always(text: str) -> Callable[[Request], str]:
    return lambda _: text


def _of_new_spreadsheet(request: Request) -> str:
    return _of_new_file("spreadsheet", _named(body_of(request), "properties", "title"))


def _of_made_file(request: Request) -> str:
    return _of_new_file("file", _named(body_of(request), "name"))


def _of_new_file(what: str, title: str) -> str:
    titled = f" titled {title}" if title else ""
    return f"look in Drive for a {what}{titled} that was made at that time"


def _of_append(request: Request) -> str:
    place = url_of(request)[0].rpartition(":")[0].rpartition("/")[2]
    return f"look for the rows at the end of the table {_place(unquote(place))}"


def _place(label: str) -> str:
    if whole := _WHOLE_SHEET.fullmatch(label):
        title = whole[1].replace("''", "'")
        return f"in the worksheet {title[:_LONGEST_NAME]!r}"
    return f"at {label[:_LONGEST_NAME]!r}"


def _of_copied_sheet(request: Request) -> str:
    where = _named(body_of(request), "destinationSpreadsheetId")
    there = f"spreadsheet {where}" if where else "the other spreadsheet"
    return f"list the worksheets of {there} and look for the copy"


def _of_batch(request: Request) -> str:
    parts = _parts(body_of(request))
    kind, about = next((part for part in parts if part[0] in NOT_IDEMPOTENT), (*parts, ("", {}))[0])
    if kind not in BATCHED:
        return GENERAL
    hint = BATCHED[kind].format(sheet=_sheet(about), title=_title(about), span=_span(about))
    more = f" (all {len(parts)} parts of the batch were applied, or none)"
    return hint + more if parts[1:] else hint


_PERMISSIONS: Final = "list the file's permissions (`list_permissions()`) and look whether"

HINTS: Final[dict[str, Callable[[Request], str]]] = {
    "create": _of_new_spreadsheet,
    "batch": _of_batch,
    "copy sheet": _of_copied_sheet,
    "append": _of_append,
    "values": _always("read the cells and look whether they have what was to be set"),
    "make file": _of_made_file,
    "copy file": _of_made_file,
    "comment": _always("list the file's comments and look whether the new one is there"),
    "share": _always(f"{_PERMISSIONS} the new one is there"),
    "change file": _always("look at the file's name, folder and properties in Drive"),
    "change share": _always(f"{_PERMISSIONS} the one that was to change has its new role"),
    "delete file": _always("look whether the file is still in Drive"),
    "unshare": _always(f"{_PERMISSIONS} the one that was to be removed is gone"),
    "upload": _always("open the spreadsheet and look whether it has the imported content"),
}
"""Hints by what a request does, as ``repeat.ROUTES`` has it."""


# A part of a batch -------------------------------------------------------------------------------


def _metadata(things: str) -> str:
    return f"fetch the metadata of the spreadsheet (`fetch_sheet_metadata()`) and look at {things}"


_MOVED: Final = "read {sheet} and look whether cells have moved"
_FILLED: Final = "read {sheet} and look whether the cells are filled as they were to be"
_CHANGED: Final = "read {sheet} and look whether the cells are still as they were"
_SORTED: Final = "read {sheet} and look at the order of its rows"
_SET: Final = "look whether {sheet} has what was to be set"
_GROUPS: Final = _metadata("the groups of rows and columns of {sheet}")
_BANDS: Final = _metadata("the banded ranges of {sheet}")
_OBJECTS: Final = _metadata("the charts and other objects of {sheet}")
_RULES: Final = _metadata("the conditional formats of {sheet}")
_SOURCES: Final = _metadata("the data sources")
_DEVELOPERS: Final = _metadata("the developer metadata")
_VIEWS: Final = _metadata("the filter views of {sheet}")
_NAMES: Final = _metadata("the named ranges")
_PROTECTED: Final = _metadata("the protected ranges of {sheet}")
_SLICERS: Final = _metadata("the slicers of {sheet}")
_TABLES: Final = _metadata("the tables of {sheet}")

BATCHED: Final[dict[str, str]] = {
    **dict.fromkeys(IDEMPOTENT, _SET),
    "addBanding": _BANDS,
    "addChart": _OBJECTS,
    "addConditionalFormatRule": _RULES,
    "addDataSource": _SOURCES,
    "addDimensionGroup": _GROUPS,
    "addFilterView": _VIEWS,
    "addNamedRange": _NAMES,
    "addProtectedRange": _PROTECTED,
    "addSheet": "list the worksheets (`worksheets()`) and look for one titled {title}",
    "addSlicer": _SLICERS,
    "addTable": _TABLES,
    "appendCells": "look for the rows at the end of {sheet}",
    "appendDimension": "look at the size of {sheet}: it has grown if this was applied",
    "autoFill": _FILLED,
    "cancelDataSourceRefresh": _SOURCES,
    "copyPaste": _FILLED,
    "createDeveloperMetadata": _DEVELOPERS,
    "cutPaste": _FILLED,
    "deleteBanding": _BANDS,
    "deleteConditionalFormatRule": _RULES,
    "deleteDataSource": _SOURCES,
    "deleteDeveloperMetadata": _DEVELOPERS,
    "deleteDimension": "read {sheet} and look whether what was in {span} is gone",
    "deleteDimensionGroup": _GROUPS,
    "deleteDuplicates": _CHANGED,
    "deleteEmbeddedObject": _OBJECTS,
    "deleteFilterView": _VIEWS,
    "deleteNamedRange": _NAMES,
    "deleteProtectedRange": _PROTECTED,
    "deleteRange": _MOVED,
    "deleteSheet": "list the worksheets (`worksheets()`) and look whether {sheet} is gone",
    "deleteTable": _TABLES,
    "duplicateFilterView": _VIEWS,
    "duplicateSheet": "list the worksheets (`worksheets()`) and look for one titled {title}",
    "findReplace": _CHANGED,
    "insertDimension": "read {sheet} and look whether {span} came in, and what was there moved on",
    "insertRange": _MOVED,
    "moveDimension": "read {sheet} and look where what was in {span} stands now",
    "pasteData": _FILLED,
    "randomizeRange": _SORTED,
    "refreshDataSource": _SOURCES,
    "sortRange": _SORTED,
    "textToColumns": _FILLED,
    "trimWhitespace": _CHANGED,
    "updateConditionalFormatRule": _RULES,
    "updateDataSource": _SOURCES,
    "updateDeveloperMetadata": _DEVELOPERS,
    "updateEmbeddedObjectPosition": _OBJECTS,
    "updateTable": _TABLES,
}
"""Hints by the kind of a request in a batch."""


def _parts(body: Json | None) -> list[tuple[str, Json]]:
    items = (body or {}).get("requests")
    return [
        (str(kind), about if isinstance(about, dict) else {})
        for item in (items if isinstance(items, list | tuple) else ())
        if isinstance(item, dict)
        for kind, about in item.items()
    ]


def _within(about: Json) -> list[Json]:
    """Return what may name the sheet and the rows that a request is about, the closest first."""
    inner = [value for value in about.values() if isinstance(value, dict)]
    deeper = [value for one in inner for value in one.values() if isinstance(value, dict)]
    return [about, *inner, *deeper]


def _sheet(about: Json) -> str:
    for place in _within(about):
        for name in ("sheetId", "sourceSheetId"):
            if isinstance(place.get(name), int):
                return f"the sheet with id {place[name]}"
    return "the sheet"


def _title(about: Json) -> str:
    given = _named(about, "properties", "title") or _named(about, "newSheetName")
    return given or "as it was to be"


def _span(about: Json) -> str:
    for place in _within(about):
        first, end = place.get("startIndex"), place.get("endIndex")
        if isinstance(first, int) and isinstance(end, int):
            what = "columns" if place.get("dimension") == "COLUMNS" else "rows"
            return f"{what} {first + 1} to {end}"
    return "its rows or columns"


def _named(body: Json | None, *path: str) -> str:
    """Return the name at a path, quoted; '' if there is none."""
    found: Any = body
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    return repr(found[:_LONGEST_NAME]) if isinstance(found, str) and found else ""
