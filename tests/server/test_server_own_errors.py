"""The errors of calls that left together: to each caller, those of its own request alone."""

from __future__ import annotations

import json
import pickle
import socket
import traceback
from functools import partial

import pytest
import requests
from gate import SHEETS, google_error, response
from gspread.exceptions import APIError
from merge_fixtures import settled

from queued_gspread.emulator.faults import Html, Status
from queued_gspread.errors import OutcomeUnknownError
from queued_gspread.server.merging import as_alone, each_as_alone
from queued_gspread.server.policy.request import Exchange, Failure, Request, Response

QUICK = {"quota_window": 0.3, "retry_for": 0}
PERMISSION = "The caller does not have permission"
CALLS = {
    "reads": lambda sheet, number: sheet.get(f"A{number}:B{number}"),
    "updates": lambda sheet, number: sheet.update([[number]], f"C{number}"),
    "appends": lambda sheet, number: sheet.append_row([number]),
    "clears": lambda sheet, number: sheet.batch_clear([f"D{number}"]),
    "changes": lambda sheet, number: sheet.columns_auto_resize(number, number + 1),
}
FAULTS = {
    "403": Status(403, message=PERMISSION),
    "429": Status(429),
    "503": Status(503, applied=True),
    "502 on a page": Html(502),
    "503 of a gateway": Status(503, body='{"error": "no upstream"}'),
    "200 on a page": Status(200, body="<html>"),
}


def about(error):
    """Return what an error tells of a request."""
    told = error.response
    request = error.request if isinstance(error, requests.RequestException) else told.request
    asked = request and (request.method, request.url, dict(request.headers), request.body)
    if isinstance(error, requests.RequestException):
        return type(error), str(error), asked
    return type(error), str(error).partition(" was sent at")[0], told.url, told.content, asked


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("kind", CALLS)
def test_an_error_of_many_is_each_ones_own(kind, name, stage, emulator, background):
    """Each caller's error has the URL and the text that it has where its call is made alone."""
    scene = stage(**QUICK)
    scene.play(partial(scene.sheet.append_row, ["first"]))
    scene.door.close()
    made = [partial(CALLS[kind], scene.sheet, number) for number in (1, 2, 3)]
    held = scene.hold()
    calls = scene.put(*made)
    scene.release(held)
    arrival = scene.door.next()
    emulator.faults.add(FAULTS[name], path=f"/{scene.book.id}")
    arrival.answer()
    scene.door.open()
    together = [settled(call) for call in calls]
    alone = [settled(background(call)) for call in made]
    emulator.faults.clear()
    assert all(isinstance(each, Exception) for each in alone)
    assert list(map(about, together)) == list(map(about, alone))


OTHERS = ["Invalid data[1]: 'Sheet1'!C2", "Unable to parse range: Bob!A1", "no row Bob in Sheet1"]


@pytest.mark.parametrize("message", OTHERS)
def test_what_google_says_of_others_is_not_told(message, stage, emulator):
    """An error of the server's that may quote another caller's range or value keeps its status."""
    scene = stage(**QUICK)
    held = scene.hold()
    calls = scene.put(*[partial(CALLS["updates"], scene.sheet, number) for number in (1, 2)])
    scene.release(held)
    arrival = scene.door.next()
    error = google_error(500)
    error.response._content = json.dumps({"error": {"code": 500, "message": message}}).encode()
    arrival.fail(APIError(error.response))
    for _ in calls:  # each goes alone once more
        scene.door.next().fail(google_error(500))
    of_all = Failure(APIError(error.response))
    shared = [Exchange(asked(name), of_all) for name in ("A1", "B1")]
    alone = [each.outcome.error for each in each_as_alone(shared, is_final=True)]
    for told in (*map(settled, calls), *alone):
        assert (type(told), told.code) == (APIError, 500)
        shown = f"{told} {told.error} {told.response.text} {getattr(told, '__notes__', '')}"
        assert message not in shown
        assert "Bob" not in shown
        assert str(pickle.loads(pickle.dumps(told))) == str(told)


def asked(ranges):
    return Request("get", f"{SHEETS}/x/values:batchGet", {"ranges": ranges})


