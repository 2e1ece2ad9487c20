"""Requests about conditional formats, which are stored and returned, but not applied.

By the reference of AddConditionalFormatRuleRequest, UpdateConditionalFormatRuleRequest and
DeleteConditionalFormatRuleRequest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.book.color import with_color_styles
from queued_gspread.emulator.book.sheet import owned_range
from queued_gspread.emulator.wire.errors import InvalidArgumentError

if TYPE_CHECKING:
    from queued_gspread.emulator.book.sheet import Sheet

    from .scope import Json, Scope

_KINDS = ("booleanRule", "gradientRule")


def add_conditional_format_rule(scope: Scope, request: Json) -> Json:
    """Insert a rule, at the start unless an index is given."""
    sheet, rule = _checked(scope, request.get("rule") or {})
    index = int(request.get("index", 0))
    if not 0 <= index <= len(sheet.conditional_formats):
        count = len(sheet.conditional_formats)
        raise InvalidArgumentError(f"index[{index}] must be between 0 and {count}")
    sheet.conditional_formats.insert(index, rule)
    return {}


def update_conditional_format_rule(scope: Scope, request: Json) -> Json:
    """Replace the rule at an index, or move it to another index."""
    if ("rule" in request) == ("newIndex" in request):
        raise InvalidArgumentError("Exactly one of rule, newIndex must be set")
    if "rule" in request:
        sheet, rule = _checked(scope, request["rule"])
        index = _index(sheet, request)
        old, sheet.conditional_formats[index] = sheet.conditional_formats[index], rule
        return _updated(new_rule=rule, new_index=index, old_rule=old)
    sheet, new = scope.sheet(request.get("sheetId")), int(request["newIndex"])
    index = _index(sheet, request)
    if not 0 <= new < len(sheet.conditional_formats):
        last = len(sheet.conditional_formats) - 1
        raise InvalidArgumentError(f"newIndex[{new}] must be between 0 and {last}")
    rule = sheet.conditional_formats.pop(index)
    sheet.conditional_formats.insert(new, rule)
    return _updated(new_rule=rule, new_index=new, old_index=index)


def delete_conditional_format_rule(scope: Scope, request: Json) -> Json:
    """Remove the rule at an index."""
    sheet = scope.sheet(request.get("sheetId"))
    rule = sheet.conditional_formats.pop(_index(sheet, request))
    return {"deleteConditionalFormatRule": {"rule": rule}}


def _checked(scope: Scope, asked: Json) -> tuple[Sheet, Json]:
    """Return a rule as it is stored, and the sheet of its ranges.

    A range may be empty: gspread-formatting's tests against Google have one that is.
    """
    places = [scope.grid(where) for where in asked.get("ranges") or []]
    if not places or any(sheet is not places[0] for sheet in places):
        raise InvalidArgumentError("A rule must have ranges, all of them on the same sheet")
    if sum(kind in asked for kind in _KINDS) != 1:
        raise InvalidArgumentError(f"A rule must have exactly one of {', '.join(_KINDS)}")
    rule = with_color_styles(asked)
    rule["ranges"] = [owned_range(where, places[0].sheet_id) for where in asked["ranges"]]
    return places[0], rule


def _index(sheet: Sheet, request: Json) -> int:
    index = int(request.get("index", 0))
    if not 0 <= index < len(sheet.conditional_formats):
        message = f"No conditional format on sheet: {sheet.sheet_id} at index: {index}"
        raise InvalidArgumentError(message)
    return index


def _updated(
    new_rule: Json, new_index: int, old_rule: Json | None = None, old_index: int = 0
) -> Json:
    """Return the reply; as in Google's answers, an index of 0 is left out."""
    found: Json = {"newRule": new_rule, "newIndex": new_index}
    found |= {"oldRule": old_rule, "oldIndex": old_index}
    reply = {name: part for name, part in found.items() if part}
    return {"updateConditionalFormatRule": reply}
