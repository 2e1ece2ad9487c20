"""What gspread's own methods send, judged by their names."""

from __future__ import annotations

from typing import Final

__all__ = ["READ_ONLY_METHODS", "SINGLE_WRITE_METHODS", "TESTED_VERSIONS"]


def _names(kind: str, methods: str) -> list[str]:
    return [f"{kind}.{method}" for method in methods.split()]


TESTED_VERSIONS: Final = ("6.2.0", "6.2.1")
"""The gspread versions whose methods were checked against the two lists below. With any other
version, no call runs together with others."""

READ_ONLY_METHODS: Final = frozenset(
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
"""Calls that only read, in any number of requests."""

SINGLE_WRITE_METHODS: Final = frozenset(
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
"""Calls that send a single request, a write."""
