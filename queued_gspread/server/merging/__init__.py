"""Merge several requests into one, and split its answer: pure functions over data.

    part(request)                 what a request adds to a merged one; None if it must be sent alone
    Group(part, table).add(part)  whether one more fits
    merge(parts)                  the one request
    split(parts, answer)          each caller's own answer
    cuts(parts, message)          which parts go on together after a refusal
    named(parts, message)         the part that the refusal names
    as_alone(exchange)            one caller's own version of an error that all of them share

=============================================  ==========================================
requests to one spreadsheet, with equal options  become
=============================================  ==========================================
identical GETs                                 one GET
``values.get``, ``values:batchGet``            ``values:batchGet``
``values.update``, ``values:batchUpdate``      ``values:batchUpdate``, no cell written twice
``values:clear``, ``values:batchClear``        ``values:batchClear``
``values.append`` of full rows                 ``values.append``; see :mod:`.appends`
``spreadsheets:batchUpdate``                   ``spreadsheets:batchUpdate``, in order
those of upserts                               the same; see :mod:`.upserts`
=============================================  ==========================================

The Sheets API applies a batch whole or not at all:
https://developers.google.com/workspace/sheets/api/guides/batch
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Final, Protocol

from queued_gspread.server.policy.request import CREDENTIALS
from queued_gspread.server.policy.upsert_requests import UpsertRequest, is_append

from . import appends, batches, clears, gets, updates, upserts
from .answers import as_alone, each_as_alone, json_answered, own_answer
from .appends import Table
from .group import Group
from .part import (
    READS,
    Mergeable,
    MergeKind,
    is_plain,
    name_of,
    same_on_the_wire,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.server.policy.request import Request

    from .part import Json

__all__ = [
    "Group",
    "MergeKind",
    "Mergeable",
    "Table",
    "as_alone",
    "cuts",
    "each_as_alone",
    "merge",
    "name_of",
    "named",
    "part",
    "split",
    "table_after",
]


class _Way(Protocol):
    """The functions of each module of this package, for its kind of request."""

    def part(self, asked: Any, /) -> Mergeable | None: ...

    def request(self, parts: Sequence[Mergeable], /) -> Request: ...

    def split(self, parts: Sequence[Mergeable], body: Json, /) -> list[Json] | None: ...


_WAYS: Final[dict[MergeKind, _Way]] = {
    MergeKind.GET: gets,
    MergeKind.UPDATE: updates,
    MergeKind.CLEAR: clears,
    MergeKind.APPEND: appends,
    MergeKind.BATCH: batches,
    MergeKind.UPSERT: upserts,
}


def part(request: Request) -> Mergeable | None:
    """Return what a request adds to a merged one; None if it must be sent alone."""
    if isinstance(request, UpsertRequest):
        return upserts.part(request)
    if not is_plain(request):
        return None  # the merged request would fail for all
    kind = None if request.called is None else request.called.merge
    mergeable = None if kind is None else _WAYS[kind].part(request)
    if mergeable is not None:
        return mergeable
    if str(request.method).upper() == "GET" and request.method != CREDENTIALS:
        return Mergeable(MergeKind.IDENTICAL, request, "")
    return None


def merge(parts: Sequence[Mergeable]) -> Request:
    """Return the one request for all parts."""
    first = parts[0].request
    is_one = len(parts) == 1 or (
        parts[0].kind in READS and all(same_on_the_wire(first, one.request) for one in parts[1:])
    )
    if is_one:
        return first
    return _WAYS[parts[0].kind].request(parts)


def split(parts: Sequence[Mergeable], answer: Any) -> list[Any] | None:
    """Return each caller's own answer; None if the shared answer is not of the expected form."""
    if merge(parts) is parts[0].request and not is_append(parts[0].request):
        return [answer] * len(parts)
    body = json_answered(answer)
    bodies = None if body is None else _WAYS[parts[0].kind].split(parts, body)
    if bodies is None:
        return None
    return [own_answer(answer, one.request, own) for one, own in zip(parts, bodies, strict=True)]


def table_after(parts: Sequence[Mergeable], answer: Any, before: Table | None) -> Table | None:
    """Return the table that an append left for the next one; see :func:`.appends.table_after`."""
    body = json_answered(answer) if parts[0].kind is MergeKind.APPEND else None
    return None if body is None else appends.table_after(parts, body, before)


def cuts(parts: Sequence[Mergeable], message: str) -> list[list[int]]:
    """Return the places of the parts that go on together after Google has refused all of them.

    Halves; or, if the refusal names a part: the parts before it, that part, and the parts after it.
    The order is kept, since a later change may build on an earlier one.
    """
    bad = named(parts, message)
    ends = [len(parts) // 2] if bad is None else [bad, bad + 1]
    bounds = [0, *ends, len(parts)]
    places = range(len(parts))
    pieces = [list(places[start:end]) for start, end in pairwise(bounds)]
    return [piece for piece in pieces if piece]


# The forms in which Google names an item, always at the start of a message. The rest may be a
# caller's text with anything in it.
_NAMES_ITEM: Final = re.compile(
    r"Invalid (?:|value at '|JSON payload received\. Unknown name \"\w{1,80}\" at ')"
    r"(data|requests)\[([0-9]{1,6})\](?=[.:\['])"
)
_LISTS: Final = {MergeKind.UPDATE: "data", MergeKind.BATCH: "requests"}
_NAMES_RANGE: Final = "Unable to parse range: "


def named(parts: Sequence[Mergeable], message: str) -> int | None:
    """Return the place of the part that a refusal's message names; None if it names none."""
    item = _NAMES_ITEM.match(message)
    if item is not None:
        if item[1] != _LISTS.get(parts[0].kind):
            return None
        ends = list(accumulate(len(one.items) for one in parts))
        place = bisect_right(ends, int(item[2]))
        return place if place < len(parts) else None
    if not message.startswith(_NAMES_RANGE):
        return None
    text = message[len(_NAMES_RANGE) :]
    return next((place for place, one in enumerate(parts) if text in one.items), None)
