"""Upserts of one sheet share their requests, as if they had been made one after the other.

What they share is worked out from what each call wants, so any of them can drop out before it is
sent (:mod:`~queued_gspread.server.policy.upserts`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from queued_gspread.server.policy.upsert_requests import (
    Append,
    Read,
    Update,
    UpsertRequest,
    append_request,
    outcomes,
    read_of,
    update_request,
)
from queued_gspread.server.policy.upserts import fold_appends, fold_updates

from .part import Json, Mergeable, MergeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["part", "request", "split"]


def part(asked: UpsertRequest) -> Mergeable:
    """Return a request of an upsert as a part."""
    options = (("step", type(asked.step).__name__), ("book", asked.book))
    return Mergeable(MergeKind.UPSERT, asked, asked.book.base, options, cells=_cells(asked.step))


def _cells(step: Read | Update | Append) -> int:
    if isinstance(step, Append):
        return sum(max([*row.cells, *row.key_cells]) + 1 for row in step.wanted.new)
    return sum(map(len, step.updates.values())) if isinstance(step, Update) else 0


def request(parts: Sequence[Mergeable]) -> UpsertRequest:
    """Return the one request for all of them: the first one's own, if that does for all."""
    first = cast("UpsertRequest", parts[0].request)
    steps: list[Any] = [_step(part) for part in parts]
    if isinstance(first.step, Read):
        ranges = _ranges(steps)
        return first if ranges == first.step.ranges else read_of(first.book, ranges)
    if isinstance(first.step, Update):
        return update_request(first.book, fold_updates([step.updates for step in steps]))
    rows, _ = fold_appends([step.wanted for step in steps])
    return append_request(first.book, rows, first.step)


def _step(part: Mergeable) -> Read | Update | Append:
    return cast("UpsertRequest", part.request).step


def _ranges(steps: Sequence[Read]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for step in steps for text in step.ranges))


def split(parts: Sequence[Mergeable], body: Json) -> list[Json] | None:
    """Return each call's own answer: what it has read, or what became of its rows."""
    steps: list[Any] = [_step(part) for part in parts]
    if isinstance(steps[0], Read):
        return _reads(steps, body)
    if isinstance(steps[0], Update):
        return [{} for _ in parts]
    return outcomes(steps, body)


def _reads(steps: Sequence[Read], body: Json) -> list[Json] | None:
    answered, ranges = body.get("valueRanges"), _ranges(steps)
    if not isinstance(answered, list) or len(answered) != len(ranges):
        return None
    by_range = dict(zip(ranges, answered, strict=True))
    return [{"valueRanges": [by_range[text] for text in step.ranges]} for step in steps]
