"""What answers and errors tell of the request that led to them."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
import requests
from gspread.exceptions import APIError

from queued_gspread.errors import OutcomeUnknownError
from queued_gspread.google_api.responses import made_up_response
from queued_gspread.protocol.identity import Identity
from queued_gspread.protocol.messages import Job, Reply
from queued_gspread.server.calls.outcome import in_doubt
from queued_gspread.server.policy.request import Exchange, Failure, Request
from queued_gspread.server.replay.advance import advance

SHEETS = "https://sheets.googleapis.com/v4/spreadsheets"

CELL = f"{SHEETS}/x/values/A1"


def place_of(request):
    return request.method, request.url


def error_of(call, *args):
    with pytest.raises(APIError) as caught:
        call(*args)
    return caught.value


@pytest.mark.parametrize(
    "call",
    [
        lambda http, book: http.values_get("none", "A1:Ü2", {"majorDimension": "ROWS"}),
        lambda http, book: http.values_append(book, "Nowhere!A1", {}, {"values": [[1]]}),
        lambda http, book: http.batch_update(book, {"requests": [{"no": 1}]}),
        lambda http, book: http.list_permissions("none"),
        lambda http, book: http.request("patch", f"{SHEETS}/{book}/nothing?x=y#z"),
    ],
)
def test_an_error_tells_the_request_as_with_gspread(call, gc, sh, emulator):
    """Method and URL in an APIError are those of plain gspread's, also of one that was pickled."""
    plain = error_of(call, emulator.gspread_client().http_client, sh.id)
    queued = error_of(call, gc.http_client, sh.id)
    for error in (queued, pickle.loads(pickle.dumps(queued))):
        assert place_of(error.response.request) == place_of(plain.response.request)
        assert (error.response.request.headers, error.response.request.body) == ({}, None)


def test_an_answer_tells_its_request(gc, sh, emulator):
    """An answer that a method returns has the request's method and URL, as with gspread."""
    plain = emulator.gspread_client().open_by_key(sh.id)
    told = [
        place_of(book.share("a@example.com", "user", "reader", notify=False).request)
        for book in (plain, sh)
    ]
    assert told[0] == told[1]
    answer = gc.http_client.request("get", f"{SHEETS}/{sh.id}", {"fields": "spreadsheetId"})
    assert place_of(answer.request) == ("GET", f"{SHEETS}/{sh.id}?fields=spreadsheetId")


def test_an_http_error_of_an_answer_tells_its_request(gc, sh):
    """What raise_for_status() raises has the request of the answer that it is called on."""
    answer = error_of(gc.http_client.values_get, "none", "A1").response
    with pytest.raises(requests.HTTPError) as caught:
        answer.raise_for_status()
    assert place_of(caught.value.request) == ("GET", f"{SHEETS}/none/values/A1")


@pytest.mark.parametrize(
    "cls", [requests.ConnectionError, requests.ReadTimeout, requests.HTTPError]
)
def test_an_error_of_the_connection_tells_its_request(cls):
    """An exception of requests has the caller's request, and not what was sent for several."""
    sent = requests.Request("GET", f"{SHEETS}/x/values:batchGet?ranges=Bob").prepare()
    exchange = Exchange(Request("get", CELL), Failure(cls("no answer", request=sent)))
    job = Job("http_client", "request", args=("get", CELL))
    reply = advance(job.encode(), [exchange]).reply
    error = Reply.decode(reply.encode(), None).error
    assert (type(error), place_of(error.request)) == (cls, ("GET", CELL))
    assert b"Bob" not in reply.encode()


def test_an_unknown_outcome_and_a_lack_of_scopes_tell_their_request():
    """Errors that this package makes in Google's place tell the request, as Google's do."""
    job = Job("http_client", "values_append", args=("x", "A1", {"a": 1}, {"values": [[1]]}))
    asked = advance(job.encode(), ()).request
    unknown = in_doubt(OutcomeUnknownError(made_up_response(0, "", {})), job, asked, None)
    narrow = replace(job, identity=Identity(None, None, ("openid",)))
    for error in (unknown, advance(narrow.encode(), ()).reply.error):
        told = Reply.decode(Reply(error=error).encode(), None).error.response.request
        assert place_of(told) == ("POST", f"{CELL}:append?a=1")
