"""Writes of values and clearings that leave as one, and how their answer is split."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from gspread.utils import ValueInputOption
from parts import (
    BOOK,
    RAW,
    batch_clear,
    batch_update,
    clear,
    get,
    item,
    joined,
    parts_of,
    split_bodies,
    update,
)

from queued_gspread.server import merging
from queued_gspread.server.merging.ranges import Covered, Extent
from queued_gspread.server.policy.request import Request

UNSAID = "FORMATTED_VALUE"
USER_ENTERED = {"valueInputOption": "USER_ENTERED"}


def test_updates_become_a_batch():
    """Single updates and batches become one batch: options once, the dimension for each range."""
    writes = [
        update("S!A1", [["a", "b"]]),
        batch_update(item("S!A2"), item("S!B2")),
        update("'S'!A3", [["x"], ["y"]], majorDimension="COLUMNS"),
    ]
    assert joined(*writes) == 3
    assert merging.merge(parts_of(*writes)) == Request(
        "post",
        f"{BOOK}/values:batchUpdate",
        json={
            "valueInputOption": "RAW",
            "data": [
                {"values": [["a", "b"]], "range": "S!A1"},
                item("S!A2"),
                item("S!B2"),
                {"values": [["x"], ["y"]], "majorDimension": "COLUMNS", "range": "'S'!A3"},
            ],
        },
    )


def test_one_update_stays_what_it_is():
    """What leaves alone is sent as gspread asked for it."""
    alone = update("S!A1")
    assert merging.merge(parts_of(alone)) is alone


@pytest.mark.parametrize(
    "params",
    [
        USER_ENTERED,
        {**RAW, "responseValueRenderOption": "FORMULA"},
        {**RAW, "responseDateTimeRenderOption": "FORMATTED_STRING"},
    ],
)
def test_updates_with_other_options_do_not_join(params):
    """Input and response options are for the whole request, so they have to agree."""
    assert joined(update("S!A1"), update("S!A2", params=params)) == 1
    assert joined(update("S!A1", params=params), update("S!A2", params=params)) == 2


def test_an_option_that_goes_without_saying_keeps_none_apart():
    """What Google does anyway is the same, asked for or not, and is not asked for."""
    usual = {
        **RAW,
        "includeValuesInResponse": False,
        "responseValueRenderOption": "FORMATTED_VALUE",
    }
    writes = [update("S!A1"), update("S!A2", params=usual)]
    assert joined(*writes) == 2
    assert merging.merge(parts_of(*writes)).json.keys() == {"valueInputOption", "data"}


def test_an_option_that_is_an_enum_is_what_it_says():
    """The enum of gspread and the text are one option."""
    assert joined(update("S!A1"), update("S!A2", params={"valueInputOption": "RAW"})) == 2
    enum = {"valueInputOption": ValueInputOption.raw}
    assert joined(update("S!A1"), update("S!A2", params=enum)) == 2


@pytest.mark.parametrize(
    "write",
    [
        update("S!A1", params={**RAW, "includeValuesInResponse": "true"}),
        update("S!A1", params={**RAW, "includeValuesInResponse": True}),
        batch_update(item("S!A1"), includeValuesInResponse=True),
        update("S!A1", params={}),
        update("S!A1", params={"valueInputOption": "NONSENSE"}),
        update("S!A1", params={**RAW, "fields": "updatedCells"}),
        update("S!A1", majorDimension="DIAGONAL"),
        update("S!A1", nonsense=1),
        update("S!A1", range="S!B1"),
        replace(update("S!A1"), json={"values": "xy"}),
        replace(update("S!A1"), json={"values": ["xy"]}),
        replace(update("S!A1"), json={}),
        replace(update("S!A1"), json=None),
        replace(update("S!A1"), headers={"x": "y"}),
        replace(batch_update(item("S!A1")), params={"fields": "responses"}),
        batch_update(),
        batch_update({"range": "S!A1"}),
        batch_update({"dataFilter": {}, "values": []}),
        update("A1"),
        update("Named"),
        update("S"),
        update("S!A:A"),
        update("S!1:1"),
        update("S!A1:B"),
        update("S!Named"),
        update("2024!A1"),
        update("'it's'!A1"),
        batch_update(item("S!A1"), item("Named")),
    ],
)
def test_a_write_of_which_it_is_not_certain_what_it_does_is_alone(write):
    """What reads back, is of no usual form, or names no certain cells, joins nobody."""
    assert merging.part(write) is None


@pytest.mark.parametrize(
    ("one", "other", "is_apart"),
    [
        (update("S!A1"), update("S!A2"), True),
        (update("S!A1"), update("S!B1"), True),
        (update("S!A1"), update("T!A1"), True),
        (update("S!A1"), update("S!A1"), False),
        (update("S!A1"), update("'S'!a1"), False),
        (update("S!A1"), update("s!A1"), False),
        (update("'it''s'!A1"), update("'IT''S'!A1"), False),
        (update("S!A1:B2"), update("S!B2"), False),
        (update("S!B2:A1"), update("S!B1"), False),
        (update("S!A1", [["x"], ["y"]]), update("S!A2"), False),
        (update("S!A1", [["x", "y"]]), update("S!A2"), True),
        (update("S!A1", [["x", "y"]], majorDimension="COLUMNS"), update("S!A2"), False),
        (update("S!A1", [["x", "y"]], majorDimension="COLUMNS"), update("S!B1"), True),
        (update("S!A1", [["x"], ["y", "z"]]), update("S!B1"), False),
        (update("S!Y1", [["x"] * 3]), update("S!AA1"), False),
        (update("S!A1", []), update("S!A1"), False),
        (batch_update(item("S!C1"), item("S!A1:A9")), batch_update(item("S!A9")), False),
        (batch_update(item("S!C1"), item("S!A1:A8")), batch_update(item("S!A9")), True),
    ],
)
def test_no_cell_is_written_twice(one, other, is_apart):
    """Writes join where the cells from their anchors on, as many as they have, are apart."""
    assert joined(one, other) == joined(other, one) == 1 + is_apart


def extent(chance):
    height, width = chance.choice([(1, 1), (2, 3), (8, 8), (8, 9), (20, 30)])
    top, left = chance.randrange(40), chance.randrange(40)
    return Extent(chance.choice("st"), top, top + height, left, left + width)


def test_what_is_covered_is_what_extents_overlap():
    """Small extents and large ones, among each other, overlap where they share a cell."""
    chance, found = random.Random(1), Counter()
    for _ in range(300):
        covered, before = Covered(), [extent(chance) for _ in range(chance.randrange(8))]
        covered.add(before)
        new = extent(chance)
        assert covered.overlaps(new) == any(map(new.overlaps, before))
        found[covered.overlaps(new)] += 1
    assert min(found[True], found[False]) > 50


def test_small_writes_are_not_compared_with_each_other(monkeypatch):
    """Hundreds of writes of a cell each are gathered without a look at every pair of them."""
    monkeypatch.setattr(Extent, "overlaps", None)
    assert joined(*[update(f"S!A{row}") for row in range(1, 400)], update("S!A7")) == 399


def test_a_batch_that_overlaps_itself_may_join_others():
    """What one caller asks for twice is made in the order that it has, as it would be alone."""
    assert joined(batch_update(item("S!A1"), item("S!A1")), update("S!A2")) == 2


def test_cells_have_a_limit():
    """No more than 100,000 cells are written at a time."""
    block = [["x"] * 100] * 400
    writes = [update(f"S!A{1 + 400 * number}", block) for number in range(4)]
    assert joined(*writes) == 2
    assert joined(update("S!A1", [["x"] * 100] * 1001), update("T!A1")) == 1


def test_ranges_have_a_limit():
    """Ranges of many cells are compared with all others, so there are no more than 1,000."""
    halves = [batch_update(*[item(f"{s}!A{n}") for n in range(1, 501)]) for s in "ST"]
    assert joined(*halves, update("U!A1")) == 2
    assert joined(batch_update(*[item(f"S!A{n}") for n in range(1, 1002)]), update("U!A1")) == 1


RESPONSES = [
    {"updatedRange": f"S!{cells}", "updatedRows": 1, "updatedColumns": 1, "updatedCells": 1}
    for cells in ("A1", "A2", "B2")
]


def test_the_answer_to_updates_is_split():
    """A single update has its response, and a batch the sums over its own."""
    writes = [update("S!A1"), batch_update(item("S!A2"), item("S!B2"))]
    body = {"spreadsheetId": "lane", "totalUpdatedCells": 3, "responses": RESPONSES}
    first, second = split_bodies(writes, body)
    assert first == RESPONSES[0]
    assert second == {
        "spreadsheetId": "lane",
        "totalUpdatedRows": 1,
        "totalUpdatedColumns": 2,
        "totalUpdatedCells": 2,
        "totalUpdatedSheets": 1,
        "responses": RESPONSES[1:],
    }


def test_what_has_updated_nothing_counts_nothing():
    """A batch of nothing but skipped cells has no counts, as Google leaves out zeros."""
    writes = [batch_update(item("S!A1", [[None]])), update("S!A2")]
    skipped = {"spreadsheetId": "lane", "updatedRange": "S!A1"}
    body = {"spreadsheetId": "lane", "responses": [skipped, RESPONSES[1]]}
    assert split_bodies(writes, body)[0] == {"spreadsheetId": "lane", "responses": [skipped]}


@pytest.mark.parametrize(
    "body", [{}, {"responses": RESPONSES}, {"responses": ["x", "y"]}, {"responses": None}, []]
)
def test_an_answer_to_something_else_is_not_split(body):
    """An answer with another number of responses, or of another form, is nobody's."""
    assert split_bodies([update("S!A1"), update("S!A2")], body) is None


