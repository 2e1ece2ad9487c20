"""Requests about groups of rows or columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.wire.errors import InvalidArgumentError

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
    found = groups_json(sheet, dimension)
    return {"deleteDimensionGroup": {"dimensionGroups": found} if found else {}}


def groups_json(sheet: Sheet, dimension: str) -> list[Json]:
    """Return the DimensionGroups of a sheet, outer ones first."""
    depths = _depths(sheet.groups[dimension], sheet.size(dimension))
    found: list[Json] = []
    for depth in range(1, max(depths, default=0) + 1):
        for start, end in _runs([d >= depth for d in depths]):
            where: Json = {"sheetId": sheet.sheet_id} if sheet.sheet_id else {}
            where |= {"dimension": dimension, "startIndex": start, "endIndex": end}
            found.append({"range": where, "depth": depth})
    return found


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
}
