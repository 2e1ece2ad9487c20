import re

import gspread_source
import pytest
from discovery import document, methods_in
from gspread.exceptions import APIError

from queued_gspread.emulator.api.routes import ROUTES
from queued_gspread.emulator.batch import HANDLERS

KINDS = sorted(gspread_source.request_kinds())
CALLS = sorted(gspread_source.api_calls())


def calls_of(name):
    """Return verb and path of each method of an API."""
    return sorted((method["httpMethod"], method["path"]) for method in methods_in(document(name)))


IN_DRIVE = calls_of("drive.v3")
IN_SHEETS = calls_of("sheets.v4")


def test_the_source_was_understood():
    """The kinds and paths that gspread has sent for years are among those found."""
    assert {"addSheet", "deleteDimension", "mergeCells", "repeatCell", "updateCells"} <= set(KINDS)
    known = {("POST", "/v4/spreadsheets/7:batchUpdate"), ("POST", "/drive/v3/files/7/copy")}
    assert known <= set(CALLS)
    assert len(KINDS) >= 23
    assert len(CALLS) >= 22


@pytest.mark.parametrize("kind", KINDS)
def test_gspreads_kinds_are_known(kind):
    """Every kind of batchUpdate request that the installed gspread can send has a handler."""
    assert kind in HANDLERS


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_gspreads_urls_are_known(method, path):
    """Every method and path that the installed gspread can send leads to one of the API's."""
    found = [pattern for known, pattern, _ in ROUTES if known == method]
    assert any(pattern.fullmatch(path) for pattern in found)


@pytest.mark.parametrize(("method", "path"), IN_DRIVE)
def test_each_method_of_drive_is_answered(client, method, path):
    """A method that Drive has is answered for a file that is there, or with a 501 that names it."""
    given = {"fileId": client.create("x").id, "permissionId": "p", "commentId": "c", "name": "n"}
    for name in re.findall(r"{(\w+)}", path):
        path = path.replace(f"{{{name}}}", given.get(name, "1"))
    code, said = told(client, method, f"https://www.googleapis.com/drive/v3/{path}")
    if code == 501:
        assert path in said
    else:
        assert code != 404 or re.search("(?:Permission|Comment|Shared drive) not found", said)


def told(client, method, url):
    """Return the status of an answer, and its error's text."""
    try:
        found = client.http_client.request(method, url, json={}, params={"fields": "*"})
    except APIError as error:
        return error.code, str(error)
    return found.status_code, ""


@pytest.mark.parametrize(("method", "path"), IN_SHEETS)
def test_each_method_of_sheets_is_routed(method, path):
    """A method that the Sheets API has leads to one of the emulator's."""
    path = "/" + re.sub(r"{\+?(\w+)}", "7", path)
    found = [pattern for known, pattern, _ in ROUTES if known == method]
    assert any(pattern.fullmatch(path) for pattern in found)
