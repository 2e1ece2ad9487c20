"""Answers with a status of success that are not what was asked for, alone and merged."""

from __future__ import annotations

import json
import tracemalloc
from functools import partial

import pytest
import requests
from calls import append, read, write
from gate import SHEETS, cell_of, response
from gspread.utils import ExportFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from merge_fixtures import settled
from raw_http import listening
from waiting import PATIENCE

from queued_gspread.emulator.faults import Status
from queued_gspread.errors import OutcomeUnknownError
from queued_gspread.server.policy.expected_answer import ExpectedAnswer, expected_by
from queued_gspread.server.policy.request import Failure, Request, Response
from queued_gspread.server.policy.verdict import VerdictKind, judge

QUICK = {"quota_window": 0.3}


def sent_to(url):
    """Return what comes of a request."""
    try:
        return Response(requests.get(url, timeout=PATIENCE))
    except requests.RequestException as error:
        return Failure(error)


PAGE = b"<html>one moment, please</html>"
LARGE = json.dumps({"values": [['a "cell" \\', "{[", "}"] * 2000] * 2}).encode()
DRIVE = "https://www.googleapis.com/drive/v3/files"
NOT_JSON = {
    "a page": (200, PAGE),
    "nothing": (200, b""),
    "nothing, as it says": (204, b""),
    "a form to empty": (205, b""),
    "as it was": (304, b""),
    "a part": (200, b'{"values": [["x"'),
    "text": (200, b'"OK"'),
    "null": (200, b"null"),
    "a list": (200, b"[{}]"),
    "no UTF-8": (200, b'{"values": [["\xff"]]}'),
    "a nest": (200, b"[" * 100_000),
    "a large part": (200, LARGE[:-1]),
    "a large part, cut in a text": (200, LARGE[:110_003]),
    "much of no UTF-8": (200, LARGE[:-2] + b"\xff}"),
}


def answered(status, body):
    made = response(status=status)
    made.encoding, made._content = "utf-8", body
    return made


@pytest.mark.parametrize("name", NOT_JSON)
@pytest.mark.parametrize("call", [read, write])
def test_an_answer_that_is_no_json_is_asked_for_again(call, name, serve, client, gate, background):
    """An idempotent request is retried where its answer cannot be read."""
    serve(**QUICK)
    calling = background(call, client)
    gate.next().fail(answered(*NOT_JSON[name]))
    gate.next().fail(answered(*NOT_JSON[name]))
    gate.next().answer({"done": True})
    assert calling.result(PATIENCE) == {"done": True}


@pytest.mark.parametrize("name", NOT_JSON)
def test_an_append_whose_answer_is_no_json_is_unknown(name, serve, client, gate, background):
    """A non-idempotent request is unknown to its caller, and is sent once."""
    serve(**QUICK)
    appending = background(append, client, "lane", "x")
    gate.next().fail(answered(*NOT_JSON[name]))
    error = appending.exception(PATIENCE)
    assert type(error) is OutcomeUnknownError
    assert "answer not readable" in str(error)
    assert len(gate.seen) == 1


def test_an_answer_that_stays_unreadable_is_gspreads_error(serve, client, gate, background):
    """Once the time for it is over, the caller has the error that gspread raises at once."""
    serve(retry_for=0)
    reading = background(read, client)
    gate.next().fail(answered(200, PAGE))
    assert isinstance(reading.exception(PATIENCE), requests.exceptions.JSONDecodeError)
    asking = background(client.http_client.request, "get", cell_of("lane"))
    gate.next().fail(answered(200, PAGE))
    assert asking.result(PATIENCE).content == PAGE


def share(client):
    return client.http_client.insert_permission("id", "a@b.c", "user", "reader")


