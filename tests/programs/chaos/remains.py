"""What is left at the end of a run, as data: in the spreadsheets, the ledger and Redis."""

from __future__ import annotations

import re

from queued_gspread.broker import FORMAT

from .checker import Book
from .places import CELLS, INSERTS, ROWS, first_column, row_of
from .plan import BOOKS

_OWN = (ROWS, INSERTS, CELLS)
_COUNTER = re.compile(rf"spreadsheets/([^/]+)/values/'?{CELLS}'?!A(\d+)$")


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
        )
        books |= {f"{title}/{name}": Book(first_column(sheets[name])) for name in added}
    return books


def copies_of(direct):
    """Return the titles of all files that were added, with their rows."""
    copies = [book for book in direct.openall() if book.title not in BOOKS]
    return [(book.title, first_column(book.worksheet(ROWS))) for book in copies]


def counted_of(ledger, keys, clients):
    """Return the counters that were written, in the order in which they were applied."""
    titles = {key: title for title, key in keys.items()}
    names = {row_of(name): name for name in clients}
    found = []
    for served in sorted((s for s in ledger if s.applied), key=lambda s: s.applied_at):
        match = _COUNTER.search(served.path) if served.method == "PUT" else None
        if match:
            number = int(served.body["values"][0][0])
            found.append((titles[match[1]], names[int(match[2])], number))
    return found


def keys_of(raw, namespace):
    """Return the keys that are left, with the seconds until each expires, or None."""
    keys = raw.keys(f"*{{{namespace}}}:*")
    expiries = {key.split("}:")[1].removeprefix(f"{FORMAT}:"): raw.ttl(key) for key in keys}
    return {key: None if expiry < 0 else expiry for key, expiry in expiries.items()}


def _counters(sheet, clients):
    numbers = sheet.col_values(1)
    filled = {name: numbers[row_of(name) - 1 : row_of(name)] for name in clients}
    return {name: int(found[0] or 0) for name, found in filled.items() if found}
