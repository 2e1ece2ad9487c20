"""Change rows by their keys, and append those that are not there; see docs/upserts.md."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from gspread import Worksheet

from queued_gspread.proxy.upserted import Upserted
from queued_gspread.proxy.upserting import upsert_rows as _upsert_rows

__all__ = ["Upserted", "upsert_rows"]


def upsert_rows(
    sheet: Worksheet,
    rows: Iterable[Any],
    *,
    key: str | Sequence[str],
    existing: Literal["update", "keep", "fail"] = "update",
    head: int = 1,
    value_input_option: str = "RAW",
) -> Upserted:
    """Change the rows of a worksheet that have the keys of ``rows``, and append the others.

    It is one call: no other call in the queue comes between its reads and its writes.

    Args:
        sheet: The worksheet.
        rows: Dicts by header, lists in the order of the header, or a ``pandas.DataFrame``. A
            column that is not named, or None, leaves the cell of an existing row as it is.
        key: The header of the column, or the headers of the columns, that tell rows apart.
        existing: What happens to rows that are there: they are changed, they are kept as they
            are, or the call fails and writes nothing.
        head: The number of the header row.
        value_input_option: ``RAW``, or ``USER_ENTERED`` for values that Google is to interpret.
            Keys never are.

    Raises:
        UpsertError: The rows or the header cannot be used; nothing was written.
        KeyExistsError: ``existing="fail"``, and some of the keys are there; nothing was written.

    """
    return _upsert_rows(
        sheet,
        rows,
        key=key,
        existing=existing,
        head=head,
        value_input_option=value_input_option,
    )
