"""What an upsert writes, and what upserts write that share their requests. Pure.

    resolved(header, rows, key)        rows by column, with what their keys compare by
    rows_by_key(columns, head)         where each key stands in the sheet
    plan(rows, present, existing)      what becomes of each row
    fold_updates(each call's updates)  the cells that several calls write, the later ones winning
    fold_appends(each call's rows)     the rows that several calls append, each key once

Columns count from 0, and rows of the sheet from 1.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from queued_gspread.errors import KeyExistsError, UpsertError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "Appending",
    "Book",
    "Fate",
    "Plan",
    "Row",
    "fold_appends",
    "fold_updates",
    "key_columns",
    "plan",
    "refused",
    "resolved",
    "rows_by_key",
]

Key = tuple[tuple[str, Any], ...]
"""What keys compare by: for each key column the kind of the value, and the value."""

Cells = dict[int, Any]
"""Values by column."""

_MOST_NAMED: Final = 5
# What Google lets a cell have. A longer text that a later call replaces would not even be sent, and
# its caller would not be told.
_LONGEST: Final = 50_000
# Beyond it numbers that differ are one to Google, so rows of different keys would be one.
_LARGEST: Final = 2**53


class Book(NamedTuple):
    """The table in a worksheet that an upsert is for.

    Attributes:
        base: Scheme, host and path of the spreadsheet.
        title: The worksheet's title.
        head: The number of the header row.
        key: The headers of the key columns.
        value_input_option: How values are entered.

    """

    base: str
    title: str
    head: int
    key: tuple[str, ...]
    value_input_option: str


class Row(NamedTuple):
    """A row of a call, by the columns of the sheet.

    Attributes:
        name: Its key as it was given: a tuple if there are several key columns.
        key: What the key compares by.
        key_cells: The values of the key columns.
        cells: The values of other columns; None leaves a cell as it is.

    """

    name: Any
    key: Key
    key_cells: Cells
    cells: Cells


class Plan(NamedTuple):
    """What becomes of a call's rows.

    Attributes:
        places: For each row a word and, if the sheet has it, its number: ``updated``, ``kept`` or
            ``new``.
        updates: The cells to write, by row.
        new: The rows that the sheet does not have.
        ambiguous: The keys that the sheet has more than once.

    """

    places: list[tuple[str, int]]
    updates: dict[int, Cells]
    new: list[Row]
    ambiguous: list[Any]


class Appending(NamedTuple):
    """What a call wants of an append.

    Attributes:
        existing: What is to happen to rows that are there.
        new: The rows that the sheet did not have when it was read.

    """

    existing: str
    new: Sequence[Row]


class Fate(NamedTuple):
    """What becomes of a call in an append of several.

    Attributes:
        places: For each of its new rows a word and its place among the appended ones.
        clashes: The keys for which it is not made, since an earlier call brings them, each with
            its place.
        total: How many rows it and the calls before it append.

    """

    places: list[tuple[str, int]]
    clashes: list[tuple[Any, int]]
    total: int


def shown(value: object) -> str:
    """Return a header as it is compared: numbers and booleans as Google shows them plainly."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def key_columns(header: Sequence[Any], book: Book) -> list[int]:
    """Return the key columns; raise :class:`UpsertError` unless the header can be used."""
    names = [shown(name) for name in header]
    where = f"row {book.head} of {book.title!r}"
    if not names or not names[0]:
        raise UpsertError(
            f"{where} must be the header row, with a header in column A: write it, or give its "
            "number as head="
        )
    unique = _unique(names)
    for name in book.key:
        if name not in unique:
            how = "is there more than once among" if name in names else "is not among"
            raise UpsertError(f"key={name!r} {how} the headers in {where}: {_listed(names)}")
    return [unique[name] for name in book.key]


def _unique(names: Sequence[str]) -> dict[str, int]:
    """Return the places of the headers that are there once."""
    counts = Counter(names)
    return {name: place for place, name in enumerate(names) if name and counts[name] == 1}


def resolved(header: Sequence[Any], rows: Sequence[Any], book: Book, existing: str) -> list[Row]:
    """Return the rows that count, by column, in the order of ``rows``.

    Of rows with one key the last one counts for ``update`` and the first one for ``keep``.

    Raises:
        UpsertError: A row does not fit the header or has no key; or a key is there twice, and
            ``existing`` is ``fail``.

    """
    keys = key_columns(header, book)
    names = [shown(name) for name in header]
    unique = _unique(names)
    found: dict[Key, Row] = {}
    for number, given in enumerate(rows):
        what = f"rows[{number}]"
        row = _row(what, _by_column(what, given, names, unique, book), keys, book)
        if existing == "fail" and row.key in found:
            raise UpsertError(
                f"rows[{number}] has the key {row.name!r} as an earlier one: with "
                'existing="fail" each key may be there once'
            )
        if existing != "keep":
            found.pop(row.key, None)  # the last one counts, at its own place
        found.setdefault(row.key, row)
    return [*found.values()]


def _by_column(
    what: str, given: Any, names: Sequence[str], unique: Mapping[str, int], book: Book
) -> Cells:
    if isinstance(given, list | tuple):
        if len(given) > len(names):
            raise UpsertError(
                f"{what} has {len(given)} values for the {len(names)} headers in row {book.head} "
                f"of {book.title!r}: {_listed(names)}"
            )
        return dict(enumerate(given))
    if not isinstance(given, dict):
        raise UpsertError(f"{what} is a {type(given).__name__}, not a dict by header, nor a list")
    wrong = [name for name in given if name not in unique]
    if wrong:
        raise UpsertError(
            f"{what} names {_listed(wrong)}, and row {book.head} of {book.title!r} does not have "
            f"each of these headers once: {_listed(names)}"
        )
    return {unique[name]: value for name, value in given.items()}


