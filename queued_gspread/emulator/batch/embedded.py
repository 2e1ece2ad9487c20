"""Requests about charts and slicers, which are stored and returned, but not drawn.

By the reference of EmbeddedChart, Slicer and EmbeddedObjectPosition. They stay where they are when
rows and columns move, and so do the ranges that they show.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.color import with_color_styles
from queued_gspread.emulator.book.sheet import ATTACHED, owned_range
from queued_gspread.emulator.wire.errors import InvalidArgumentError, sheets_unimplemented
from queued_gspread.emulator.wire.field_mask import parse_mask, replaced

from .scope import require_mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queued_gspread.emulator.book.sheet import Sheet

    from .scope import Handler, Json, Scope

_KINDS = ("charts", "slicers")
_SIZE = {"widthPixels": 600, "heightPixels": 371}


def add_chart(scope: Scope, request: Json) -> Json:
    """Put a chart on a sheet."""
    return {"addChart": {"chart": _add(scope, "charts", request.get("chart", {}))}}


def add_slicer(scope: Scope, request: Json) -> Json:
    """Put a slicer on a sheet; it hides nothing."""
    return {"addSlicer": {"slicer": _add(scope, "slicers", request.get("slicer", {}))}}


def update_chart_spec(scope: Scope, request: Json) -> Json:
    """Let a chart show something else."""
    _, chart = scope.attached("charts", request.get("chartId"))
    chart["spec"] = with_color_styles(_spec_of(request))
    return {}


def update_slicer_spec(scope: Scope, request: Json) -> Json:
    """Change the parts of a slicer that the mask names."""
    mask = parse_mask(require_mask(request))
    _, slicer = scope.attached("slicers", request.get("slicerId"))
    slicer["spec"] = with_color_styles(replaced(slicer["spec"], request.get("spec", {}), mask))
    return {}


def update_position(scope: Scope, request: Json) -> Json:
    """Move an object or change its size, also to another sheet."""
    kind, home, thing = _object(scope, request)
    mask, asked = parse_mask(require_mask(request)), request.get("newPosition", {})
    _check_place(asked)
    old = thing["position"]["overlayPosition"]
    old = {**old, "anchorCell": {"sheetId": home.sheet_id, **old["anchorCell"]}}
    place = replaced(old, asked.get("overlayPosition", {}), mask)
    sheet, position = _position(scope, {"overlayPosition": place})
    getattr(home, kind).remove(thing)
    getattr(sheet, kind).append({**thing, "position": position})
    return {"updateEmbeddedObjectPosition": {"position": copy.deepcopy(position)}}


def update_border(scope: Scope, request: Json) -> Json:
    """Give an object another border."""
    _, _, thing = _object(scope, request)
    mask, border = parse_mask(require_mask(request)), request.get("border", {})
    thing["border"] = with_color_styles(replaced({}, border, mask))
    return {}


def delete_object(scope: Scope, request: Json) -> Json:
    """Remove a chart or a slicer."""
    kind, sheet, thing = _object(scope, request)
    getattr(sheet, kind).remove(thing)
    return {}


def _add(scope: Scope, kind: str, asked: Json) -> Json:
    _spec_of(asked)
    new_id = scope.attached_id(kind, asked)
    if any(thing[ATTACHED[of]] == new_id for of, _, thing in _all(scope)):
        raise InvalidArgumentError(f"An embedded object with id {new_id} already exists")
    sheet, position = _position(scope, asked.get("position", {}))
    thing: Json = with_color_styles({**asked, ATTACHED[kind]: new_id, "position": position})
    getattr(sheet, kind).append(thing)
    return copy.deepcopy(thing)


def _spec_of(asked: Json) -> Json:
    found: Json = asked.get("spec", {})
    if not found:
        raise InvalidArgumentError("spec must be set")
    return found


def _position(scope: Scope, asked: Json) -> tuple[Sheet, Json]:
    """Return the sheet that an object is on, and its position as it is stored."""
    _check_place(asked)
    place = asked.get("overlayPosition", {})
    sheet, row, column = scope.corner(place.get("anchorCell"))
    cell = owned_range({"rowIndex": row, "columnIndex": column}, sheet.sheet_id)
    return sheet, {"overlayPosition": {**_SIZE, **place, "anchorCell": cell}}


def _check_place(asked: Json) -> None:
    if asked.get("newSheet") or "sheetId" in asked:
        raise sheets_unimplemented("The emulator has no sheets for a single object.")


def _object(scope: Scope, request: Json) -> tuple[str, Sheet, Json]:
    """Return the kind, the sheet and the content of the object with an id."""
    wanted = request.get("objectId")
    found = [one for one in _all(scope) if one[2][ATTACHED[one[0]]] == wanted]
    if not found:
        raise InvalidArgumentError(f"No embedded object with id: {wanted}")
    return found[0]


def _all(scope: Scope) -> Iterator[tuple[str, Sheet, Json]]:
    for kind in _KINDS:
        for sheet in scope.book.sheets:
            yield from ((kind, sheet, thing) for thing in getattr(sheet, kind))


HANDLERS: dict[str, Handler] = {
    "addChart": add_chart,
    "addSlicer": add_slicer,
    "updateChartSpec": update_chart_spec,
    "updateSlicerSpec": update_slicer_spec,
    "updateEmbeddedObjectPosition": update_position,
    "updateEmbeddedObjectBorder": update_border,
    "deleteEmbeddedObject": delete_object,
}
