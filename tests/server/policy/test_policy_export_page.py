"""The page from which one sheet is exported: read for its own spreadsheet, and nothing besides."""

from __future__ import annotations

import gspread
import pytest
import requests
import responses
from gspread.exceptions import APIError

from queued_gspread.errors import CallRefusedError
from queued_gspread.server.google.session import adopt
from queued_gspread.server.google.transport import Transport
from queued_gspread.server.policy.export_page import is_export
from queued_gspread.server.policy.request import Failure, Request

PAGE = "https://docs.google.com/spreadsheets/d/1aB-_x/export"
CONTENT = "https://doc-0s-5o-sheets.googleusercontent.com/export/a/b?c=%2Fd"
OTHERS = [
    ("get", "http://docs.google.com/spreadsheets/d/x/export"),
    ("get", "https://docs.google.com:443/spreadsheets/d/x/export"),
    ("get", "https://docs.google.com.evil.example/spreadsheets/d/x/export"),
    ("get", "https://evil.example/spreadsheets/d/x/export"),
    ("get", "https://docs.google.com@evil.example/spreadsheets/d/x/export"),
    ("get", "https://evil@docs.google.com/spreadsheets/d/x/export"),
    ("get", "https://docs.google.com\\@evil.example/spreadsheets/d/x/export"),
    ("get", "https://docs.google.com/spreadsheets/d/x/export/"),
    ("get", "https://docs.google.com/spreadsheets/d/x/export#/x"),
    ("get", "https://docs.google.com/spreadsheets/d/x/edit"),
    ("get", "https://docs.google.com/spreadsheets/d/x/../y/export"),
    ("get", "https://docs.google.com/spreadsheets/d/a%2Fb/export"),
    ("get", "https://docs.google.com/spreadsheets/d/é/export"),
    ("get", "https://docs.google.com/spreadsheets/d//export"),
    ("get", "https://docs.google.com/document/d/x/export"),
    ("get", "https://docs.google.com/spreadsheets/export?id=x"),
    ("get", f"{PAGE}?id=other"),
    ("get", f"{PAGE}\n"),
    ("post", PAGE),
    ("head", PAGE),
    ("delete", PAGE),
]


@pytest.fixture
def session():
    """Return a session with all that must not leave for another place."""
    with requests.Session() as made:
        made.headers.update({"Authorization": "Bearer secret", "x-goog-api-key": "secret"})
        made.cookies.set("sid", "secret")
        yield made


@pytest.fixture
def send(session):
    """Return what sends a request as a server does, and returns its outcome."""
    http, tokens = adopt(gspread.Client(None, session), request_timeout=7.0)
    transport = Transport(http, tokens)
    yield lambda *given: transport.send(Request(*given), None).outcome
    http.session.close()


@pytest.fixture
def google():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.mark.parametrize(("method", "url"), OTHERS)
def test_only_the_page_is_read(method, url, send, google):
    """Neither another method, host, port or path nor another spreadsheet's id is let through."""
    assert not is_export(Request(method, url))
    outcome = send(method, url)
    assert isinstance(outcome, Failure)
    assert type(outcome.error) is CallRefusedError
    assert len(google.calls) == 0


@pytest.mark.parametrize(
    "given",
    [(PAGE,), (f"{PAGE}?format=csv&gid=0",), (PAGE, {"id": "1aB-_x", "gid": 5}), (f"{PAGE}?",)],
)
def test_the_page_is_read_by_get(given):
    """The page is known, whatever it is asked for."""
    assert is_export(Request("get", *given))
    assert not is_export(Request("get", PAGE, {"id": "other"}))
    assert not is_export(Request("get", PAGE, "id=other"))


@pytest.mark.parametrize(
    "params", [[(b"id", "other")], [("id", ["1aB-_x", "other"])], b"id=other", {b"id": b"other"}]
)
def test_no_spelling_of_another_id_is_let_through(params, send, google):
    """Whatever a parameter is made of, it names no other spreadsheet than the path does."""
    outcome = send("get", PAGE, params)
    assert type(outcome.error) is CallRefusedError
    assert len(google.calls) == 0


def test_the_file_is_fetched_without_credentials(send, google):
    """Where Google sends on to the file, it is the answer; no token, key or cookie goes there."""
    google.get(PAGE, status=307, headers={"Location": CONTENT})
    google.get(CONTENT, body=b"a,b\r\n")
    answer = send("get", PAGE, {"format": "csv"}).value
    assert (answer.status_code, answer.content) == (200, b"a,b\r\n")
    assert answer.url == f"{PAGE}?format=csv"
    page, content = (call.request for call in google.calls)
    assert page.headers["Authorization"] == "Bearer secret"
    assert content.url == CONTENT
    assert "secret" not in repr(content.headers)


@pytest.mark.parametrize(
    "place",
    [
        "https://accounts.google.com/ServiceLogin",
        "http://doc-sheets.googleusercontent.com/x",
        "https://doc-sheets.googleusercontent.com.evil.example/x",
        "https://doc-sheets.googleusercontent.com@evil.example/x",
        "https://evil.example/.googleusercontent.com/x",
        "https://evil.example\\.googleusercontent.com/x",
        "//doc-sheets.googleusercontent.com/x",
        "/spreadsheets/d/other/export",
    ],
)
def test_another_redirect_is_not_followed(place, send, google):
    """A redirect to anything but Google's place for files is the answer."""
    google.get(PAGE, status=302, headers={"Location": place})
    answer = send("get", PAGE).value
    assert (answer.status_code, len(google.calls)) == (302, 1)


def test_a_redirect_of_an_api_is_not_followed(send, google):
    """What leads from an API to the place for files is not followed either."""
    url = "https://www.googleapis.com/drive/v3/files/x/export"
    google.get(url, status=307, headers={"Location": CONTENT})
    assert send("get", url).value.status_code == 307
    assert len(google.calls) == 1


def test_the_place_for_files_redirects_nowhere(send, google):
    """There is one step, and no second one."""
    google.get(PAGE, status=307, headers={"Location": CONTENT})
    google.get(CONTENT, status=302, headers={"Location": f"{CONTENT}x"})
    assert send("get", PAGE).value.status_code == 302
    assert len(google.calls) == 2


def test_a_refusal_of_the_file_is_gspreads_error(send, google):
    """What the place for files refuses with is raised as an APIError, with the page's URL."""
    google.get(PAGE, status=307, headers={"Location": CONTENT})
    google.get(CONTENT, status=403, body=b"<html>")
    error = send("get", PAGE).error
    assert (type(error), error.response.status_code) == (APIError, 403)
    assert error.response.url == PAGE
