"""Which of gspread's own methods only read, judged by their names."""

from __future__ import annotations

from typing import Final

__all__ = ["READ_ONLY_METHODS", "names"]


def names(kind: str, methods: str) -> list[str]:
    """Return the names of some methods of a kind of object, as jobs have them."""
    return [f"{kind}.{method}" for method in methods.split()]


READ_ONLY_METHODS: Final = frozenset(
    (
        *names(
            "client",
            "export get_file_drive_metadata list_permissions list_spreadsheet_files open "
            "open_by_key open_by_url openall",
        ),
        *names(
            "http_client",
            "export fetch_sheet_metadata get_file_drive_metadata list_permissions "
            "spreadsheets_get values_batch_get values_get",
        ),
        *names(
            "spreadsheet",
            "export fetch_sheet_metadata get_lastUpdateTime get_worksheet get_worksheet_by_id "
            "list_named_ranges list_permissions list_protected_ranges named_range "
            "update_drive_metadata values_batch_get values_get worksheet worksheets",
        ),
        *names(
            "worksheet",
            "acell batch_get cell col_values expand find findall get get_all_cells "
            "get_all_records get_all_values get_note get_notes get_values "
            "list_dimension_group_columns list_dimension_group_rows range row_values",
        ),
    )
)
"""Calls that only read, in any number of requests."""
