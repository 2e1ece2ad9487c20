"""Changes of structure that leave as one, and what goes on after a refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from parts import (
    BOOK,
    append,
    batch,
    batch_clear,
    batch_get,
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
from queued_gspread.server.policy.idempotency import is_idempotent
from queued_gspread.server.policy.request import Request

MERGE = {"mergeCells": {"range": {"sheetId": 0}, "mergeType": "MERGE_ALL"}}
RENAME = {"updateSheetProperties": {"properties": {"sheetId": 0, "title": "T"}, "fields": "title"}}
BORDERS = {"updateBorders": {"range": {"sheetId": 0}}}
ADD = {"addSheet": {"properties": {"title": "New"}}}
FREEZE = {"updateSheetProperties": {"properties": {"sheetId": 0}, "fields": "gridProperties"}}


def test_batches_become_one():
    """The requests of all stand one after the other, in order."""
    batches = [batch(ADD), batch(ADD, MERGE), batch(ADD)]
    assert joined(*batches) == 3
    assert merging.merge(parts_of(*batches)) == Request(
        "post", f"{BOOK}:batchUpdate", json={"requests": [ADD, ADD, MERGE, ADD]}
    )


def test_replies_are_split_by_place():
    """Each caller has the replies to its own requests, and what is said of the spreadsheet."""
    replies = [{"addSheet": {"properties": {"sheetId": number}}} for number in range(3)]
    body = {"spreadsheetId": "lane", "replies": replies}
    assert split_bodies([batch(ADD), batch(ADD, ADD)], body) == [
        {"spreadsheetId": "lane", "replies": replies[:1]},
        {"spreadsheetId": "lane", "replies": replies[1:]},
    ]
    assert split_bodies([batch(ADD), batch(ADD)], body) is None
    assert split_bodies([batch(ADD), batch(ADD)], {"spreadsheetId": "lane"}) is None


@pytest.mark.parametrize(
    "asked",
    [
        batch(ADD, includeSpreadsheetInResponse=True),
        batch(ADD, includeSpreadsheetInResponse=False),
        batch(ADD, responseRanges=["A1"]),
        batch(ADD, responseIncludeGridData=True),
        batch(ADD, writeControl={}),
        batch(),
        batch({**ADD, **MERGE}),
        batch({}),
        batch("addSheet"),
        replace(batch(ADD), params={"fields": "replies"}),
        replace(batch(ADD), json=None),
        replace(batch(ADD), json={"requests": ADD}),
        replace(batch(ADD), method="put"),
    ],
)
def test_a_batch_that_wants_more_than_replies_is_alone(asked):
    """What is asked for the whole request, or is of no usual form, joins nobody."""
    assert merging.part(asked) is None


def test_idempotent_batches_are_merged_with_their_like():
    """An idempotent batch joins none that is not, nor one that would make it so."""
    assert [is_idempotent(batch(one)) for one in (BORDERS, MERGE, ADD)] == [True, True, False]
    assert joined(batch(BORDERS), batch(BORDERS)) == 2
    assert joined(batch(BORDERS), batch(MERGE)) == 1
    assert joined(batch(MERGE), batch(ADD)) == 1
    assert joined(batch(ADD), batch(MERGE)) == 1


@pytest.mark.parametrize("first", [MERGE, FREEZE, RENAME])
@pytest.mark.parametrize("second", [MERGE, FREEZE, RENAME, {"sortRange": {"range": {}}}])
def test_a_merged_batch_is_idempotent_as_its_parts_are(first, second):
    """Two batches join only where the joint one is idempotent as each of them is."""
    one, two = batch(first), batch(second)
    together = batch(first, second)
    may = {is_idempotent(one), is_idempotent(two), is_idempotent(together)}
    assert (joined(one, two) == 2) == (len(may) == 1)


# After a refusal -------------------------------------------------------------------------------

FIVE = [update(f"S!A{number}") for number in range(1, 6)]


@pytest.mark.parametrize(
    ("requests", "message", "expected"),
    [
        (FIVE, "Something", [[0, 1], [2, 3, 4]]),
        (FIVE[:2], "Something", [[0], [1]]),
        (FIVE, "Invalid data[0]: …", [[0], [1, 2, 3, 4]]),
        (FIVE, "Invalid data[2]: …", [[0, 1], [2], [3, 4]]),
        (FIVE, "Invalid data[4]: …", [[0, 1, 2, 3], [4]]),
        (FIVE, "Invalid data[5]: …", [[0, 1], [2, 3, 4]]),
        (FIVE, "Invalid value at 'data[3].values[0]'", [[0, 1, 2], [3], [4]]),
        (
            [batch(ADD)] * 3,
            "Invalid JSON payload received. Unknown name \"x\" at 'requests[1]': …",
            [[0], [1], [2]],
        ),
        # What a caller has written is quoted behind that, or names what is not in the request.
        (FIVE, "No sheet is named data[3]", [[0, 1], [2, 3, 4]]),
        (FIVE, "Invalid requests[3].addSheet: …", [[0, 1], [2, 3, 4]]),
        (FIVE, "invalid: Invalid data[3]: …", [[0, 1], [2, 3, 4]]),
        (FIVE, f"Invalid data[{'9' * 5000}]: …", [[0, 1], [2, 3, 4]]),
        ([batch(ADD)] * 3, "Invalid requests[1].addSheet: requests[0]", [[0], [1], [2]]),
        ([append(["x"])] * 4, "Invalid data[3]: …", [[0, 1], [2, 3]]),
        ([clear("A1"), clear("data[0]")], "Unable to parse range: data[0]", [[0], [1]]),
        ([get("A1"), get("B1"), get("no")], "x Unable to parse range: no", [[0], [1, 2]]),
        (
            [batch_update(item("S!A1"), item("S!A2")), update("S!A3"), update("S!A4")],
            "Invalid data[2]: …",
            [[0], [1], [2]],
        ),
        (
            [batch_update(item("S!A1"), item("S!A2")), update("S!A3"), update("S!A4")],
            "Invalid data[1]: …",
            [[0], [1, 2]],
        ),
        (
            [batch(ADD), batch(ADD, ADD), batch(ADD)],
            "Invalid requests[2].addSheet",
            [[0], [1], [2]],
        ),
        ([get("A1"), get("no"), get("B1")], "Unable to parse range: no", [[0], [1], [2]]),
        ([get("A1"), get("B1"), get("C1")], "Unable to parse range: no", [[0], [1, 2]]),
        ([batch_get("A1", "B1"), batch_get("C1", "no")], "Unable to parse range: no", [[0], [1]]),
        (
            [clear("A1"), batch_clear("no"), clear("B1")],
            "Unable to parse range: no",
            [[0], [1], [2]],
        ),
        ([append(["x"])] * 4, "…", [[0, 1], [2, 3]]),
    ],
)
def test_a_refused_request_is_cut(requests, message, expected):
    """It is cut around the part that the refusal names, or in halves; the order stays."""
    assert merging.cuts(parts_of(*requests), message) == expected
