"""Whether a batch of requests, a ``spreadsheets:batchUpdate``, is idempotent.

The rules of each kind of request are in :mod:`queued_gspread.google_api.batch_requests`.
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
    """Tell whether a batch may be retried when nobody knows whether it was applied."""
    parts = _parts(body)
    if not parts:
        return False
    if len(parts) == 1:
        return bool(_commutes(*parts[0]))
    return bool(_shared(parts)) or _puts_in_order(parts)


def commutes_of(items: Sequence[Json]) -> set[Commutes]:
    """Return with which others the requests of a batch may stand in a larger idempotent one.

    Args:
        items: One or more requests, each an object with one name.

    """
    parts = _parts({"requests": items})
    return _shared(parts) if parts else set()


def _shared(parts: Sequence[tuple[str, Json]]) -> set[Commutes]:
    return set.intersection(*(_commutes(kind, about) for kind, about in parts)) - {Commutes.ALONE}


def _parts(body: Json | None) -> list[tuple[str, Json]]:
    """Return kind and content of the requests in a batch; nothing if one cannot be read."""
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
    """Tell whether a request is within the terms of a rule."""
    if rule.inside is not None:
        name, known = rule.inside
        if not isinstance(about.get(name), dict) or not about[name].keys() <= known:
            return False
    return rule.fields is None or _is_within(about.get("fields"), rule.fields)


def _is_within(mask: Any, allowed: frozenset[str]) -> bool:
    """Tell whether a field mask names nothing but what is allowed."""
    if not isinstance(mask, str):
        return False
    # gspread writes both userEnteredFormat(bold) and gridProperties/rowCount.
    paths = re.sub(r"\([^()]*\)", "", mask).replace("/", ".").split(",")
    return all(
        any(path == name or path.startswith(name + ".") for name in allowed)
        for path in map(str.strip, paths)
    )


def _puts_in_order(parts: list[tuple[str, Json]]) -> bool:
    """Tell whether a batch puts distinct sheets at 0, 1, 2 … in turn.

    An index is counted before the move; the own one or the next is ignored:
    https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/sheets
    Each of these moves comes from further right, so that once all are made none does anything.
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
