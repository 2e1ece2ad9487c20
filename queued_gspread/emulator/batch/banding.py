"""Requests about alternating colours, which are stored and returned, but not applied.

By the reference of AddBandingRequest, UpdateBandingRequest and BandedRange.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.color import with_color_styles
from queued_gspread.emulator.book.sheet import owned_range
from queued_gspread.emulator.wire.errors import InvalidArgumentError
from queued_gspread.emulator.wire.field_mask import parse_mask, replaced

from .scope import require_mask

if TYPE_CHECKING:
    from queued_gspread.emulator.book.sheet import Sheet

    from .scope import Handler, Json, Scope

_PROPERTIES = ("rowProperties", "columnProperties")


def add_banding(scope: Scope, request: Json) -> Json:
    """Give a range alternating colours; it must not have any yet."""
    asked = request.get("bandedRange") or {}
    new_id = scope.attached_id("banded_ranges", asked)
    sheet, band = _checked(scope, {**asked, "bandedRangeId": new_id})
    sheet.banded_ranges.append(band)
    return {"addBanding": {"bandedRange": copy.deepcopy(band)}}


def update_banding(scope: Scope, request: Json) -> Json:
    """Change the range or the colours of a banding."""
    mask, asked = parse_mask(require_mask(request)), request.get("bandedRange") or {}
    home, old = scope.attached("banded_ranges", asked.get("bandedRangeId"))
    new = {**replaced(old, asked, mask), "bandedRangeId": old["bandedRangeId"]}
    home.banded_ranges.remove(old)
    sheet, band = _checked(scope, new)
    sheet.banded_ranges.append(band)
    return {}


def delete_banding(scope: Scope, request: Json) -> Json:
    """Take alternating colours away; a table is none without them."""
    wanted = request.get("bandedRangeId")
    for sheet in scope.book.sheets:
        for table in sheet.tables:
            if table["tableId"] == str(wanted):
                sheet.tables.remove(table)
                return {}
    sheet, band = scope.attached("banded_ranges", wanted)
    sheet.banded_ranges.remove(band)
    return {}


def _checked(scope: Scope, band: Json) -> tuple[Sheet, Json]:
    """Return a banding as it is stored, and its sheet."""
    sheet, rect = scope.grid_range(band.get("range"))
    if not any(band.get(name) for name in _PROPERTIES):
        raise InvalidArgumentError(f"At least one of {', '.join(_PROPERTIES)} must be specified")
    if sheet.bands(rect):
        raise InvalidArgumentError(
            "You cannot add alternating background colors to a range that already has "
            "alternating background colors."
        )
    where = owned_range(band.get("range") or {}, sheet.sheet_id)
    return sheet, with_color_styles({**band, "range": where})


HANDLERS: dict[str, Handler] = {
    "addBanding": add_banding,
    "updateBanding": update_banding,
    "deleteBanding": delete_banding,
}
