"""Where things stand in the spreadsheets of a run."""

from __future__ import annotations

ROWS, INSERTS, CELLS, TOTALS, TYPED = "rows", "inserts", "cells", "totals", "typed"
"""The titles of the sheets: for rows that are appended, rows that are inserted, counters of one
client each, a number that all count under a lock, and one that is typed without the queue."""

TYPED_CELL = "A1"
"""The cell of that number."""

TOTAL = "A1"
"""The cell of that number, which is followed by the name of the increment that has written it."""


def number_in(text):
    """Return the number in such a cell."""
    return int((text or "0").split()[0])


def row_of(client):
    """Return the row of a client's counter; the successor of one that was killed has its own."""
    name = client.rstrip("x")
    return 1 + int(name.removeprefix("client")) * 10 + len(client) - len(name)


def cell_of(client):
    """Return the cell of a client's counter."""
    return f"A{row_of(client)}"


def first_column(sheet):
    """Return the values of a sheet's first column; '' for an empty row above others."""
    return [row[0] for row in sheet.get_all_values() if row]
