"""Changes of structure: the requests of several ``spreadsheets:batchUpdate`` in one, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.server.policy.batch_idempotency import commutes_of
from queued_gspread.server.policy.request import Request

from .part import Json, Mergeable, MergeKind, batch_path, params_of, split_by_part

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Capacity", "part", "request", "split"]


def part(asked: Request) -> Mergeable | None:
    """Return a batch as a part; None if it is something else, or asks for more than replies."""
    base, body = batch_path(asked, ":batchUpdate"), asked.json
    if base is None or str(asked.method).upper() != "POST" or params_of(asked) != {}:
        return None
    if not isinstance(body, dict) or body.keys() != {"requests"}:
        return None
    items = body["requests"]
    if not isinstance(items, list) or not items:
        return None
    if not all(isinstance(item, dict) and len(item) == 1 for item in items):
        return None
    return Mergeable(MergeKind.BATCH, asked, base, items=tuple(items))


def request(parts: Sequence[Mergeable]) -> Request:
    """Return the one request for all of them."""
    items = [item for part in parts for item in part.items]
    return Request("post", f"{parts[0].base}:batchUpdate", json={"requests": items})


class Capacity:
    """A request that is idempotent alone must stay so in the batch, whichever calls drop out.

    One that is not idempotent alone is never retried, so any other such request may join it.

    Args:
        first: The first part of the batch.

    """

    def __init__(self, first: Mergeable) -> None:
        self._commutes = commutes_of(first.items) if first.is_idempotent else set()

    def add(self, part: Mergeable) -> bool:
        """Add one more if the batch stays idempotent, or if none of its parts is idempotent."""
        if not part.is_idempotent:
            return True
        shared = self._commutes & commutes_of(part.items)
        self._commutes = shared or self._commutes
        return bool(shared)


def split(parts: Sequence[Mergeable], body: Json) -> list[Json] | None:
    """Return each part's answer."""
    replies = split_by_part(parts, body.get("replies"))
    return None if replies is None else [{**body, "replies": own} for own in replies]
