"""The requests of upserts: each knows what it is for, so that several can share one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote
from weakref import WeakKeyDictionary

from gspread.utils import absolute_range_name, rowcol_to_a1

from queued_gspread.google_api.responses import object_in

from .request import Request
from .upserts import Book, fold_appends, refused, rows_by_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .upserts import Appending, Cells, Fate

__all__ = [
    "Append",
    "Found",
    "Read",
    "Update",
    "UpsertRequest",
    "append_request",
    "found_in",
    "is_append",
    "outcomes",
    "read_of",
    "read_request",
    "result",
    "update_request",
]

_READ: Final = {
    "majorDimension": "COLUMNS",
    "valueRenderOption": "UNFORMATTED_VALUE",
    # What is shown of a date; a serial number would be a number.
    "dateTimeRenderOption": "FORMATTED_STRING",
}


class Read(NamedTuple):
    """What a call reads: the header row, and columns from there down."""

    ranges: tuple[str, ...]


class Update(NamedTuple):
    """What a call writes into rows that are there."""

    updates: Mapping[int, Cells]


class Append(NamedTuple):
    """What a call appends, and what else its result needs.

    Attributes:
        wanted: Its new rows.
        places: See :class:`.upserts.Plan`.
        ambiguous: The same.
        columns: The key columns.

    """

    wanted: Appending
    places: Sequence[tuple[str, int]]
    ambiguous: Sequence[Any]
    columns: Sequence[int]


@dataclass(frozen=True, eq=True)
class UpsertRequest(Request):
    """A request of an upsert.

    Attributes:
        book: The table that it is for.
        step: What this call wants of it.

    """

    book: Book = field(default=Book("", "", 0, (), ""), compare=False)
    step: Read | Update | Append = field(default=Read(()), compare=False)


def is_append(request: Request) -> bool:
    """Return whether a request is the append of an upsert."""
    return isinstance(request, UpsertRequest) and isinstance(request.step, Append)


class Found(NamedTuple):
    """What a read has found: the header, and the rows of each key."""

    header: list[Any]
    rows: dict[Any, list[int]]


def read_request(book: Book, columns: Sequence[int]) -> UpsertRequest:
    """Return the read of the header row and of columns from there down."""
    letters = [_letters(column) for column in columns]
    cells = [f"{book.head}:{book.head}", *(f"{name}{book.head}:{name}" for name in letters)]
    return read_of(book, tuple(absolute_range_name(book.title, each) for each in cells))


def read_of(book: Book, ranges: tuple[str, ...]) -> UpsertRequest:
    """Return the read of these ranges."""
    params = {**_READ, "ranges": list(ranges)}
    url = f"{book.base}/values:batchGet"
    return UpsertRequest("get", url, params, book=book, step=Read(ranges))


def found_in(answer: Any, book: Book) -> Found:
    """Return what a read has found; calls that share an answer share the work too."""
    known = _found.get(answer)
    if known is None:
        ranges = [each.get("values", []) for each in (object_in(answer) or {})["valueRanges"]]
        header = [column[0] if column else "" for column in ranges[0]]
        columns = [values[0] if values else [] for values in ranges[1:]]
        known = _found[answer] = Found(header, rows_by_key(columns, book.head))
    return known


_found: WeakKeyDictionary[Any, Found] = WeakKeyDictionary()


def update_request(book: Book, updates: Mapping[int, Cells]) -> UpsertRequest:
    """Return the write of cells into rows that are there."""
    data = [
        {"range": absolute_range_name(book.title, f"{_letters(run[0])}{row}"), "values": [values]}
        for row, cells in updates.items()
        for run, values in _runs(cells)
    ]
    body = {"valueInputOption": book.value_input_option, "data": data}
    url = f"{book.base}/values:batchUpdate"
    return UpsertRequest("post", url, json=body, book=book, step=Update(updates))


def append_request(book: Book, rows: Sequence[Cells], step: Append) -> UpsertRequest:
    """Return the append of rows to the table that the header begins.

    Rows are inserted, since what stands below the table would be overwritten otherwise.
    """
    cells = absolute_range_name(book.title, f"A{book.head}")
    params = {"valueInputOption": book.value_input_option, "insertDataOption": "INSERT_ROWS"}
    values = [[row.get(column) for column in range(max(row) + 1)] for row in rows]
    url = f"{book.base}/values/{quote(cells)}:append"
    return UpsertRequest("post", url, params, json={"values": values}, book=book, step=step)


def outcomes(steps: Sequence[Append], answer: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the result of each call that an append was for; None if its answer is unreadable.

    A call that is not made has its ``refusal`` as text. Rows are numbered as if the calls had been
    made one after the other.
    """
    rows, fates = fold_appends([step.wanted for step in steps])
    written = range_written(answer)
    if written is None or len(written) != len(rows):
        return None
    return [_outcome(step, fate, written) for step, fate in zip(steps, fates, strict=True)]


def result(
    places: Iterable[tuple[str, int]], ambiguous: Sequence[Any], columns: Sequence[int]
) -> dict[str, Any]:
    """Return a call's result; the client keeps the columns for its next call."""
    found: dict[str, Any] = {"updated": [], "appended": [], "kept": []}
    for word, number in places:
        found[word].append(number)
    return {**found, "ambiguous": [*ambiguous], "columns": [*columns]}


def _outcome(step: Append, fate: Fate, written: range) -> dict[str, Any]:
    if fate.clashes:
        return {"refusal": str(refused([(name, written[place]) for name, place in fate.clashes]))}
    brought = iter(fate.places)
    places = []
    for word, number in step.places:
        if word == "new":
            became, place = next(brought)
            places.append((became, written[place]))
        else:
            places.append((word, number + (fate.total if number >= written.start else 0)))
    return result(places, step.ambiguous, step.columns)


def range_written(answer: Mapping[str, Any]) -> range | None:
    """Return the rows that an append has written; None if the answer does not say."""
    updates = answer.get("updates")
    text = updates.get("updatedRange") if isinstance(updates, dict) else None
    match = _ROWS.search(text) if isinstance(text, str) else None
    return None if match is None else range(int(match[1]), int(match[2] or match[1]) + 1)


_ROWS: Final = re.compile(r"![A-Z]+([0-9]+)(?::[A-Z]+([0-9]+))?$")


def _runs(cells: Cells) -> Iterator[tuple[list[int], list[Any]]]:
    """Yield columns that lie side by side, with their values."""
    for _, run in groupby(enumerate(sorted(cells)), lambda pair: pair[1] - pair[0]):
        columns = [column for _, column in run]
        yield columns, [cells[column] for column in columns]


def _letters(column: int) -> str:
    return rowcol_to_a1(1, column + 1)[:-1]
