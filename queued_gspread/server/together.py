"""Which calls of a lane may run side by side, and whose requests leave as one. Pure.

To every caller it has to look as if calls were made one at a time, in order of arrival. So calls
run together only from the head of the lane on, and only where none can tell: such as only read,
or such as send a single write each, of one kind, at places that do not overlap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import merge
from .request import CREDENTIALS, is_read
from .underway import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .merge import Table
    from .underway import Call

__all__ = [
    "MOST_BYTES",
    "MOST_CALLS",
    "READING",
    "SINGLE",
    "TESTED",
    "Together",
    "companions",
    "is_otherwise",
    "is_single",
    "may_lead",
    "name_of",
]

MOST_CALLS: Final = 500
"""How many calls run together at the most."""


def may_lead(call: Call) -> bool:
    """Tell whether others may run together with a call."""
    return _reads(call) or _writes_once(call)


class Together:
    """Calls that run together at the head of their lane.

    Args:
        calls: One or more of them.
        table: What the lane's latest append has left, if nothing else was written since.

    """

    def __init__(self, calls: Sequence[Call], table: Table | None = None) -> None:
        self._count = len(calls)
        self._size = sum(len(call.entry.body) for call in calls)
        self._ids = {call.entry.job_id for call in calls}
        self._are_reads = all(map(_reads, calls))
        # Writes that run together all are such, and leave together.
        self._departure = Departure(calls[0], table)
        self._are_writes = _writes_once(calls[0]) and all(map(self._departure.add, calls[1:]))

    def add(self, call: Call) -> bool:
        """Add one more that stands behind them, if it may run with them; tell whether it may."""
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
        if self._are_reads:
            return _reads(call)
        return self._are_writes and _writes_once(call) and self._departure.add(call)


class Departure:
    """Calls whose requests leave as one.

    Args:
        first: The first of them.
        table: See :class:`Together`.

    """

    def __init__(self, first: Call, table: Table | None = None) -> None:
        self._http_timeout = first.job.http_timeout
        self._group = None if first.part is None else merge.Group(first.part, table)

    def add(self, call: Call) -> bool:
        """Add a call, if its request fits to those of the others; tell whether it does."""
        if self._group is None or call.part is None:
            return False
        has_equal_timeout = bool(self._http_timeout == call.job.http_timeout)
        return has_equal_timeout and self._group.add(call.part)


def companions(calls: Sequence[Call], table: Table | None = None) -> list[Call]:
    """Return those calls whose requests leave together with that of the first, itself included."""
    if len(calls) == 1:
        return [*calls]  # what its request adds to a larger one is not worked out for nothing
    departure = Departure(calls[0], table)
    return [calls[0], *filter(departure.add, calls[1:])]


def is_single(call: Call) -> bool:
    """Tell whether a call sends a single request, which writes, as far as its name tells."""
    return call.is_as_listed and name_of(call) in SINGLE


def is_otherwise(call: Call) -> bool:
    """Tell whether the request that a call needs next is one that its method is not listed for."""
    if is_read(call.request):
        return name_of(call) in SINGLE
    return name_of(call) in READING or (name_of(call) in SINGLE and bool(call.exchanges))


def name_of(call: Call) -> str:
    """Return the method of a call, with the kind of object that it is of."""
    return f"{call.job.kind}.{call.job.method}"


def _reads(call: Call) -> bool:
    is_known = call.is_as_listed and name_of(call) in READING
    return is_known and is_read(call.request) and call.request.method != CREDENTIALS


def _writes_once(call: Call) -> bool:
    if not is_single(call) or not call.is_fresh or is_read(call.request):
        return False
    return call.part is not None and call.sends_once


def _names(kind: str, methods: str) -> list[str]:
    return [f"{kind}.{method}" for method in methods.split()]


TESTED: Final = ("6.2.0", "6.2.1")
"""The versions of gspread whose methods were held against the two lists that follow. With another
one no call runs together with others."""

READING: Final = frozenset(
    (
        *_names(
            "client",
            "export get_file_drive_metadata list_permissions list_spreadsheet_files open "
            "open_by_key open_by_url openall",
        ),
        *_names(
            "http_client",
            "export fetch_sheet_metadata get_file_drive_metadata list_permissions "
            "spreadsheets_get values_batch_get values_get",
        ),
        *_names(
            "spreadsheet",
            "export fetch_sheet_metadata get_lastUpdateTime get_worksheet get_worksheet_by_id "
            "list_named_ranges list_permissions list_protected_ranges named_range "
            "update_drive_metadata values_batch_get values_get worksheet worksheets",
        ),
        *_names(
            "worksheet",
            "acell batch_get cell col_values expand find findall get get_all_cells "
            "get_all_records get_all_values get_note get_notes get_values "
            "list_dimension_group_columns list_dimension_group_rows range row_values",
        ),
    )
)
"""Calls that only read, however many requests they send."""

SINGLE: Final = frozenset(
    (
        *_names(
            "http_client",
            "batch_update values_append values_batch_clear values_batch_update values_clear "
            "values_update",
        ),
        *_names(
            "spreadsheet",
            "add_worksheet batch_update del_worksheet del_worksheet_by_id duplicate_sheet "
            "update_locale update_timezone update_title values_append values_batch_clear "
            "values_batch_update values_clear values_update",
        ),
        *_names(
            "worksheet",
            "add_cols add_dimension_group_columns add_dimension_group_rows add_protected_range "
            "add_rows add_validation append_row append_rows batch_clear batch_format batch_merge "
            "batch_update clear clear_basic_filter clear_note clear_notes clear_tab_color "
            "columns_auto_resize copy_range cut_range define_named_range delete_columns "
            "delete_dimension delete_dimension_group_columns delete_dimension_group_rows "
            "delete_named_range delete_protected_range delete_rows duplicate format freeze hide "
            "hide_columns hide_gridlines hide_rows insert_note insert_notes merge_cells resize "
            "rows_auto_resize set_basic_filter show show_gridlines sort unhide_columns "
            "unhide_rows unmerge_cells update update_acell update_cell update_cells update_index "
            "update_note update_notes update_tab_color update_title",
        ),
    )
)
"""Calls that send a single request, which writes."""
