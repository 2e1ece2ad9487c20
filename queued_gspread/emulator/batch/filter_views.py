"""Requests about filter views, which are stored and returned, but hide nothing.

By the reference of FilterView and of its four requests.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.sheet import owned_range
from queued_gspread.emulator.wire.errors import InvalidArgumentError
from queued_gspread.emulator.wire.field_mask import replaced

from .scope import mask_of

if TYPE_CHECKING:
    from .scope import Json, Scope


def add_filter_view(scope: Scope, request: Json) -> Json:
    """Add a filter view; without a title it is numbered."""
    asked = request.get("filter") or {}
    new_id = scope.attached_id("filter_views", asked)
    sheet, _ = scope.grid_range(scope.ranged(asked))
    title = asked.get("title") or f"Filter {len(sheet.filter_views) + 1}"
    new = {**asked, "filterViewId": new_id, "title": title}
    return {"addFilterView": {"filter": _add(scope, new)}}


def update_filter_view(scope: Scope, request: Json) -> Json:
    """Change the parts of a filter view that the mask names."""
    mask, asked = mask_of(request), request.get("filter") or {}
    sheet, old = scope.attached("filter_views", asked.get("filterViewId"))
    new = {**replaced(old, asked, mask), "filterViewId": old["filterViewId"]}
    for one, other in (("criteria", "filterSpecs"), ("filterSpecs", "criteria")):
        if one in mask and other not in mask:
            new.pop(other, None)
    _add(scope, new)
    sheet.filter_views.remove(old)
    return {}


def duplicate_filter_view(scope: Scope, request: Json) -> Json:
    """Add a filter view like another, as "Copy of …"."""
    sheet, old = scope.attached("filter_views", request.get("filterId"))
    title = f"Copy of {old.get('title', '')}".rstrip()
    new = copy.deepcopy(old) | {"filterViewId": scope.ids.sheet(), "title": title}
    sheet.filter_views.append(new)
    return {"duplicateFilterView": {"filter": new}}


def delete_filter_view(scope: Scope, request: Json) -> Json:
    """Remove a filter view."""
    sheet, view = scope.attached("filter_views", request.get("filterId"))
    sheet.filter_views.remove(view)
    return {}


def _add(scope: Scope, view: Json) -> Json:
    where = scope.ranged(view)
    sheet, _ = scope.grid_range(where)
    found = {**with_both_criteria(view), "range": owned_range(where, sheet.sheet_id)}
    sheet.filter_views.append(found)
    return found


def with_both_criteria(view: Json) -> Json:
    """Return a filter with its criteria in both forms; filterSpecs take precedence."""
    specs, criteria = view.get("filterSpecs"), view.get("criteria")
    if specs:
        by_column = {
            str(spec.get("columnIndex", 0)): spec.get("filterCriteria", {}) for spec in specs
        }
        return {**view, "criteria": by_column}
    if criteria:
        if not all(index.isdecimal() for index in criteria):
            raise InvalidArgumentError(f"criteria must be by columns' indices, was {[*criteria]}")
        listed = [
            {"columnIndex": int(index), "filterCriteria": part} for index, part in criteria.items()
        ]
        return {**view, "filterSpecs": listed}
    return view
