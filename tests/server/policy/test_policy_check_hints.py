"""What an OutcomeUnknownError says: which request of which call, when, and how to check."""

from __future__ import annotations

import copy
import pickle
import re
from datetime import datetime, timezone

import pytest
from calls import WORKSHEET
from gate import response

from queued_gspread.google_api.batch_requests import BATCH_REQUESTS
from queued_gspread.google_api.methods import METHODS, Idempotence, MergeKind
from queued_gspread.protocol import codec
from queued_gspread.protocol.messages import Job, Reply
from queued_gspread.server.calls.outcome import in_doubt, lost, unknown
from queued_gspread.server.policy.check_hints import GENERAL, how_to_check
from queued_gspread.server.policy.idempotency import is_idempotent
from queued_gspread.server.policy.request import Request, RequestDigest
from queued_gspread.server.replay.advance import Needs, advance
from queued_gspread.server.replay.journal import Unanswered

SHEETS = "https://sheets.googleapis.com/v4/spreadsheets"
FILES = "https://www.googleapis.com/drive/v3/files"
SECRET = "4711-private"
NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


def post(url, **body):
    return Request("post", url, {"key": SECRET}, json=body)


def batch(*parts):
    return post(f"{SHEETS}/id:batchUpdate", requests=list(parts))


ROWS = {"sheetId": 7, "dimension": "ROWS", "startIndex": 2, "endIndex": 4}
ALL_OF_TWO = "(all 2 parts of the batch were applied, or none)"
SPECIFIC = [
    (
        post(f"{SHEETS}/id/values/%27Old%20ones%27!A1%3AB2:append", values=[[SECRET]]),
        "the end of the table at \"'Old ones'!A1:B2\"",
    ),
    (
        post(f"{SHEETS}/id/values/%27Ann%27%27s%27:append", values=[[SECRET]]),
        'the end of the table in the worksheet "Ann\'s"',
    ),
    (post(SHEETS, properties={"title": "Orders"}), "a spreadsheet titled 'Orders' that was made"),
    (post(FILES, name="Orders", mimeType="x"), "a file titled 'Orders' that was made at that time"),
    (post(f"{FILES}/id/copy", name="Copy"), "a file titled 'Copy' that was made at that time"),
    (post(f"{FILES}/id/copy"), "a file that was made at that time"),
    (post(f"{FILES}/id/comments", content=SECRET), "list the file's comments"),
    (post(f"{FILES}/id/permissions", emailAddress=SECRET), "`list_permissions()`"),
    (Request("delete", f"{FILES}/id/permissions/1"), "the one that was to be removed is gone"),
    (Request("delete", f"{FILES}/id"), "whether the file is still in Drive"),
    (
        post(f"{SHEETS}/id/sheets/3:copyTo", destinationSpreadsheetId="other"),
        "worksheets of spreadsheet 'other'",
    ),
    (batch({"addSheet": {"properties": {"title": "{May}"}}}), "look for one titled '{May}'"),
    (
        batch({"duplicateSheet": {"sourceSheetId": 7, "newSheetName": "June"}}),
        "look for one titled 'June'",
    ),
    (batch({"deleteSheet": {"sheetId": 7}}), "whether the sheet with id 7 is gone"),
    (
        batch({"insertDimension": {"range": ROWS}}),
        "read the sheet with id 7 and look whether rows 3 to 4 came in",
    ),
    (
        batch({"deleteDimension": {"range": {**ROWS, "dimension": "COLUMNS"}}}),
        "what was in columns 3 to 4 is gone",
    ),
    (
        batch(
            {"updateCells": {"rows": [{"values": [SECRET]}], "fields": "*"}},
            {"findReplace": {"find": SECRET, "replacement": SECRET, "sheetId": 7}},
        ),
        f"read the sheet with id 7 and look whether the cells are still as they were {ALL_OF_TWO}",
    ),
    (batch(), GENERAL),
    (batch({"dance": {}}), GENERAL),
    (batch(SECRET), GENERAL),
    (Request("post", f"{SHEETS}/id:dance"), GENERAL),
    (Request("post", None), GENERAL),
]


@pytest.mark.parametrize(("request_", "expected"), SPECIFIC)
def test_a_hint_names_what_to_look_for(request_, expected):
    """A hint has the titles, ranges and rows of its request, and nobody's data."""
    assert not is_idempotent(request_)
    hint = how_to_check(request_)
    assert expected in hint
    assert SECRET not in hint


def test_every_method_that_writes_has_a_hint():
    """Each row of the table of methods says how to check it, but for those that only read."""
    silent = [method for method in METHODS if not method.check]
    assert all(method.idempotent is Idempotence.ALWAYS for method in silent)
    by_post = {method.path.rpartition(":")[2] for method in silent if method.verb != "GET"}
    assert by_post == {"getByDataFilter", "search", "batchGetByDataFilter"}
    assert not any(method.check for method in METHODS if method.verb == "GET")


