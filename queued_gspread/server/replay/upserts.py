"""The one call that is not gspread's: change rows by their keys, and append those not there.

It is replayed like gspread's methods. A call that another server has left begins anew, with a
read: as long as it has appended nothing, to write the same cells once more changes nothing. What an
append has made of a call is in its answer, whole, so that one in a journal needs no read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from gspread.exceptions import APIError
from gspread.urls import SPREADSHEET_URL

from queued_gspread.errors import KeyExistsError, UpsertError
from queued_gspread.google_api.responses import object_in
from queued_gspread.server.policy.rectangles import check
from queued_gspread.server.policy.upsert_requests import (
    Append,
    Found,
    append_request,
    found_in,
    read_request,
    result,
    update_request,
)
from queued_gspread.server.policy.upserts import (
    Appending,
    Book,
    fold_appends,
    key_columns,
    plan,
    resolved,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import gspread

    from queued_gspread.server.policy.request import Request

__all__ = ["upsert_rows"]

_MOST_READS: Final = 4
_BAD_REQUEST: Final = 400


class Replaying(Protocol):
    """What an upsert needs of :class:`.advance.ReplayClient`."""

    @property
    def begins_with_append(self) -> bool: ...

    def recorded(self) -> Any: ...

    def ask(self, asked: Request) -> Any: ...


def upsert_rows(
    sheet: gspread.Worksheet,
    rows: Sequence[Any],
    *,
    key: Sequence[str],
    existing: str,
    head: int,
    value_input_option: str,
    columns: Sequence[int],
) -> dict[str, Any]:
    """Make the call; see :func:`queued_gspread.upsert_rows`.

    Args:
        sheet: The worksheet.
        rows: Dicts by header, or lists.
        key: The headers of the key columns.
        existing: What is to happen to rows that are there: ``update``, ``keep`` or ``fail``.
        head: The number of the header row.
        value_input_option: How values are entered.
        columns: Where the key columns are expected, from 0.

    """
    if len(columns) != len(key):
        raise UpsertError(f"{len(columns)} columns cannot be those of {len(key)} keys")
    http = cast("Replaying", sheet.client)
    base = SPREADSHEET_URL % sheet.spreadsheet_id
    book = Book(base, sheet.title, head, tuple(key), value_input_option)
    if http.begins_with_append:
        return _appended(sheet, http.recorded())
    found, places = _read(http, book, columns)
    planned = plan(resolved(found.header, rows, book, existing), found.rows, existing)
    # The append has blanks where a row has no values.
    check(len(planned.new), len(found.header))
    if planned.updates:
        http.ask(update_request(book, planned.updates))
    if not planned.new:
        return result(planned.places, planned.ambiguous, places)
    wanted = Appending(existing, planned.new)
    step = Append(wanted, planned.places, planned.ambiguous, places)
    return _appended(sheet, http.ask(append_request(book, fold_appends([wanted])[0], step)))


def _read(http: Replaying, book: Book, guess: Sequence[int]) -> tuple[Found, list[int]]:
    """Read the header and the key columns; return what was found, and which columns they are."""
    for _ in range(_MOST_READS):
        try:
            found = found_in(http.ask(read_request(book, guess)), book)
        except APIError as error:
            if error.code != _BAD_REQUEST or not guess:
                raise
            guess = ()  # beyond the edge of the sheet, perhaps
            continue
        columns = key_columns(found.header, book)
        if columns == [*guess]:
            return found, columns
        guess = columns
    raise UpsertError(
        f"the header of {book.title!r} was changed again and again while it was read: nothing was "
        "written. Make the call again"
    )


def _appended(sheet: gspread.Worksheet, answer: Any) -> dict[str, Any]:
    """Return the result of a call that has appended rows, and count them."""
    outcome = object_in(answer) or {}
    if "refusal" in outcome:
        raise KeyExistsError(outcome["refusal"])
    properties: Any = sheet._properties  # noqa: SLF001 - as gspread's append_rows does
    if "gridProperties" in properties:
        properties["gridProperties"]["rowCount"] += len(outcome["appended"])
    return outcome
