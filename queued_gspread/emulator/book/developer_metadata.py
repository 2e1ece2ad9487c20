"""Developer metadata: where an entry belongs, and which entries a lookup finds.

By the reference of DeveloperMetadata, DeveloperMetadataLocation and DeveloperMetadataLookup in
Google's discovery document of the Sheets API.
"""

from __future__ import annotations

import copy
from typing import Any

from queued_gspread.emulator.wire.errors import InvalidArgumentError

Json = dict[str, Any]
_LINES = {"ROWS": "ROW", "COLUMNS": "COLUMN"}
_TEXTS = ("metadataId", "metadataKey", "metadataValue", "visibility")


def located(asked: Json) -> Json:
    """Return a location with its type; a row or column names its sheet, sheet 0 as well."""
    if asked.get("spreadsheet"):
        return {"locationType": "SPREADSHEET", "spreadsheet": True}
    where = asked.get("dimensionRange")
    if where is not None:
        start, end = int(where.get("startIndex", 0)), where.get("endIndex")
        if end != start + 1 or where.get("dimension") not in _LINES:
            raise InvalidArgumentError(
                "dimensionRange must be a single row or column: dimension, startIndex and the "
                f"endIndex after it, was {where}"
            )
        spot = {"sheetId": where.get("sheetId", 0), "dimension": where["dimension"]}
        spot |= {"startIndex": start, "endIndex": end}
        return {"locationType": _LINES[spot["dimension"]], "dimensionRange": spot}
    if "sheetId" in asked:
        return {"locationType": "SHEET", "sheetId": asked["sheetId"]}
    raise InvalidArgumentError("location must be one of spreadsheet, sheetId, dimensionRange")


def sheet_of(entry: Json) -> int | None:
    """Return the id of the sheet that an entry is on, None if it is the spreadsheet's."""
    where = entry["location"]
    found: int | None = where.get("dimensionRange", where).get("sheetId")
    return found


def on_spreadsheet(entries: list[Json]) -> list[Json]:
    """Return the entries of the whole spreadsheet."""
    return [entry for entry in entries if entry["location"].get("spreadsheet")]


def on_sheet(entries: list[Json], sheet_id: int) -> list[Json]:
    """Return the entries of a whole sheet."""
    return [entry for entry in entries if entry["location"].get("sheetId") == sheet_id]


def on_lines(entries: list[Json], sheet_id: int, dimension: str) -> dict[int, Json]:
    """Return what a sheet's DimensionProperties say of their entries, by the index."""
    found: dict[int, Json] = {}
    for entry in entries:
        where = entry["location"].get("dimensionRange", {})
        if where.get("dimension") == dimension and where["sheetId"] == sheet_id:
            listed = found.setdefault(where["startIndex"], {"developerMetadata": []})
            listed["developerMetadata"].append(copy.deepcopy(entry))
    return found


def looked_up(entries: list[Json], lookup: Json) -> list[Json]:
    """Return the entries that have all that a lookup names."""
    return [entry for entry in entries if _fits(entry, lookup)]


def _fits(entry: Json, lookup: Json) -> bool:
    if any(name in lookup and entry.get(name) != lookup[name] for name in _TEXTS):
        return False
    kind = lookup.get("locationType")
    if kind and entry["location"]["locationType"] != kind:
        return False
    where = lookup.get("metadataLocation")
    if where is None:
        return True
    exact = lookup.get("locationMatchingStrategy") == "EXACT_LOCATION"
    return _meets(entry["location"], located(where), exact)


def _meets(own: Json, asked: Json, exact: bool) -> bool:
    """Whether a location is the one asked for or, unless exactly, shares a cell with it."""
    if exact or "SPREADSHEET" in {own["locationType"], asked["locationType"]}:
        return own == asked
    one, other = own.get("dimensionRange", own), asked.get("dimensionRange", asked)
    if one["sheetId"] != other["sheetId"]:
        return False
    same_way = one.get("dimension") == other.get("dimension") and "dimension" in one
    return one == other if same_way else True