CONTENT = {
    "a large answer": (read, (200, LARGE)),
    "a deletion": (lambda client: client.del_spreadsheet("id"), (204, b"")),
    "a deletion with an answer": (lambda client: client.del_spreadsheet("id"), (200, b"{}")),
    "a right taken": (
        lambda client: client.http_client.remove_permission("id", "p"),
        (204, b""),
    ),
    "an export": (lambda client: client.export("id", ExportFormat.CSV), (200, b"a,b\n\xff")),
    "an empty export": (lambda client: client.export("id", ExportFormat.CSV), (200, b"")),
    "another address": (
        lambda client: client.http_client.request("get", "https://www.googleapis.com/else"),
        (200, PAGE),
    ),
    "an access that was asked for": (
        lambda client: client.http_client.request("post", f"{DRIVE}/x/accessproposals/p:resolve"),
        (204, b""),
    ),
}


@pytest.mark.parametrize("name", CONTENT)
def test_an_answer_that_is_as_it_has_to_be(name, serve, client, gate, background):
    """What needs no JSON is sent once, and its answer is the caller's."""
    serve(**QUICK)
    call, given = CONTENT[name]
    calling = background(call, client)
    gate.next().fail(answered(*given))
    assert calling.exception(PATIENCE) is None
    assert len(gate.seen) == 1


def test_what_has_no_content_is_no_export(serve, client, gate, background):
    """An export that is answered with a status of no content is asked for again."""
    serve(**QUICK)
    exporting = background(client.export, "id", ExportFormat.CSV)
    gate.next().fail(answered(204, b""))
    gate.next().fail(answered(200, b"a,b"))
    assert exporting.result(PATIENCE) == b"a,b"


@pytest.mark.parametrize("call", [share, lambda client: client.del_spreadsheet("id")])
def test_a_page_is_no_success_of_what_nobody_reads(call, serve, client, gate, background):
    """Where gspread does not look at an answer, a page still is none of Google's."""
    serve(**QUICK)
    calling = background(call, client)
    gate.next().fail(answered(200, PAGE))
    assert type(calling.exception(PATIENCE)) is OutcomeUnknownError


def test_a_large_answer_takes_little_memory_to_judge():
    """Not all of an answer stands as text beside it, whatever is in it."""
    body = json.dumps(
        {"values": [["cell \N{GRINNING FACE}"] * 1000] * 200}, ensure_ascii=False
    ).encode()
    tracemalloc.start()
    try:
        verdict = judge(Response(answered(200, body)), request=Request("get", cell_of("x")))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert verdict.kind is VerdictKind.FINAL
    assert peak < 2 * len(body)


@pytest.mark.parametrize(
    ("method", "url", "params", "expected"),
    [
        ("get", cell_of("x"), None, ExpectedAnswer.OBJECT),
        ("post", f"{SHEETS}/x:batchUpdate", None, ExpectedAnswer.OBJECT),
        ("post", SHEETS, None, ExpectedAnswer.OBJECT),
        ("get", cell_of("x"), {"alt": "json"}, ExpectedAnswer.OBJECT),
        ("get", cell_of("x"), {"alt": "proto"}, ExpectedAnswer.ANYTHING),
        ("get", f"{cell_of('x')}?$alt=proto", None, ExpectedAnswer.ANYTHING),
        ("get", cell_of("x"), {"callback": "f"}, ExpectedAnswer.ANYTHING),
        ("get", cell_of("x"), ["not", "read"], ExpectedAnswer.ANYTHING),
        ("head", cell_of("x"), None, ExpectedAnswer.ANYTHING),
        ("get", DRIVE, {"q": "x"}, ExpectedAnswer.OBJECT),
        ("get", f"{DRIVE}/x", {"alt": "media"}, ExpectedAnswer.FILE),
        ("get", f"{DRIVE}/x/export", {"mimeType": "text/csv"}, ExpectedAnswer.FILE),
        ("delete", f"{DRIVE}/x", None, ExpectedAnswer.NOTHING),
        ("delete", f"{DRIVE}/x/permissions/p", None, ExpectedAnswer.NOTHING),
        (
            "put",
            "https://www.googleapis.com/upload/drive/v2/files/x",
            {"uploadType": "media"},
            ExpectedAnswer.OBJECT,
        ),
        (
            "post",
            "https://www.googleapis.com/upload/drive/v3/files",
            {"uploadType": "resumable"},
            ExpectedAnswer.ANYTHING,
        ),
        (
            "post",
            "https://www.googleapis.com/drive/v3/channels/stop",
            None,
            ExpectedAnswer.ANYTHING,
        ),
        ("get", "https://sheets.googleapis.com/v4/spreadsheetsx", None, ExpectedAnswer.ANYTHING),
        ("get", "https://[", None, ExpectedAnswer.ANYTHING),
    ],
)
def test_what_an_answer_has_to_be(method, url, params, expected):
    """Google's APIs answer JSON, but for files, deletions and other forms that were asked for."""
    assert expected_by(Request(method, url, params)) is expected