@pytest.mark.parametrize("method", [method for method in METHODS if method.check], ids=str)
def test_a_hint_for_a_method_without_content(method):
    """Whatever a request to a method lacks or has in an odd form, its hint is a sentence."""
    path = re.sub(r"{\w+}", "7", method.path)
    for body in (None, [], {"name": 3, "properties": [], "destinationSpreadsheetId": {}}):
        hint = how_to_check(Request(method.verb, f"https://anywhere{path}", json=body))
        assert (hint == GENERAL) is (method.merge is MergeKind.BATCH)
        assert not {"{", "}"} & set(hint)


@pytest.mark.parametrize("kind", sorted(BATCH_REQUESTS))
def test_a_hint_for_a_part_without_content(kind):
    """Whatever a part of a batch lacks or has in an odd form, its hint is a sentence."""
    for about in ({}, None, {"range": 3, "properties": [], "sheetId": "x"}):
        hint = how_to_check(batch({kind: about}))
        assert hint != GENERAL
        assert not {"{", "}"} & set(hint)


# The error ---------------------------------------------------------------------------------------

APPEND = Job("worksheet", "append_row", WORKSHEET, ([SECRET],))


def needed(job):
    step = advance(job.encode(), [])
    assert isinstance(step, Needs)
    return step.request


def check_text(text):
    assert "worksheet.append_row on 'Book' / 'Sheet'" in text
    assert (
        f"POST {SHEETS}/lane/values/%27Sheet%27:append was sent at 2026-01-02 12:00:00 UTC" in text
    )
    assert "nobody knows whether it was applied" in text
    assert "Before you call again, look for the rows at the end of the table in the" in text
    assert SECRET not in text


@pytest.mark.parametrize(
    "answer", [None, response({"error": {"code": 503, "message": "away"}}, 503)]
)
def test_an_error_tells_all_of_it(answer):
    """With Google's answer or without one, the text names call, request, time and what to do."""
    error = in_doubt(unknown(answer, "cut off"), APPEND, needed(APPEND), NOON.timestamp())
    check_text(str(error))
    assert ("cut off" if answer is None else "[503]: away") in str(error)
    assert ("it may land late" in error.how_to_check) is (answer is None)
    travelled = codec.loads(codec.dumps(error))
    for one in (travelled, pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(one) is type(error)
        assert str(one) == str(error)
        assert one.sent_at == NOON


PAGE = """<!DOCTYPE html>
<!-- of the
gateway -->
<style>
  p {color: red}
</style>
<title>Error 502 (Server &amp; Gateway)!!1</title>
<p>That's an error.
"""


@pytest.mark.parametrize(
    ("page", "line"),
    [
        (PAGE, "[502]: Error 502 (Server & Gateway)!!1)"),
        ("away\nfor long", "[502]: away)"),
        ("<p>\n</p>", " ([502])"),
        ("", " ([502])"),
    ],
)
def test_a_page_of_a_gateway_is_cut_to_its_first_line(page, line):
    """Of an answer that is no JSON the text has one line, behind the error's own sentence."""
    answer = response(status=502)
    answer._content = page.encode()
    error = in_doubt(unknown(answer, "x"), APPEND, needed(APPEND), NOON.timestamp())
    text = str(codec.loads(codec.dumps(error)))
    assert text.startswith("OutcomeUnknownError: worksheet.append_row on 'Book' / 'Sheet': POST ")
    assert text.endswith(line)
    assert "\n" not in text
    assert error.error["message"] == page


def test_a_lost_request_is_told_with_a_hint():
    """The next server finds the request by running the call, and tells as much of it."""
    request = needed(APPEND)
    outcome = lost(APPEND, Unanswered(RequestDigest.of(request), NOON.timestamp()), request)
    check_text(str(Reply.decode(outcome.reply, None).error))


def test_a_lost_request_that_the_call_would_not_send():
    """Where the call now asks for something else, the hint is from the journal's path alone."""
    request = needed(APPEND)
    other = batch({"addSheet": {}})
    outcome = lost(APPEND, Unanswered(RequestDigest.of(request), NOON.timestamp()), other)
    check_text(str(Reply.decode(outcome.reply, None).error))


@pytest.mark.parametrize(
    "unanswered", [Unanswered(), Unanswered(RequestDigest("get", "x", ""), 1e300)]
)
def test_a_lost_request_that_cannot_be_read(unanswered):
    """What the journal does not tell, or tells in an odd way, the error does not tell either."""
    error = Reply.decode(lost(APPEND, unanswered).reply, None).error
    assert error.sent_at is None
    assert "'Book' / 'Sheet'" in str(error)
    assert "nobody knows whether it was applied. Before you call again, look " in str(error)
