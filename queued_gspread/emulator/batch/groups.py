"""Requests about groups of rows or columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.wire.errors import InvalidArgumentError
from queued_gspread.emulator.wire.field_mask import names, parse_mask

from .scope import require_mask

if TYPE_CHECKING:
    from queued_gspread.emulator.book.sheet import Sheet, Span

    from .scope import Handler, Json, Scope

_CONTROL = {"ROWS": "rowGroupControlAfter", "COLUMNS": "columnGroupControlAfter"}


def add_dimension_group(scope: Scope, request: Json) -> Json:
    """Group rows or columns, one level deeper if they are grouped already."""
    sheet, dimension, start, end = scope.dimension_range(request.get("range"))
    sheet.groups[dimension].append((start, end))
    sheet.grid_properties[_CONTROL[dimension]] = True
    return {"addDimensionGroup": {"dimensionGroups": groups_json(sheet, dimension)}}


def delete_dimension_group(scope: Scope, request: Json) -> Json:
    """Take rows or columns out of their innermost group."""
    sheet, dimension, start, end = scope.dimension_range(request.get("range"))
    depths = _depths(sheet.groups[dimension], sheet.size(dimension))
    if not any(depths[start:end]):
        raise InvalidArgumentError(f"There is no group to remove in {dimension} {start}:{end}.")
    lowered = [d - 1 if start <= i < end and d else d for i, d in enumerate(depths)]
    sheet.groups[dimension] = _spans(lowered)
    known = _known(sheet, dimension)
    sheet.collapsed[dimension] = [one for one in sheet.collapsed[dimension] if one in known]
    found = groups_json(sheet, dimension)
    return {"deleteDimensionGroup": {"dimensionGroups": found} if found else {}}


def update_dimension_group(scope: Scope, request: Json) -> Json:
    """Collapse or expand a group, which hides or shows all that is in it."""
    asked, mask = request.get("dimensionGroup", {}), parse_mask(require_mask(request))
    sheet, dimension, start, end = scope.dimension_range(asked.get("range"))
    depth = asked.get("depth", 1)
    known = _known(sheet, dimension)
    if (start, end, depth) not in known:
        raise InvalidArgumentError(
            f"There is no group of depth {depth} at {dimension} {start}:{end}."
        )
    if names(mask, "collapsed"):
        collapsed = asked.get("collapsed", False)
        others = [one for one in sheet.collapsed[dimension] if one != (start, end, depth)]
        sheet.collapsed[dimension] = others + ([(start, end, depth)] if collapsed else [])
        for index in range(start, min(end, sheet.size(dimension))):
            found = {**sheet.dimensions[dimension].get(index, {}), "hiddenByUser": collapsed}
            sheet.dimensions[dimension][index] = {k: v for k, v in found.items() if v}
    return {}


def groups_json(sheet: Sheet, dimension: str) -> list[Json]:
    """Return the DimensionGroups of a sheet, outer ones first."""
    depths = _depths(sheet.groups[dimension], sheet.size(dimension))
    found: list[Json] = []
    for depth in range(1, max(depths, default=0) + 1):
        for start, end in _runs([d >= depth for d in depths]):
            where: Json = {"sheetId": sheet.sheet_id} if sheet.sheet_id else {}
            where |= {"dimension": dimension, "startIndex": start, "endIndex": end}
            is_collapsed = (start, end, depth) in sheet.collapsed[dimension]
            more = {"collapsed": True} if is_collapsed else {}
            found.append({"range": where, "depth": depth, **more})
    return found


def _known(sheet: Sheet, dimension: str) -> set[tuple[int, int, int]]:
    """Return where groups begin and end, with their depths."""
    found = groups_json(sheet, dimension)
    return {(g["range"]["startIndex"], g["range"]["endIndex"], g["depth"]) for g in found}


def _depths(spans: list[Span], size: int) -> list[int]:
    depths = [0] * size
    for start, end in spans:
        for index in range(start, min(end, size)):
            depths[index] += 1
    return depths


def _spans(depths: list[int]) -> list[Span]:
    deepest = max(depths, default=0)
    return [run for depth in range(1, deepest + 1) for run in _runs([d >= depth for d in depths])]


def _runs(flags: list[bool]) -> list[Span]:
    runs: list[Span] = []
    for index, flag in enumerate(flags):
        if flag and runs and runs[-1][1] == index:
            runs[-1] = runs[-1][0], index + 1
        elif flag:
            runs.append((index, index + 1))
    return runs


HANDLERS: dict[str, Handler] = {
    "addDimensionGroup": add_dimension_group,
    "deleteDimensionGroup": delete_dimension_group,
    "updateDimensionGroup": update_dimension_group,
}
