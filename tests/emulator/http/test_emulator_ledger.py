"""What the ledger keeps, and for how long."""

from __future__ import annotations

import pytest

from queued_gspread.emulator.http.ledger import Ledger, Served


def served(number, body=None):
    return Served(0.0, "PUT", f"/{number}", [], body, 200)


@pytest.fixture
def full():
    """Return a ledger for three requests, after five; the first two and the last are the API's."""
    ledger = Ledger(most=3)
    for number, to in enumerate(("api", "api", "token", "token", "api"), 1):
        ledger.add(served(number), to)
    return ledger


def paths(found):
    return [one.path for one in found]


def test_the_last_requests_are_kept(full):
    """Beyond its bound, the oldest requests are forgotten, and the others keep their numbers."""
    assert (paths(full.api), paths(full.token)) == (["/5"], ["/3", "/4"])
    assert full.span == (2, 5)
    assert [entry.number for entry in full.since(0, 9)] == [3, 4, 5]
    assert [entry.number for entry in full.since(3, 1)] == [4]


def test_the_forgotten_ones_are_counted(full):
    """The counts are those of all requests since it was cleared."""
    assert (full.tally.requests, full.tally.token_requests) == (3, 2)
    full.clear()
    assert (full.tally.requests, full.span, full.api) == (0, (5, 5), [])


def test_only_the_last_bodies_are_kept():
    """Bodies that are too many bytes together are forgotten, the oldest first, but not requests."""
    ledger = Ledger(most=4, most_bytes=10)
    for number, size in enumerate((4, 0, 4, 4, 11, 10), 1):
        body = "x" * size or None
        ledger.add(served(number, body), "api", size)
        if number == 4:
            assert [one.body for one in ledger.api] == [None, None, "xxxx", "xxxx"]
        if number == 5:
            assert [one.body for one in ledger.api] == [None, None, None, None]
    assert [one.body for one in ledger.api] == [None, None, None, "x" * 10]
    ledger.clear()
    ledger.add(served(7, "x"), "api", 1)
    assert [one.body for one in ledger.api] == ["x"]


def test_an_emulator_does_not_keep_all_bodies(own):
    """Large writes, many of them, leave an emulator no larger than some of them."""
    sheet = own.gspread_client().create("Large").sheet1
    row = [["x" * 40_000] * 25]
    for _ in range(40):
        sheet.update(row, "A1:Y1")
    bodies = [one.body for one in own.ledger if one.method == "PUT"]
    kept = [body for body in bodies if body is not None]
    assert len(bodies) == 40
    assert 25 < len(kept) < 34
    assert bodies[-1]["values"] == row
