"""Requests about developer metadata.

By the reference of CreateDeveloperMetadataRequest, UpdateDeveloperMetadataRequest and
DeleteDeveloperMetadataRequest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.book.data_filters import matched_metadata
from queued_gspread.emulator.book.developer_metadata import located
from queued_gspread.emulator.wire.errors import InvalidArgumentError
from queued_gspread.emulator.wire.field_mask import replaced

from .scope import mask_of

if TYPE_CHECKING:
    from .scope import Json, Scope

_VISIBILITIES = {"DOCUMENT", "PROJECT"}


def create_developer_metadata(scope: Scope, request: Json) -> Json:
    """Attach a key and a value to the spreadsheet, a sheet, a row or a column."""
    asked = request.get("developerMetadata") or {}
    wanted = asked.get("metadataId")
    if wanted is not None and any(e["metadataId"] == wanted for e in scope.book.developer_metadata):
        raise InvalidArgumentError(
            f"Cannot add developer metadata with ID [{wanted}] because developer metadata with "
            "that ID already exists."
        )
    entry = _checked(scope, {**asked, "metadataId": wanted or scope.ids.sheet()})
    scope.book.developer_metadata.append(entry)
    return {"createDeveloperMetadata": {"developerMetadata": entry}}


def update_developer_metadata(scope: Scope, request: Json) -> Json:
    """Change all metadata that any of the filters finds."""
    mask, asked = mask_of(request), request.get("developerMetadata") or {}
    book, changed = scope.book, []
    for old in matched_metadata(book, request.get("dataFilters") or []):
        new = _checked(scope, {**replaced(old, asked, mask), "metadataId": old["metadataId"]})
        book.developer_metadata[book.developer_metadata.index(old)] = new
        changed.append(new)
    return {"updateDeveloperMetadata": {"developerMetadata": changed} if changed else {}}


def delete_developer_metadata(scope: Scope, request: Json) -> Json:
    """Remove all metadata that a filter finds."""
    gone = matched_metadata(scope.book, [request.get("dataFilter") or {}])
    left = [entry for entry in scope.book.developer_metadata if entry not in gone]
    scope.book.developer_metadata = left
    return {"deleteDeveloperMetadata": {"deletedDeveloperMetadata": gone} if gone else {}}


def _checked(scope: Scope, asked: Json) -> Json:
    if not asked.get("metadataKey"):
        raise InvalidArgumentError("metadataKey must be set")
    if asked.get("visibility") not in _VISIBILITIES:
        found = asked.get("visibility")
        raise InvalidArgumentError(f"visibility must be DOCUMENT or PROJECT, was {found}")
    location = located(asked.get("location") or {})
    where = location.get("dimensionRange")
    if where:
        sheet, dimension, start, _ = scope.dimension_range(where)
        if start >= sheet.size(dimension):
            message = f"startIndex[{start}] must be less than the grid size"
            raise InvalidArgumentError(f"{message} ({sheet.size(dimension)})")
    elif "sheetId" in location:
        scope.sheet(location["sheetId"])
    return {**asked, "location": location}
