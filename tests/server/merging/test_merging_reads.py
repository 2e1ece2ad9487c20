"""Reads that leave as one: identical ones, and ranges that become one ``values:batchGet``."""

from __future__ import annotations

from dataclasses import replace

import pytest
import requests
from gate import SHEETS, response
from gspread.utils import ValueRenderOption
from parts import BOOK, batch_get, get, joined, metadata, parts_of, split_bodies

from queued_gspread.server import merging
from queued_gspread.server.policy.request import CREDENTIALS, Request

UNFORMATTED = {"valueRenderOption": "UNFORMATTED_VALUE"}
FOUND = [{"range": "Sheet1!A1:Z1000"}, {"range": "Sheet1!A1", "values": [["2"]]}]


@pytest.mark.parametrize("read", [metadata(), get("A1"), batch_get("A1", "B2")])
def test_identical_reads_become_one(read):
    """Requests that put the same on the wire are sent once, as they are, and answered alike."""
    copies = parts_of(read, replace(read), replace(read))
    assert joined(read, replace(read), replace(read)) == 3
    assert merging.merge(copies) is copies[0].request
    answer = response({"any": "answer"})
    assert merging.split(copies, answer) == [answer] * 3


@pytest.mark.parametrize(
    "other",
    [
        metadata(includeGridData="true"),
        metadata(fields="sheets.properties"),
        replace(metadata(), endpoint=f"{SHEETS}/other"),
        replace(metadata(), headers={"x": "y"}),
        get("A1"),
    ],
)
def test_other_reads_do_not_join_one_of_metadata(other):
    """What differs in anything is another request."""
    assert joined(metadata(), other) == 1


def test_what_asks_for_credentials_is_alone():
    """A request for the server's own credentials is nobody else's."""
    assert merging.part(Request(CREDENTIALS, "expiry")) is None


def test_ranges_become_a_batch():
    """Single reads and batches become one, in order; what several ask for is asked for once."""
    reads = [get("S!A1"), batch_get("'My S'!B2", "S!A1"), get("S!C3:D4"), batch_get("S!B2")]
    assert joined(*reads) == 4
    merged = merging.merge(parts_of(*reads))
    assert merged == Request(
        "get",
        f"{BOOK}/values:batchGet",
        {"ranges": ["S!A1", "'My S'!B2", "S!C3:D4", "S!B2"]},
    )


def test_options_are_for_all():
    """The options of the parts, which are equal, stand once; an enum is what it says."""
    reads = [
        get("A1", valueRenderOption=ValueRenderOption.unformatted, majorDimension=None),
        batch_get("A2", **UNFORMATTED),
    ]
    assert joined(*reads) == 2
    merged = merging.merge(parts_of(*reads))
    assert merged.params == {**UNFORMATTED, "ranges": ["A1", "A2"]}
    assert type(merged.params["valueRenderOption"]) is str


@pytest.mark.parametrize(
    "params",
    [
        UNFORMATTED,
        {"majorDimension": "COLUMNS"},
        {"dateTimeRenderOption": "FORMATTED_STRING"},
    ],
)
def test_reads_with_other_options_do_not_join(params):
    """A render option and the major dimension are for the whole request, so they have to agree."""
    assert joined(get("A1"), get("A2", **params)) == 1
    assert joined(get("A1", **params), get("A2", **params)) == 2


def test_an_option_that_goes_without_saying_keeps_none_apart():
    """What Google does anyway is the same, asked for or not."""
    usual = {"majorDimension": "ROWS", "valueRenderOption": "FORMATTED_VALUE"}
    reads = [get("S!A1"), get("S!A2", **usual, dateTimeRenderOption="SERIAL_NUMBER")]
    assert joined(*reads) == 2
    assert merging.merge(parts_of(*reads)).params == {"ranges": ["S!A1", "S!A2"]}


