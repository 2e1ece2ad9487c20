"""What is left at the end of a run, as data: in the spreadsheets, the ledger and Redis."""

from __future__ import annotations

import re
from http import HTTPStatus

from queued_gspread.broker import FORMAT

from .checker import Book
from .lending import SHOWN
from .places import (
    CELLS,
    INSERTS,
    ROWS,
    TOTAL,
    TOTALS,
    TYPED,
    TYPED_CELL,
    first_column,
    number_in,
    row_of,
)
from .plan import BOOKS

# What Redis says of a key that does not expire, and of one that has expired by now.
_NEVER, _GONE = -1, -2
_OWN = (ROWS, INSERTS, CELLS, TOTALS, TYPED)
_COUNTER = re.compile(rf"spreadsheets/([^/]+)/values/'?{CELLS}'?!A(\d+)$")
_TOTAL = re.compile(rf"spreadsheets/([^/]+)/values/'?{TOTALS}'?!{TOTAL}$")
_TYPED = re.compile(rf"spreadsheets/([^/]+)/values/'?{TYPED}'?!{TYPED_CELL}$")


def books_of(direct, clients):
    """Return what stands in the spreadsheets, and in each sheet that was added to one."""
    books = {}
    for title in BOOKS:
        sheets = {sheet.title: sheet for sheet in direct.open(title).worksheets()[1:]}
        added = [name for name in sheets if name not in _OWN]
        books[title] = Book(
            first_column(sheets[ROWS]),
            first_column(sheets[INSERTS]),
            _counters(sheets[CELLS], clients),
            added,
            sheets[TOTALS].acell(TOTAL).value or "",
        )
        books |= {f"{title}/{name}": Book(first_column(sheets[name])) for name in added}
    return books


def copies_of(direct):
    """Return the titles of all files that were added, with their rows."""
    copies = [book for book in direct.openall() if book.title not in (*BOOKS, SHOWN)]
    return [(book.title, first_column(book.worksheet(ROWS))) for book in copies]


def counted_of(ledger, keys, clients):
    """Return the counters that were written, in the order in which they were applied."""
    names = {row_of(name): name for name in clients}
    return [
        (title, names[int(row)], int(value))
        for title, row, value, _ in _written(ledger, keys, _COUNTER)
    ]


def totals_of(ledger, keys):
    """Return what was written to the totals, in that order: title, number and increment."""
    return [
        (title, number_in(value), value.split()[1])
        for title, value, _ in _written(ledger, keys, _TOTAL)
    ]


def typed_of(ledger, keys):
    """Return what was typed, in that order: title, number and when it was there."""
    return [(title, int(value), at) for title, value, at in _written(ledger, keys, _TYPED)]


def _written(ledger, keys, pattern):
    """Yield what was written to single cells: title, what the pattern finds, value, and when."""
    titles = {key: title for title, key in keys.items()}
    # A method that ran may have been refused: to a lender, say, that may not use a spreadsheet.
    applied = (s for s in ledger if s.applied and (s.fault or s.status < HTTPStatus.BAD_REQUEST))
    for served in sorted(applied, key=lambda s: s.applied_at):
        match = pattern.search(served.path) if served.method == "PUT" else None
        if match:
            value = served.body["values"][0][0]
            yield titles[match[1]], *match.groups()[1:], value, served.applied_at


def keys_of(raw, namespace):
    """Return the keys that are left, with the seconds until each expires, or None."""
    keys = raw.keys(f"*{{{namespace}}}:*")
    expiries = {key.split("}:")[1].removeprefix(f"{FORMAT}:"): raw.ttl(key) for key in keys}
    return {
        key: None if expiry == _NEVER else expiry
        for key, expiry in expiries.items()
        if expiry != _GONE
    }


def _counters(sheet, clients):
    numbers = sheet.col_values(1)
    filled = {name: numbers[row_of(name) - 1 : row_of(name)] for name in clients}
    return {name: int(found[0] or 0) for name, found in filled.items() if found}