def _row(what: str, cells: Cells, keys: Sequence[int], book: Book) -> Row:
    for name, value in zip(book.key, map(cells.get, keys), strict=True):
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise UpsertError(
                f"{what} has {value!r:.50} for the key {name!r}: a cell does not keep all digits "
                "of so large a number; have them as text, in the sheet too"
            )
    for value in cells.values():
        if not _is_plain(value):
            raise UpsertError(f"{what} has a value that no cell can have: {value!r:.100}")
        if isinstance(value, str) and len(value) > _LONGEST:
            raise UpsertError(
                f"{what} has a text of {len(value)} characters: a cell can have {_LONGEST}"
            )
    key_cells = {column: cells.pop(column, None) for column in keys}
    parts = [_part(value) for value in key_cells.values()]
    for name, part in zip(book.key, parts, strict=True):
        if part is None:
            raise UpsertError(f"{what} has no value for the key {name!r}: a key cannot be blank")
    values = (*key_cells.values(),)
    if book.value_input_option != "RAW":
        key_cells = {column: _entered(value) for column, value in key_cells.items()}
    return Row(
        values if len(keys) > 1 else values[0],
        tuple(part for part in parts if part is not None),
        key_cells,
        cells,
    )


def _is_plain(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) <= sys.float_info.max
    return value is None or isinstance(value, str)


def _entered(value: Any) -> Any:
    """Return a key so that Google enters it as it is: a text must not become a number or a date."""
    return f"'{value}" if isinstance(value, str) else value


def _part(value: Any) -> tuple[str, Any] | None:
    """Return what a value of a key compares by; None if it is blank."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, str):
        return "text", value
    return "number", float(value)


def rows_by_key(columns: Sequence[Sequence[Any]], head: int) -> dict[Key, list[int]]:
    """Return the rows of each key of the sheet.

    Args:
        columns: The values of each key column, from the header row down.
        head: The number of the header row.

    """
    found: dict[Key, list[int]] = {}
    for number, values in enumerate(zip(*(column[1:] for column in columns), strict=False)):
        parts = [_part(value) for value in values]
        if None not in parts:
            key = tuple(part for part in parts if part is not None)
            found.setdefault(key, []).append(head + 1 + number)
    return found


def plan(rows: Sequence[Row], present: Mapping[Key, Sequence[int]], existing: str) -> Plan:
    """Return what becomes of a call's rows.

    Raises:
        KeyExistsError: ``existing`` is ``fail``, and the sheet has some of the keys.

    """
    there = [(row, present[row.key]) for row in rows if row.key in present]
    if existing == "fail" and there:
        raise refused([(row.name, numbers[0]) for row, numbers in there])
    word = {"update": "updated", "keep": "kept", "fail": ""}[existing]
    places = [(word, present[row.key][0]) if row.key in present else ("new", 0) for row in rows]
    written = {numbers[0]: _written(row.cells) for row, numbers in there}
    updates = {number: cells for number, cells in written.items() if cells}
    ambiguous = [row.name for row, numbers in there if len(numbers) > 1]
    new = [row for row in rows if row.key not in present]
    return Plan(places, updates if existing == "update" else {}, new, ambiguous)


def refused(there: Sequence[tuple[Any, int]]) -> KeyExistsError:
    """Return the error for keys that are there, each with its row."""
    named = ", ".join(f"{name!r} in row {number}" for name, number in there[:_MOST_NAMED])
    more = f" and {len(there) - _MOST_NAMED} more" if len(there) > _MOST_NAMED else ""
    return KeyExistsError(
        f'existing="fail", and the sheet already has {named}{more}: nothing was written'
    )


def _written(cells: Cells) -> Cells:
    return {column: value for column, value in cells.items() if value is not None}


def fold_updates(updates: Iterable[Mapping[int, Cells]]) -> dict[int, Cells]:
    """Return the cells of several calls' updates by row; the later call wins."""
    folded: dict[int, Cells] = {}
    for one in updates:
        for number, cells in one.items():
            folded.setdefault(number, {}).update(cells)
    return folded


def fold_appends(calls: Sequence[Appending]) -> tuple[list[Cells], list[Fate]]:
    """Return the rows to append, and what becomes of each call.

    A call with ``existing="fail"`` is not made if an earlier one brings any of its keys.
    """
    rows: dict[Key, tuple[int, Cells]] = {}
    fates = []
    for existing, new in calls:
        there = [row for row in new if row.key in rows] if existing == "fail" else []
        places = [] if there else [_brought(row, rows, existing) for row in new]
        clashes = [(row.name, rows[row.key][0]) for row in there]
        fates.append(Fate(places, clashes, len(rows)))
    return [cells for _, cells in rows.values()], fates


def _brought(row: Row, rows: dict[Key, tuple[int, Cells]], existing: str) -> tuple[str, int]:
    """Add a new row to those that are appended, or change the one with its key."""
    if row.key not in rows:
        rows[row.key] = len(rows), {**row.cells, **row.key_cells}
        return "appended", len(rows) - 1
    place, cells = rows[row.key]
    if existing == "update":
        cells.update(_written(row.cells))
        return "updated", place
    return "kept", place


def _listed(names: Iterable[Any]) -> str:
    return ", ".join(repr(name) for name in names)
