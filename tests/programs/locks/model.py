"""What calls do to two spreadsheets, as a model: pure functions over what the sheets hold.

A state is a tuple of the spreadsheets and, behind them, of what is kept under idempotency keys.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["ANY", "LOST", "STEPS", "Book", "Step", "after", "failure"]

ANY = "any"
"""The result of a call that nobody waited for."""


class Step(NamedTuple):
    """One call: of which spreadsheet, what it is, with which arguments, and under which key."""

    book: int
    what: str
    args: tuple[Any, ...] = ()
    key: str = ""


class Book(NamedTuple):
    """What a spreadsheet holds: a cell that is counted in, and a table of keys and values."""

    cell: str | None = None
    rows: tuple[tuple[str, str], ...] = ()


def failure(name):
    """Return what a call has come to that has raised an error of a class of this name."""
    return ("error", name)


LOST = failure("LockLostError")
_FIRST_ROW = 2


def _write(book, value):
    return book._replace(cell=str(value)), None


def _append(book, key, value):
    rows = (*book.rows, (key, value))
    return book._replace(rows=rows), len(rows) + _FIRST_ROW - 1


def _upsert(book, existing, *pairs):
    there = [key for key, _ in book.rows]
    found = {key: there.index(key) for key, _ in pairs if key in there}
    if existing == "fail" and found:
        return book, failure("KeyExistsError")
    rows, appended = list(book.rows), []
    for key, value in pairs:
        if key not in found:
            rows.append((key, value))
            appended.append(len(rows) + _FIRST_ROW - 1)
        elif existing == "update":
            rows[found[key]] = (key, value)
    places = [place + _FIRST_ROW for place in found.values()]
    updated, kept = (places, []) if existing == "update" else ([], places)
    return book._replace(rows=tuple(rows)), (updated, appended, kept)


STEPS = {
    "cell": lambda book: (book, book.cell),
    "write": _write,
    "keys": lambda book: (book, [key for key, _ in book.rows]),
    "rows": lambda book: (book, [list(row) for row in book.rows]),
    "append": _append,
    "upsert": _upsert,
    "bad": lambda book: (book, failure("APIError")),
}
"""What each call makes of a spreadsheet, and what it returns."""


def after(state, step, result):
    """Return the state after a call that came to this, None if it cannot have."""
    if result == LOST:
        return state
    *books, kept = state
    known = {key: (call, first) for key, call, first in kept}.get(step.key)
    if known is not None:
        call, first = known
        expected = first if call == step else repr(failure("IdempotencyKeyReusedError"))
        return state if result == ANY or repr(result) == expected else None
    books[step.book], expected = STEPS[step.what](books[step.book], *step.args)
    if result not in (ANY, expected):
        return None
    return (*books, (*kept, (step.key, step, repr(expected))) if step.key else kept)
