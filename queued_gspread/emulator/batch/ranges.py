"""Requests about named ranges, protected ranges and the basic filter."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.sheet import owned_range
from queued_gspread.emulator.wire.errors import InvalidArgumentError
from queued_gspread.emulator.wire.field_mask import replaced

from .filter_views import with_both_criteria
from .scope import mask_of

if TYPE_CHECKING:
    from queued_gspread.emulator.book.sheet import Sheet

    from .scope import Json, Scope

_PROTECTED_PARTS = ("namedRangeId", "description", "warningOnly")
# By Google's help: letters, digits and underscores, no digit first, at most 250; neither of the
# truth values, and nothing that is a reference.
_RANGE_NAME = re.compile(r"(?!(?i:true|false|[A-Z]{1,3}[0-9]+|R[0-9]+C[0-9]+)\Z)[^\W\d]\w{0,249}")


def add_named_range(scope: Scope, request: Json) -> Json:
    """Give a range a name that no other range has."""
    asked = request.get("namedRange") or {}
    name = asked.get("name", "")
    _check_name(name, scope.book.named_ranges)
    sheet, _ = scope.grid_range(asked.get("range"))
    named_id = asked.get("namedRangeId") or str(scope.ids.sheet())
    if any(named["namedRangeId"] == named_id for named in scope.book.named_ranges):
        raise InvalidArgumentError(f"A named range with id {named_id} already exists")
    named = {
        "namedRangeId": named_id,
        "name": name,
        "range": owned_range(asked.get("range") or {}, sheet.sheet_id),
    }
    scope.book.named_ranges.append(named)
    return {"addNamedRange": {"namedRange": named}}


def update_named_range(scope: Scope, request: Json) -> Json:
    """Change the name or the range of a named range; formulas do not follow a new name."""
    mask, asked = mask_of(request), request.get("namedRange") or {}
    wanted, book = asked.get("namedRangeId"), scope.book
    old = next((named for named in book.named_ranges if named["namedRangeId"] == wanted), None)
    if old is None:
        raise InvalidArgumentError(f"Cannot find named range with id: {wanted}")
    new = {**replaced(old, asked, mask), "namedRangeId": wanted}
    _check_name(new.get("name", ""), [named for named in book.named_ranges if named is not old])
    sheet, _ = scope.grid_range(new.get("range"))
    new["range"] = owned_range(new.get("range") or {}, sheet.sheet_id)
    book.named_ranges[book.named_ranges.index(old)] = new
    return {}


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
    asked = {**asked, "range": scope.ranged(asked)}
    sheet, _ = scope.grid_range(asked["range"])
    found: Json = {
        "protectedRangeId": scope.attached_id("protected_ranges", asked),
        **_ranges_on(sheet, asked),
    }
    found |= {k: asked[k] for k in _PROTECTED_PARTS if asked.get(k)}
    editors = {k: v for k, v in (asked.get("editors") or {}).items() if v}
    if not asked.get("warningOnly"):
        found |= {"requestingUserCanEdit": True, "editors": editors}
    sheet.protected_ranges.append(_with_owner(found, scope.email))
    return {"addProtectedRange": {"protectedRange": found}}


def update_protected_range(scope: Scope, request: Json) -> Json:
    """Change a protection; one that only warns has no editors, one that does not has the account.

    By Google's reference of UpdateProtectedRangeRequest and ProtectedRange.
    """
    mask, asked = mask_of(request), request.get("protectedRange") or {}
    home, old = scope.attached("protected_ranges", asked.get("protectedRangeId"))
    new = {**replaced(old, asked, mask), "protectedRangeId": old["protectedRangeId"]}
    new["range"] = scope.ranged(new)
    sheet, _ = scope.grid_range(new["range"])
    new |= _ranges_on(sheet, new)
    if new.get("warningOnly"):
        new = {k: v for k, v in new.items() if k not in {"editors", "requestingUserCanEdit"}}
    else:
        new.pop("warningOnly", None)
        new = _with_owner({"editors": {}, **new, "requestingUserCanEdit": True}, scope.email)
    home.protected_ranges.remove(old)
    sheet.protected_ranges.append(new)
    return {}


def delete_protected_range(scope: Scope, request: Json) -> Json:
    """Remove a protection."""
    sheet, found = scope.attached("protected_ranges", request.get("protectedRangeId"))
    sheet.protected_ranges.remove(found)
    return {}


def set_basic_filter(scope: Scope, request: Json) -> Json:
    """Give a sheet its one filter."""
    asked = request.get("filter") or {}
    sheet, rect = scope.grid_range(asked.get("range"))
    sheet.basic_filter = {**with_both_criteria(asked), "range": sheet.range_json(rect)}
    return {}


def clear_basic_filter(scope: Scope, request: Json) -> Json:
    """Take a sheet's filter away."""
    scope.sheet(request.get("sheetId")).basic_filter = None
    return {}


def _check_name(name: str, others: list[Json]) -> None:
    if not _RANGE_NAME.fullmatch(name):
        raise InvalidArgumentError(f"Invalid name: {name}")
    if any(named["name"].casefold() == name.casefold() for named in others):
        message = f"A named range with name {name} already exists"
        raise InvalidArgumentError(message)


def _ranges_on(sheet: Sheet, protected: Json) -> Json:
    """Return the ranges of a protection: its own, and the unprotected parts of it."""
    free = protected.get("unprotectedRanges") or []
    found: Json = {"range": owned_range(protected.get("range") or {}, sheet.sheet_id)}
    parts = [owned_range(where, sheet.sheet_id) for where in free]
    return found | ({"unprotectedRanges": parts} if parts else {})


def _with_owner(found: Json, email: str) -> Json:
    kept = copy.deepcopy(found)
    if "editors" in kept:
        users = kept["editors"].get("users", [])
        kept["editors"]["users"] = [*users, *([] if email in users else [email])]
    return kept
