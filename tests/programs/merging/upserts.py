"""Histories of upserts, with other calls among them."""

from __future__ import annotations

from hypothesis import strategies as st

from .books import Block, Book, Page
from .calls import Call
from .histories import History
from .troubles import Trouble

HEADER = ("id", "x", "y")
KEYS = st.sampled_from(("a", "b", "c", 1, 2.5, True, "1"))
VALUES = st.sampled_from((None, "", 1, "v", "w"))
GIVEN = {"head": 1, "value_input_option": "RAW"}

# Meets requests with a value that only calls have which are to fail, and that none replaces.
BAD = "bad"
TROUBLES = (
    None,
    Trouble(BAD, 400, "no"),
    Trouble(BAD, 403, "The caller does not have permission"),
)


@st.composite
def books(draw):
    """Draw a sheet with a header, and with keys of which some are there twice."""
    rows = draw(st.lists(st.tuples(KEYS, VALUES.filter(bool), st.just("y")), max_size=4))
    return Book((Page("Sheet1", 12, 4, (Block(0, 0, (HEADER, *rows)),)),))


@st.composite
def _rows(draw, spoiled):
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        row = {"id": draw(KEYS)} | ({"x": draw(VALUES)} if draw(st.booleans()) else {})
        rows.append(row | ({"y": BAD} if spoiled else {}))
    return rows


READ = Call("worksheet", "get", ("A1:C9",))
PLAIN = st.sampled_from(
    [
        READ,
        Call("worksheet", "append_row", (["b", "v", "y"],)),
        Call("worksheet", "append_row", ([1, "v", "y"],)),
        Call("worksheet", "col_values", (1,)),
        Call("worksheet", "update_cell", (3, 1, "c")),
        Call("worksheet", "batch_clear", (["B3:C3"],)),
        Call("worksheet", "insert_row", (["a", "v", "y"], 2)),
        Call("worksheet", "delete_rows", (2,)),
        Call("worksheet", "update", ([["id", "y", "x"]], "A1")),
        Call("worksheet", "resize", (), {"rows": 15}),
    ]
)
"""What others do among the upserts."""


@st.composite
def _calls(draw):
    way = draw(st.integers(0, 9))
    if way < 2:
        return draw(PLAIN)
    rows = draw(_rows(way == 2))
    key = ["x", "id"] if way == 3 else ["id"]
    rows = [{"x": "v", **row} for row in rows] if way == 3 else rows
    columns = draw(st.sampled_from(([0], [0], [1]))) if len(key) == 1 else [0, 1]
    existing = draw(st.sampled_from(("update", "update", "keep", "fail")))
    # Of several keys that are there, an error names those that were found first.
    rows = rows[:1] if existing == "fail" else rows
    kwargs = {**GIVEN, "key": key, "existing": existing, "columns": columns}
    return Call("worksheet", "upsert_rows", (rows,), kwargs, is_gone=draw(st.integers(0, 15)) == 0)


@st.composite
def histories(draw):
    """Draw upserts whose keys meet, under trouble of every kind."""
    calls = draw(st.lists(_calls(), min_size=2, max_size=9))
    looks = draw(st.lists(st.integers(0, 4), max_size=4))
    waits = draw(st.lists(st.booleans(), max_size=3))
    busy = frozenset(draw(st.lists(st.integers(0, 6), max_size=1)))
    blips = frozenset(draw(st.lists(st.integers(0, 6), max_size=2)))
    trouble = draw(st.sampled_from(TROUBLES))
    return History(
        draw(books()), tuple(calls), (*looks, 100), (*waits, False), busy, blips, trouble
    )
