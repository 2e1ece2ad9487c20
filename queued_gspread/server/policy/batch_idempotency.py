"""Whether a batch of requests, a ``spreadsheets:batchUpdate``, is idempotent.

The rules for each kind of request are in :mod:`queued_gspread.google_api.batch_requests`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from queued_gspread.google_api.batch_requests import BATCH_REQUESTS, Commutes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.google_api.batch_requests import RepeatRule

__all__ = ["commutes_of", "is_idempotent_batch"]

Json = dict[str, Any]


def is_idempotent_batch(body: Json | None) -> bool:
    """Return whether a batch may be retried when it is unknown whether it was applied."""
    parts = _parts(body)
    if not parts:
        return False
    if len(parts) == 1:
        return bool(_commutes(*parts[0]))
    return bool(_shared(parts)) or _puts_in_order(parts)


def commutes_of(items: Sequence[Json]) -> set[Commutes]:
    """Return which requests a batch's own can be mixed with in a larger idempotent batch.

    Args:
        items: One or more requests, each an object with a single key: its kind.

    """
    parts = _parts({"requests": items})
    return _shared(parts) if parts else set()


def _shared(parts: Sequence[tuple[str, Json]]) -> set[Commutes]:
    return set.intersection(*(_commutes(kind, about) for kind, about in parts)) - {Commutes.ALONE}


def _parts(body: Json | None) -> list[tuple[str, Json]]:
    """Return the kind and content of each request in a batch; empty if one is unreadable."""
    around = {"includeSpreadsheetInResponse", "responseIncludeGridData", "responseRanges"}
    if body is None or not body.keys() <= around | {"requests"}:
        return []
    items = body.get("requests")
    if not isinstance(items, list | tuple):
        return []
    if not all(isinstance(item, dict) and len(item) == 1 for item in items):
        return []
    parts = [pair for item in items for pair in item.items()]
    return parts if all(isinstance(about, dict) for _, about in parts) else []


def _commutes(kind: str, about: Json) -> set[Commutes]:
    row = BATCH_REQUESTS.get(kind)
    if row is None or isinstance(row.idempotent, str):
        return set()
    return {rule.commutes for rule in row.idempotent if _holds(rule, about)}


def _holds(rule: RepeatRule, about: Json) -> bool:
    """Return whether a request meets the conditions of a rule."""
    if rule.inside is not None:
        name, known = rule.inside
        if not isinstance(about.get(name), dict) or not about[name].keys() <= known:
            return False
    return rule.fields is None or _is_within(about.get("fields"), rule.fields)


def _is_within(mask: Any, allowed: frozenset[str]) -> bool:
    """Return whether a field mask names only allowed fields."""
    if not isinstance(mask, str):
        return False
    # gspread writes both userEnteredFormat(bold) and gridProperties/rowCount.
    paths = re.sub(r"\([^()]*\)", "", mask).replace("/", ".").split(",")
    return all(
        any(path == name or path.startswith(name + ".") for name in allowed)
        for path in map(str.strip, paths)
    )


def _puts_in_order(parts: list[tuple[str, Json]]) -> bool:
    """Return whether a batch moves distinct sheets to 0, 1, 2 … in turn.

    Google counts the index before the move, and ignores a move to the sheet's own index or the
    next: https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/sheets
    Each move here comes from further right. So once all are made, making them again does nothing.
    """
    sheets = []
    for place, (kind, about) in enumerate(parts):
        given = about.get("properties")
        if kind != "updateSheetProperties" or about.get("fields") != "index":
            return False
        if not isinstance(given, dict) or given.keys() != {"sheetId", "index"}:
            return False
        if type(given["index"]) is not int or given["index"] != place:
            return False
        sheets.append(str(given["sheetId"]))
    return len(set(sheets)) == len(sheets)
