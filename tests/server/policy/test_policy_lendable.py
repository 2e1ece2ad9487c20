"""Which requests may go out under another account, and which failures concern an account alone."""

from __future__ import annotations

import pytest
from google.auth.exceptions import RefreshError
from gspread.exceptions import APIError

from queued_gspread.google_api.responses import made_up_response
from queued_gspread.server.policy.lendable import (
    concerns_account,
    is_denied,
    may_be_lent,
    shows_right_to_write,
    spreadsheet_of,
)
from queued_gspread.server.policy.request import CREDENTIALS, Failure, Request, Response

SHEETS = "https://sheets.googleapis.com/v4/spreadsheets"


def batch(*requests, **more):
    return Request("post", f"{SHEETS}/id:batchUpdate", json={"requests": [*requests], **more})


TITLED = {"updateSheetProperties": {"properties": {"title": "T"}, "fields": "title"}}


@pytest.mark.parametrize(
    "request_",
    [
        Request("get", f"{SHEETS}/id/values/A1"),
        Request("get", f"{SHEETS}/id/values:batchGet", params={"ranges": ["A1"]}),
        Request("post", f"{SHEETS}/id/values/A1:append", json={"values": [[1]]}),
        Request("put", f"{SHEETS}/id/values/A1", json={"values": [[1]]}),
        Request("post", f"{SHEETS}/id/values:batchClear", json={"ranges": ["A1"]}),
        batch(),
        batch(TITLED, TITLED),
        batch({"addSheet": {"properties": {"title": "T"}}}),
        batch({"repeatCell": {"cell": {"note": "dataSource"}, "fields": "note"}}),
        Request("post", f"{SHEETS}/id:batchUpdate", data='{"requests": []}'),
    ],
)
def test_what_concerns_cells_may_be_lent(request_):
    """Requests for cells may go out under any account that may use the spreadsheet."""
    assert may_be_lent(request_)
    assert spreadsheet_of(request_) == "id"


@pytest.mark.parametrize(
    "request_",
    [
        Request(CREDENTIALS, "expiry"),
        Request("get", f"{SHEETS}/id"),
        Request("post", SHEETS, json={}),
        Request("get", "https://www.googleapis.com/drive/v3/files/id"),
        Request("get", "https://docs.google.com/spreadsheets/d/id/export"),
        Request("get", f"{SHEETS}/id/values/a/b"),
        Request("get", f"{SHEETS}/id/values/A1", headers=[("X-Http-Method-Override", "PUT")]),
        Request("get", f"{SHEETS}/id/values/A1", headers={"X-Goog-User-Project": "p"}),
        Request("get", f"{SHEETS}/id/values/A1", params={"key": "k"}),
        Request("get", f"{SHEETS}/id/values/A1?$quotaUser=ann"),
        Request("get", f"{SHEETS}/id/values/A1", params=object()),
        Request("get", f"{SHEETS}/id/values/..%2F..%2Fother%2Fvalues%2FA1"),
        Request("post", f"{SHEETS}/id:batchUpdate"),
        Request("post", f"{SHEETS}/id:batchUpdate", data='{"requests": [], "requests": []}'),
        batch(TITLED, includeSpreadsheetInResponse=True),
        batch(TITLED, {"addProtectedRange": {"protectedRange": {}}}),
        batch({"repeatCell": {"cell": {}, "fields": "*"}}),
        batch({"updateCells": {"rows": [], "fields": "chipRuns"}}),
        # Google's JSON takes names in either spelling.
        batch({"updateCells": {"rows": [], "fields": "note,chip_runs"}}),
        batch({"addSheet": {"properties": {"data_source_sheet_properties": {}}}}),
        batch({"addSheet": {"properties": {"dataSourceSheetProperties": {}}}}),
        batch({"sortRange": {"sortSpecs": [{"dataSourceColumnReference": {"name": "a"}}]}}),
        batch({"danceSheet": {}}),
        batch({**TITLED, "addSheet": {}}),
        batch({"addSheet": None}),
        batch(None),
    ],
)
def test_what_depends_on_the_account_is_not_lent(request_):
    """What depends on whose account it is, or cannot be read, goes out as the first account."""
    assert not may_be_lent(request_)


@pytest.mark.parametrize(
    ("request_", "shows"),
    [
        (Request("post", f"{SHEETS}/id/values/A1:clear"), True),
        (Request("put", f"{SHEETS}/id/values/A1", json={"values": [[1]]}), True),
        (batch(TITLED), True),
        (batch(), False),
        (Request("put", f"{SHEETS}/id/values/A1", json={"values": []}), False),
        (Request("post", f"{SHEETS}/id/values:batchUpdate", json={"data": []}), False),
        (Request("post", f"{SHEETS}/id/values:batchClear", json={"ranges": []}), False),
        (Request("post", f"{SHEETS}/id/sheets/0:copyTo", json={}), False),
    ],
)
def test_what_shows_that_an_account_may_write(request_, shows):
    """Only a write that changes something, and that may be lent, shows a right to all of these."""
    assert shows_right_to_write(request_) is shows


def failed(status, message="no", status_text="X"):
    error = {"code": status, "message": message, "status": status_text}
    return Failure(APIError(made_up_response(status, status_text, error)))


@pytest.mark.parametrize(
    ("outcome", "denied", "concerns"),
    [
        (failed(403, "The caller does not have permission"), True, True),
        (failed(404, "Requested entity was not found."), True, True),
        (failed(400, "You are trying to edit a protected cell or object."), False, True),
        (failed(400, "Unable to parse range: x"), False, False),
        (failed(400, "Unable to parse range: protected!A1"), False, False),
        (failed(400, 'A sheet with the name "protected" already exists.'), False, False),
        (failed(500), False, False),
        (Failure(RefreshError("no token")), False, True),
        (Failure(ValueError("403")), False, False),
        (Response(object()), False, False),
    ],
)
def test_what_concerns_an_account_alone(outcome, denied, concerns):
    """403 and 404, a protected range and a token that is missing may be an account's own affair."""
    assert (is_denied(outcome), concerns_account(outcome)) == (denied, concerns)
