"""Clearing ranges: ``values:clear`` and ``values:batchClear`` become one ``values:batchClear``.

Ranges may overlap and may be named or open: a cell that is cleared twice is as empty as one that is
cleared once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.server.policy.request import Request

from .part import (
    Form,
    Json,
    Mergeable,
    MergeKind,
    batch_path,
    params_of,
    split_by_part,
    values_path,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["part", "request", "split"]


def part(asked: Request) -> Mergeable | None:
    """Return a clear as a part; None if it is something else."""
    if str(asked.method).upper() != "POST" or params_of(asked) != {}:
        return None
    path = values_path(asked, ":clear")
    if path is not None:
        one = Mergeable(MergeKind.CLEAR, asked, path[0], items=(path[1],), form=Form.ONE)
        return None if asked.json else one
    base, body = batch_path(asked, "/values:batchClear"), asked.json
    if base is None or not isinstance(body, dict) or body.keys() != {"ranges"}:
        return None
    ranges = body["ranges"]
    if not isinstance(ranges, list) or not ranges:
        return None
    if not all(isinstance(text, str) and text for text in ranges):
        return None
    return Mergeable(MergeKind.CLEAR, asked, base, items=tuple(ranges))


def request(parts: Sequence[Mergeable]) -> Request:
    """Return the one request for all of them."""
    ranges = [text for part in parts for text in part.items]
    return Request("post", f"{parts[0].base}/values:batchClear", json={"ranges": ranges})


def split(parts: Sequence[Mergeable], body: Json) -> list[Json] | None:
    """Return each part's answer."""
    cleared = split_by_part(parts, body.get("clearedRanges"))
    if cleared is None:
        return None
    about = {"spreadsheetId": body.get("spreadsheetId")}
    return [
        about | ({"clearedRange": own[0]} if part.form is Form.ONE else {"clearedRanges": own})
        for part, own in zip(parts, cleared, strict=True)
    ]
