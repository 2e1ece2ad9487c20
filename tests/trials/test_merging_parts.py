"""Which requests may be part of a larger one, where only the request itself can tell."""

from __future__ import annotations

import pytest

from queued_gspread.server.merging import Group, MergeKind, part
from queued_gspread.server.policy.request import Request

BASE = "https://sheets.googleapis.com/v4/spreadsheets/x"
RAW = {"valueInputOption": "RAW"}


def _append(row):
    return part(Request("post", f"{BASE}/values/%27T%27:append", RAW, json={"values": [row]}))


@pytest.mark.parametrize("cell", ["=A1", '=""', "'", "'x", "+A1", "-", "@x", " ", "", None])
def test_a_row_that_may_show_nothing_is_appended_alone(cell):
    """A formula, a leading apostrophe and white space count as blank: Google may see a gap."""
    assert _append(["x", "y"]).kind is MergeKind.APPEND
    assert _append(["x", cell]) is None


@pytest.mark.parametrize("values", [[["x", None, "y"]], [["x"], [None], ["y"]], [["x"], [], ["y"]]])
def test_several_ranges_with_gaps_leave_alone(values):
    """Totals count what was written: where a line has a gap, ranges do not tell which that is."""

    def batch(rows):
        body = {**RAW, "data": [{"range": "T!A1", "values": rows}]}
        return part(Request("post", f"{BASE}/values:batchUpdate", json=body))

    assert batch([["x", "y"]]).kind is MergeKind.UPDATE
    assert batch(values) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"x", {1, 2}, "\ud800"])
def test_what_may_not_be_sent_leaves_alone(value):
    """A request that requests may refuse, or writes in a form of its own, is part of none."""
    body = {"values": [[value]]}
    assert part(Request("put", f"{BASE}/values/T%21A1", RAW, json=body)) is None
    assert part(Request("get", f"{BASE}/values/T%21A1", {"majorDimension": value})) is None
    assert part(Request("get", BASE, {"fields": value})) is None


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), (0, False), ("1", 1)])
def test_only_what_is_sent_alike_is_asked_for_once(one, other):
    """Two reads are one where what is sent is the same, not where Python takes it for equal."""
    parts = [part(Request("get", BASE, {"includeGridData": flag})) for flag in (one, one, other)]
    assert Group(parts[0]).add(parts[1])
    assert not Group(parts[0]).add(parts[2])


def test_a_flag_in_json_has_to_be_one():
    """A text where a flag should be may mean anything; in a URL everything is text."""
    body = {**RAW, "data": [{"range": "T!A1", "values": [[1]]}]}

    def batch(flag):
        sent = {**body, "includeValuesInResponse": flag}
        return part(Request("post", f"{BASE}/values:batchUpdate", json=sent))

    params = {**RAW, "includeValuesInResponse": "false"}
    put = part(Request("put", f"{BASE}/values/T%21B1", params, json={"values": [[1]]}))
    assert batch("false") is None
    assert Group(batch(False)).add(put)