@settings(deadline=None)
@given(st.integers(1, len(LARGE) - 1))
def test_a_large_answer_is_whole_or_it_is_not(length):
    """Wherever a large answer is cut off, that is seen."""
    asked = Request("get", cell_of("x"))
    verdicts = [
        judge(Response(answered(200, body)), request=asked).kind
        for body in (LARGE, LARGE[:length], LARGE[length:])
    ]
    assert verdicts == [VerdictKind.FINAL, VerdictKind.UNKNOWN, VerdictKind.UNKNOWN]


@pytest.mark.parametrize("status", [302, 303])
def test_a_redirected_append_is_unknown(status, serve, client, gate, background):
    """A redirect answers an idempotent request; of an append it does not tell what became of it."""
    serve(**QUICK)
    appending = background(append, client, "lane", "x")
    moved = answered(status, b"")
    moved.headers["Location"] = "https://elsewhere"
    gate.next().fail(moved)
    assert type(appending.exception(PATIENCE)) is OutcomeUnknownError


@pytest.mark.parametrize("lengths", [["5"], ["5", "14"]])
def test_a_length_that_is_wrong(lengths):
    """An answer whose Content-Length is too short, or is two, is not read as whole."""
    heads = "".join(f"Content-Length: {length}\r\n" for length in lengths)
    with listening(f"HTTP/1.1 200 OK\r\n{heads}\r\n".encode() + b'{"values": []}') as url:
        outcome = sent_to(url)
    found = judge(outcome, request=Request("get", cell_of("x")))
    assert (found.kind, found.why) == (VerdictKind.UNKNOWN, "answer not readable")


CALLS = {
    "reads": lambda sheet, number: sheet.acell(f"A{number}").value,
    "updates": lambda sheet, number: sheet.update([[number]], f"C{number}")["updatedRange"],
    "appends": lambda sheet, number: sheet.append_row([number])["updates"]["updatedRows"],
    "clears": lambda sheet, number: sheet.batch_clear([f"D{number}"])["clearedRanges"],
}


@pytest.mark.parametrize("name", ["a page", "nothing, as it says", "a part", "null"])
@pytest.mark.parametrize("kind", CALLS)
def test_a_merged_answer_that_is_no_json(kind, name, stage, emulator):
    """It means for calls that left together what it means for one of them alone."""
    scene = stage(**QUICK)
    scene.play(partial(scene.sheet.append_row, ["first"]))
    scene.door.close()
    held = scene.hold()
    calls = scene.put(*[partial(CALLS[kind], scene.sheet, number) for number in (1, 2, 3)])
    scene.release(held)
    arrival = scene.door.next()
    status, body = NOT_JSON[name]
    fault = Status(status, body=body, headers={"Content-Type": "application/json"}, applied=True)
    emulator.faults.add(fault, path=f"/{scene.book.id}/", count=1)
    arrival.answer()
    scene.door.open()
    found = [settled(call) for call in calls]
    emulator.faults.clear()
    if kind == "appends":
        assert [type(each) for each in found] == [OutcomeUnknownError] * 3
        assert len(scene.sent) == 1
    else:
        assert not any(isinstance(each, Exception) for each in found)
    assert [row[0] for row in scene.rows()].count("2") == (1 if kind == "appends" else 0)