def refused(request):
    """Return how a request fails where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    try:
        requests.get(f"http://127.0.0.1:{port}/v4/spreadsheets/x/values:batchGet", request.params)
    except requests.ConnectionError as error:
        return error


def test_an_error_of_the_connection_has_no_others_url():
    """The text of a connection's error, and its past, have the URL of the caller's request."""
    shared = refused(asked(["Mine!A1", "Bob!A1"]))
    assert "Bob" in str(shared)
    own = as_alone(Exchange(asked(["Mine!A1"]), Failure(shared))).outcome.error
    told = "".join(traceback.format_exception(type(own), own, own.__traceback__))
    assert "Bob" not in told
    assert "batchGet?ranges=Mine%21A1 (Caused by" in told
    assert (type(own), own.request) == (requests.ConnectionError, None)


def test_an_error_of_reading_has_no_others_answer():
    """What a client raises for JSON that it could not read does not have the JSON in it."""
    shared = requests.JSONDecodeError("Expecting value", '{"values": [["Bob"', 17)
    own = as_alone(Exchange(asked(["Mine!A1"]), Failure(shared))).outcome.error
    assert (type(own), own.doc) == (requests.JSONDecodeError, "")
    assert pickle.loads(pickle.dumps(own)).msg == "Expecting value"


@pytest.mark.parametrize("status", [401, 403, 404, 429, 503])
def test_a_page_that_quotes_the_url_is_not_told(status):
    """Whatever its status, a page with the URL of the request for all is left out."""
    error = google_error(status, page=True)
    error.response._content = b"<html>You asked for /v4/spreadsheets/x/values:batchGet?ranges=Bob"
    own = as_alone(Exchange(asked(["Mine!A1"]), Failure(APIError(error.response)))).outcome.error
    assert (type(own), own.response.status_code) == (APIError, status)
    assert "Bob" not in f"{own} {own.response.text}"


def test_an_answer_that_a_hook_has_raised_is_each_ones_own():
    """What a session raises for a status keeps that, with the caller's own URL in all of it."""
    answer = google_error(503).response
    answer.url = f"{SHEETS}/x/values:batchGet?ranges=Bob"
    answer.request = requests.Request("get", answer.url).prepare()
    with pytest.raises(requests.HTTPError) as shared:
        answer.raise_for_status()
    own = as_alone(Exchange(asked(["Mine!A1"]), Failure(shared.value))).outcome.error
    assert (type(own), own.response.status_code) == (requests.HTTPError, 503)
    assert "ranges=Mine" in own.response.url
    assert "Bob" not in f"{own} {own.response.url} {own.response.text}"


def test_an_unreadable_answer_of_many_is_nobodys():
    """Half of an answer to many has what others asked for, and so it is not shown."""
    shared = response()
    shared.url, shared._content = f"{SHEETS}/x/values:batchGet?ranges=Bob", b'{"values": [["Bob"'
    own = as_alone(Exchange(asked(["Mine!A1"]), Response(shared))).outcome.value
    assert (own.status_code, own.content) == (200, b"")
    assert own.url == f"{SHEETS}/x/values:batchGet?ranges=Mine%21A1"


@pytest.mark.parametrize(
    ("shared", "own"),
    [
        ("http://127.0.0.1:9/v4/spreadsheets/x/values:batchGet?ranges=B", "http://127.0.0.1:9"),
        ("https://gate/way/v4/spreadsheets/x/values:batchGet", "https://gate/way"),
        (None, "https://sheets.googleapis.com"),
        ("", "https://sheets.googleapis.com"),
    ],
)
def test_where_an_error_comes_from(shared, own):
    """An error's URL is at the place to which the request for all was sent."""
    error = google_error(503)
    error.response.url = shared
    found = as_alone(Exchange(asked(["A1"]), Failure(error))).outcome.error
    assert found.response.url == f"{own}/v4/spreadsheets/x/values:batchGet?ranges=A1"


@pytest.mark.parametrize("error", [ValueError("x"), ConnectionResetError(104, "reset")])
def test_another_error_stays_as_it_is(error):
    """What has no request in it is told as it came."""
    assert as_alone(Exchange(asked(["A1"]), Failure(error))).outcome.error is error


def test_an_unknown_outcome_of_many_is_each_ones_own(stage):
    """Who is told that nobody knows is told with its own URL, cause included."""
    scene = stage(**QUICK)
    scene.play(partial(scene.sheet.append_row, ["first"]))
    scene.door.close()
    held = scene.hold()
    calls = scene.put(*[partial(scene.sheet.append_row, [value]) for value in "ab"])
    scene.release(held)
    arrival = scene.door.next()
    error = google_error(500)
    error.response.url = f"{arrival.endpoint}?of=all"
    arrival.fail(error)
    for call in calls:
        told = settled(call)
        assert type(told) is OutcomeUnknownError
        assert "of=all" not in f"{told.response.url} {told.__cause__.response.url}"
