"""Requests about named ranges, protected ranges and the basic filter."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING

from queued_gspread.emulator.errors import InvalidArgumentError

if TYPE_CHECKING:
    from queued_gspread.emulator.sheet import Sheet

    from .scope import Handler, Json, Scope

_RANGE_NAME = re.compile(r"[^\W\d][\w.]*")


def add_named_range(scope: Scope, request: Json) -> Json:
    """Give a range a name that no other has."""
    asked = request.get("namedRange") or {}
    name = asked.get("name", "")
    if not _RANGE_NAME.fullmatch(name):
        raise InvalidArgumentError(f"Invalid name: {name}")
    if any(named["name"].casefold() == name.casefold() for named in scope.book.named_ranges):
        message = f"A named range with name {name} already exists"
        raise InvalidArgumentError(message)
    sheet, _ = scope.grid_range(asked.get("range"))
    named_id = asked.get("namedRangeId") or str(scope.ids.sheet())
    named = {"namedRangeId": named_id, "name": name, "range": _range_json(sheet, asked)}
    scope.book.named_ranges.append(named)
    return {"addNamedRange": {"namedRange": copy.deepcopy(named)}}


def delete_named_range(scope: Scope, request: Json) -> Json:
    """Remove a range's name."""
    wanted, book = request.get("namedRangeId"), scope.book
    left = [named for named in book.named_ranges if named["namedRangeId"] != wanted]
    if len(left) == len(book.named_ranges):
        raise InvalidArgumentError(f"Cannot find named range with id: {wanted}")
    book.named_ranges = left
    return {}


def add_protected_range(scope: Scope, request: Json) -> Json:
    """Protect a range; the account that does so keeps the right to edit it."""
    asked = request.get("protectedRange") or {}
    sheet, _ = scope.grid_range(asked.get("range"))
    found: Json = {
        "protectedRangeId": asked.get("protectedRangeId") or scope.ids.sheet(),
        "range": _range_json(sheet, asked),
    }
    found |= {k: asked[k] for k in ("namedRangeId", "description", "warningOnly") if asked.get(k)}
    editors = {k: v for k, v in (asked.get("editors") or {}).items() if v}
    if not asked.get("warningOnly"):
        found |= {"requestingUserCanEdit": True, "editors": editors}
    sheet.protected_ranges.append(_with_owner(found, scope.email))
    return {"addProtectedRange": {"protectedRange": found}}


def delete_protected_range(scope: Scope, request: Json) -> Json:
    """Remove a protection."""
    wanted = request.get("protectedRangeId")
    for sheet in scope.book.sheets:
        for found in sheet.protected_ranges:
            if found["protectedRangeId"] == wanted:
                sheet.protected_ranges.remove(found)
                return {}
    raise InvalidArgumentError(f"No protected range with id: {wanted}")


def set_basic_filter(scope: Scope, request: Json) -> Json:
    """Give a sheet its one filter."""
    asked = request.get("filter") or {}
    sheet, rect = scope.grid_range(asked.get("range"))
    sheet.basic_filter = {**asked, "range": sheet.range_json(rect)}
    return {}


def clear_basic_filter(scope: Scope, request: Json) -> Json:
    """Take a sheet's filter away."""
    scope.sheet(request.get("sheetId")).basic_filter = None
    return {}


def _range_json(sheet: Sheet, asked: Json) -> Json:
    """Return a range as it was given: its open sides stay open."""
    found = dict(asked.get("range") or {})
    found.pop("sheetId", None)
    return {"sheetId": sheet.sheet_id, **found} if sheet.sheet_id else found


def _with_owner(found: Json, email: str) -> Json:
    kept = copy.deepcopy(found)
    if "editors" in kept:
        users = kept["editors"].get("users", [])
        kept["editors"]["users"] = [*users, *([] if email in users else [email])]
    return kept


HANDLERS: dict[str, Handler] = {
    "addNamedRange": add_named_range,
    "deleteNamedRange": delete_named_range,
    "addProtectedRange": add_protected_range,
    "deleteProtectedRange": delete_protected_range,
    "setBasicFilter": set_basic_filter,
    "clearBasicFilter": clear_basic_filter,
}
