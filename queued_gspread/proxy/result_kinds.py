"""What calls return, and what they do with ``_properties``: which need not be waited for.

A result that is not there yet must not be told from one that is. Only instances of gspread's
classes, and the answers of writes, which are dicts, can be handed out so (:mod:`.lazy`); lists,
texts and numbers are waited for, since code in C looks past any stand-in of theirs. So are calls
whose error is an answer: that there is no worksheet or spreadsheet of that name.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import gspread

from queued_gspread.protocol.kinds import CLIENT, HTTP_CLIENT, SPREADSHEET, WORKSHEET

from .upserted import Upserted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import CodeType

    from queued_gspread.protocol.kinds import ObjectKind

__all__ = ["ADDS", "LAZY", "changes_properties", "lazy_class", "reads_counts"]

LAZY: Final[Mapping[ObjectKind, Mapping[type[Any], str]]] = {
    CLIENT: {
        gspread.Spreadsheet: "copy create",
        type(None): "del_spreadsheet remove_permission",
    },
    SPREADSHEET: {
        gspread.Worksheet: "add_worksheet duplicate_sheet",
        dict: "batch_update del_worksheet del_worksheet_by_id reorder_worksheets update_locale "
        "update_timezone update_title values_append values_batch_clear values_batch_update "
        "values_clear values_update",
        type(None): "update_drive_metadata",
    },
    WORKSHEET: {
        gspread.Cell: "acell cell",
        gspread.Worksheet: "duplicate",
        dict: "add_dimension_group_columns add_dimension_group_rows add_protected_range "
        "add_validation append_row append_rows batch_clear batch_format batch_merge batch_update "
        "clear clear_basic_filter clear_tab_color columns_auto_resize copy_range copy_to cut_range "
        "define_named_range delete_columns delete_dimension delete_dimension_group_columns "
        "delete_dimension_group_rows delete_named_range delete_protected_range delete_rows format "
        "freeze hide hide_columns hide_gridlines hide_rows insert_cols insert_row insert_rows "
        "merge_cells resize rows_auto_resize set_basic_filter show show_gridlines sort "
        "unhide_columns unhide_rows unmerge_cells update update_acell update_cell update_cells "
        "update_index update_tab_color update_title",
        type(None): "add_cols add_rows clear_note clear_notes insert_note insert_notes "
        "update_note update_notes",
    },
    HTTP_CLIENT: {
        dict: "batch_update spreadsheets_sheets_copy_to values_append values_batch_clear "
        "values_batch_update values_clear values_update",
        type(None): "remove_permission",
    },
}
"""The methods whose result may come later, by the class of that result."""

_OWN: Final[Mapping[str, type[Any]]] = {"upsert_rows": Upserted}

_ADDING: Final = (
    "append_row append_rows upsert_rows insert_row insert_rows insert_cols delete_dimension"
)
ADDS: Final = frozenset([*_ADDING.split(), "delete_rows", "delete_columns"])
"""The methods of worksheets that change a count by a difference, and nothing else.

Their changes may be made in any order, and later ones while earlier ones are under way.
"""

_COUNTS: Final = {"row_count", "col_count", "column_count"}
_PROPERTIES: Final = "_properties"


@cache
def lazy_class(kind: ObjectKind, method: str) -> type[Any] | None:
    """Return the class of a method's result if it may come later, else None."""
    if method in kind.own:
        return _OWN[method]
    found = (cls for cls, names in LAZY.get(kind, {}).items() if method in names.split())
    return next(found, None)


@cache
def changes_properties(kind: ObjectKind, method: str) -> bool:
    """Return whether a method may change its object's ``_properties``: its code names them."""
    return method in kind.own or _PROPERTIES in _names(kind, method)


@cache
def reads_counts(kind: ObjectKind, method: str) -> bool:
    """Return whether a method may depend on counts in its object's ``_properties``."""
    used = _names(kind, method)
    return method not in ADDS and bool(used & {*_COUNTS, _PROPERTIES})


def _names(kind: ObjectKind, method: str) -> set[str]:
    """Return the names that a method uses, by way of other methods of its class too."""
    used, ways = set[str](), [method]
    while ways:
        # A property has no code of its own: that it is used is what matters.
        method = inspect.unwrap(getattr(kind.cls, ways.pop(), None))  # type: ignore[arg-type]
        code = getattr(method, "__code__", None)
        new = set(_names_in(code) if code is not None else ()) - used
        used |= new
        ways += new
    return used


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            yield from _names_in(constant)
