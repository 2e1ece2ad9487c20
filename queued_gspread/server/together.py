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
    "companions",
    "may_lead",
    "may_run_with",
]

MOST_CALLS: Final = 500
"""How many calls run together at the most."""


def may_lead(call: Call) -> bool:
    """Tell whether others may run together with a call."""
    return _reads(call) or _writes_once(call)


def may_run_with(calls: Sequence[Call], another: Call, table: Table | None) -> bool:
    """Tell whether one more call may run together with those at the head of its lane.

    Args:
        calls: One or more that run together already.
        another: The one that stands behind them.
        table: What the lane's latest append has left, if nothing else was written since.

    """
    if len(calls) >= MOST_CALLS:
        return False
    if sum(len(call.entry.body) for call in (*calls, another)) > MOST_BYTES:
        return False
    if any(call.entry.job_id == another.entry.job_id for call in calls):
        return False  # a copy of a job is not made, once the job has been answered
    if all(map(_reads, calls)):
        return _reads(another)
    # Writes that run together all are such, and fit together.
    if not (_writes_once(calls[0]) and _writes_once(another)):
        return False
    return _leaves_with(calls, another, table)


def companions(calls: Sequence[Call], table: Table | None = None) -> list[Call]:
    """Return those calls whose requests leave together with that of the first, itself included."""
    together = [calls[0]]
    for call in calls[1:]:
        if _leaves_with(together, call, table):
            together.append(call)
    return together


def _leaves_with(calls: Sequence[Call], another: Call, table: Table | None) -> bool:
    """Tell whether one more request fits to those that already leave together."""
    parts = [part for call in calls if (part := call.part) is not None]
    if len(parts) < len(calls) or another.part is None:
        return False
    has_equal_timeout = calls[0].job.http_timeout == another.job.http_timeout
    return bool(has_equal_timeout) and merge.joins(parts, another.part, table)


def _reads(call: Call) -> bool:
    is_known = f"{call.job.kind}.{call.job.method}" in READING
    return is_known and is_read(call.request) and call.request.method != CREDENTIALS


def _writes_once(call: Call) -> bool:
    if f"{call.job.kind}.{call.job.method}" not in SINGLE or not call.is_fresh:
        return False
    return not is_read(call.request) and call.part is not None


def _names(kind: str, methods: str) -> list[str]:
    return [f"{kind}.{method}" for method in methods.split()]


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