@pytest.mark.parametrize(
    "read",
    [
        get("A2", fields="values"),
        get("A2", valueRenderOption="NONSENSE"),
        get("A2", majorDimension=["ROWS"]),
        replace(get("A2"), headers={"x": "y"}),
        replace(get("A2"), json={"x": "y"}),
        replace(get("A2"), data=b"x"),
        replace(get("A2"), endpoint=f"{get('A2').endpoint}?fields=values"),
        replace(get("A2"), params=[("majorDimension", "ROWS")]),
        replace(get("A2"), method="head"),
        replace(batch_get(), params={"ranges": []}),
        replace(batch_get(), params={"ranges": [1]}),
    ],
)
def test_unusual_reads_join_no_batch(read):
    """A parameter that is not known, or of no usual form, keeps a read out of others'."""
    assert joined(get("A1"), read) == 1


def test_another_spreadsheet_is_another_request():
    """Ranges of two spreadsheets do not meet."""
    assert joined(get("A1"), replace(get("A2"), endpoint=f"{SHEETS}/b/values/A2")) == 1


def test_answers_are_split_by_place():
    """Each caller has what a request of its own answers, whatever the ranges are called."""
    reads = [get("'Sheet1'"), batch_get("A1", "'Sheet1'"), get("A1")]
    body = {"spreadsheetId": "lane", "valueRanges": FOUND}
    assert split_bodies(reads, body) == [
        FOUND[0],
        {"spreadsheetId": "lane", "valueRanges": [FOUND[1], FOUND[0]]},
        FOUND[1],
    ]


@pytest.mark.parametrize("body", [{}, [], {"valueRanges": FOUND[:1]}, {"valueRanges": None}])
def test_an_answer_that_is_none_is_not_split(body):
    """An answer to another number of ranges, or of another form, is nobody's."""
    assert split_bodies([get("A1"), get("A2")], body) is None


def test_an_answer_is_a_response_of_its_own():
    """A caller's response has its own URL and body, and the rest of the common one."""
    common = response({"spreadsheetId": "lane", "valueRanges": FOUND})
    common.headers.update({"Content-Length": "9", "Content-Encoding": "gzip", "Date": "today"})
    common.reason = "OK"
    reads = [get("'ü b'!A1", **UNFORMATTED), get("A2", **UNFORMATTED)]
    first, second = merging.split(parts_of(*reads), common)
    assert first.url == f"{BOOK}/values/%27%C3%BC%20b%27%21A1?valueRenderOption=UNFORMATTED_VALUE"
    assert (first.status_code, first.reason, first.ok) == (200, "OK", True)
    assert dict(first.headers) == {"Content-Type": "application/json", "Date": "today"}
    assert (first.json(), second.json()) == (FOUND[0], FOUND[1])
    assert first.headers is not second.headers


def test_the_url_has_an_end():
    """As many ranges join as a URL of 2,000 characters has room for."""
    ranges = [f"'Tab ü {number}'!A1:B{number + 1}" for number in range(100)]
    reads = [get(text) for text in ranges]
    count = joined(*reads)
    assert 1 < count < 100
    assert _url(parts_of(*reads[:count])) <= 2000 < _url(parts_of(*reads[: count + 1]))


def _url(parts):
    """Return how long the URL is that requests makes of a merged read."""
    merged = merging.merge(parts)
    prepared = requests.Request("GET", merged.endpoint, params=merged.params).prepare()
    return len(prepared.url)


def test_the_url_may_be_as_long_as_a_single_request_makes_it():
    """A read that is too long by itself is sent as it is, alone."""
    ranges = [f"S!A{number}:Z{number}" for number in range(1, 400)]
    long = batch_get(*ranges)
    assert joined(long, get("S!A1")) == joined(long, get(ranges[0])) == 1
    assert merging.merge(parts_of(long)) is long


@pytest.mark.parametrize(
    ("text", "count"), [("S!A{0}:J5000", 2), ("S!A{0}:J3334", 3), ("'S {0}'", 3), ("Named{0}", 3)]
)
def test_cells_have_a_limit(text, count):
    """No more than 100,000 cells are read at a time; an open range counts as a new sheet's."""
    assert joined(*[get(text.format(number)) for number in range(1, 10)]) == count