# Clearing --------------------------------------------------------------------------------------


def test_clearings_become_a_batch():
    """Clearings of any ranges, overlapping and named ones too, become one batch in order."""
    clearings = [clear("S!A1:B2"), batch_clear("Named", "S!A1"), clear("'T'"), clear("S!A:A")]
    assert joined(*clearings) == 4
    assert merging.merge(parts_of(*clearings)) == Request(
        "post",
        f"{BOOK}/values:batchClear",
        json={"ranges": ["S!A1:B2", "Named", "S!A1", "'T'", "S!A:A"]},
    )


def test_the_answer_to_clearings_is_split():
    """A single clearing has its range, a batch the list of its own."""
    body = {"spreadsheetId": "lane", "clearedRanges": ["S!A1", "S!B1", "S!C1"]}
    assert split_bodies([clear("A1"), batch_clear("B1", "C1")], body) == [
        {"spreadsheetId": "lane", "clearedRange": "S!A1"},
        {"spreadsheetId": "lane", "clearedRanges": ["S!B1", "S!C1"]},
    ]
    assert split_bodies([clear("A1"), clear("B1")], body) is None


@pytest.mark.parametrize(
    "clearing",
    [
        replace(clear("S!A1"), params={"fields": "x"}),
        replace(clear("S!A1"), json={"x": "y"}),
        replace(clear("S!A1"), method="put"),
        batch_clear(),
        replace(batch_clear("A1"), json={"ranges": ["A1"], "x": "y"}),
        replace(batch_clear("A1"), json={"ranges": [""]}),
        replace(batch_clear("A1"), json={"ranges": "A1"}),
    ],
)
def test_an_unusual_clearing_is_alone(clearing):
    """A clearing of no usual form joins nobody."""
    assert merging.part(clearing) is None


def test_kinds_do_not_meet():
    """Writes of two kinds are two requests, and a read is neither."""
    kinds = [update("S!A1"), clear("S!A2"), get("S!A3")]
    for one in kinds:
        assert [joined(one, other) for other in kinds if other is not one] == [1, 1]
