"""Which calls of a lane may run concurrently, and which requests are merged. Pure.

To every caller it must look as if calls were made one at a time, in order of arrival. So calls run
together only from the head of the lane on, and only where no caller can tell the difference: calls
that only read, or calls that send a single write each, all of one kind and at places that do not
overlap, or upserts of one sheet.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.server import merging
from queued_gspread.server.calls.call import MOST_BYTES
from queued_gspread.server.calls.promises import promise_in
from queued_gspread.server.policy.gspread_methods import READ_ONLY_METHODS, SINGLE_WRITE_METHODS
from queued_gspread.server.policy.request import CREDENTIALS, is_read
from queued_gspread.server.policy.upsert_requests import UpsertRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.broker import Entry
    from queued_gspread.server.calls.call import Call
    from queued_gspread.server.merging import Table

__all__ = [
    "MOST_BYTES",
    "MOST_CALLS",
    "ConcurrentGroup",
    "is_single",
    "may_lead",
    "mergeable_with_first",
    "shares_key",
]

MOST_CALLS: Final = 500
"""The most calls that run together."""


def may_lead(call: Call) -> bool:
    """Return whether others may run together with a call."""
    return _reads(call) or _writes_once(call) or _table_of(call) is not None


def shares_key(entry: Entry, others: Sequence[Call]) -> bool:
    """Return whether a job is under the same idempotency key and number as one of some calls."""
    promise = promise_in(entry)
    if promise is None:
        return False
    return promise.field in (other.promise.field for other in others if other.promise is not None)


class ConcurrentGroup:
    """Calls that run together at the head of their lane.

    Args:
        calls: One or more of them.
        table: The table after the lane's latest append, if nothing else was written since.

    """

    def __init__(self, calls: Sequence[Call], table: Table | None = None) -> None:
        self._count = len(calls)
        self._size = sum(len(call.entry.body) for call in calls)
        self._ids = {call.entry.job_id for call in calls}
        self._are_reads = all(map(_reads, calls))
        # Writes that run together are also merged into one request.
        self._merge_group = MergeGroup(calls[0], table)
        self._are_writes = _writes_once(calls[0]) and all(map(self._merge_group.add, calls[1:]))
        self._table = _table_of(calls[0])

    def add(self, call: Call) -> bool:
        """Add the next call, if it may run with them; return whether it may."""
        if not (self._has_room_for(call) and self._fits(call)):
            return False
        self._count += 1
        self._size += len(call.entry.body)
        self._ids.add(call.entry.job_id)
        return True

    def _has_room_for(self, call: Call) -> bool:
        if self._count >= MOST_CALLS or self._size + len(call.entry.body) > MOST_BYTES:
            return False
        return call.entry.job_id not in self._ids  # a copy of a job waits for its answer

    def _fits(self, call: Call) -> bool:
        if self._table is not None:
            return _table_of(call) == self._table
        if self._are_reads:
            return _reads(call)
        return self._are_writes and _writes_once(call) and self._merge_group.add(call)


class MergeGroup:
    """Calls whose requests are merged into one.

    Args:
        first: The first of them.
        table: See :class:`ConcurrentGroup`.

    """

    def __init__(self, first: Call, table: Table | None = None) -> None:
        self._http_timeout = first.job.http_timeout
        self._group = None if first.part is None else merging.Group(first.part, table)

    def add(self, call: Call) -> bool:
        """Add a call, if its request fits those of the others; return whether it does."""
        if self._group is None or call.part is None:
            return False
        has_equal_timeout = bool(self._http_timeout == call.job.http_timeout)
        return has_equal_timeout and self._group.add(call.part)


def mergeable_with_first(calls: Sequence[Call], table: Table | None = None) -> list[Call]:
    """Return the calls whose requests merge with the first one's, the first included."""
    merge_group = MergeGroup(calls[0], table)
    # Upserts of one key must keep their order.
    choose = takewhile if isinstance(calls[0].request, UpsertRequest) else filter
    return [calls[0], *choose(merge_group.add, calls[1:])]


def is_single(call: Call) -> bool:
    """Return whether a call sends a single request, a write, judging by its name."""
    return call.is_as_listed and call.job.name in SINGLE_WRITE_METHODS


def _reads(call: Call) -> bool:
    is_known = call.is_as_listed and call.job.name in READ_ONLY_METHODS
    return is_known and is_read(call.request) and call.request.method != CREDENTIALS


def _writes_once(call: Call) -> bool:
    if not is_single(call) or not call.is_fresh or is_read(call.request):
        return False
    return call.part is not None and call.sends_once


def _table_of(call: Call) -> tuple[Any, ...] | None:
    """Return what is equal for upserts that may share requests; None for any other call."""
    request = call.request
    if not isinstance(request, UpsertRequest) or call.is_suspect:
        return None
    return request.book, call.job.http_timeout
