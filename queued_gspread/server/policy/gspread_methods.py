"""What gspread's own methods send, judged by their names."""

from __future__ import annotations

from typing import Final

from queued_gspread.protocol.read_only import READ_ONLY_METHODS, names

__all__ = ["READ_ONLY_METHODS", "SINGLE_WRITE_METHODS", "TESTED_VERSIONS"]


TESTED_VERSIONS: Final = ("6.2.0", "6.2.1")
"""The gspread versions whose methods were checked against the two lists. With any other
version, no call runs together with others."""

SINGLE_WRITE_METHODS: Final = frozenset(
    (
        *names(
            "http_client",
            "batch_update values_append values_batch_clear values_batch_update values_clear "
            "values_update",
        ),
        *names(
            "spreadsheet",
            "add_worksheet batch_update del_worksheet del_worksheet_by_id duplicate_sheet "
            "update_locale update_timezone update_title values_append values_batch_clear "
            "values_batch_update values_clear values_update",
        ),
        *names(
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
"""Calls that send a single request, a write."""
