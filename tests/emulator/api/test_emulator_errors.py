import time

import pytest
import requests
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials
from gspread.exceptions import APIError, SpreadsheetNotFound

from queued_gspread.emulator.accounts.project import Project
from queued_gspread.emulator.batch import HANDLERS


def refusal(call, *args, **kwargs):
    """Return the error body that a call is answered with."""
    with pytest.raises(APIError) as caught:
        call(*args, **kwargs)
    return caught.value.response.json()["error"]


def invalid(message):
    """Return the Sheets API's 400 with this message."""
    return {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}


def test_unknown_spreadsheet(client):
    """An unknown key gets the Sheets API's 404."""
    with pytest.raises(SpreadsheetNotFound) as caught:
        client.open_by_key("nope")
    assert caught.value.args[0].json() == {
        "error": {
            "code": 404,
            "message": "Requested entity was not found.",
            "status": "NOT_FOUND",
        }
    }


def test_private_spreadsheet(client, emulator):
    """A spreadsheet that is not shared gets 403 from Sheets, which gspread turns around."""
    emulator.add_private_file("private")
    with pytest.raises(PermissionError) as caught:
        client.open_by_key("private")
    error = caught.value.__cause__.response.json()["error"]
    assert (error["code"], error["status"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    "asked", ["Nope!A1", "Nope", "'No pe'!A1", "A1:[5", "'Sheet1'!A1:!", "Sheet1!", "A0"]
)
def test_bad_range(book, asked):
    """A range that names no cells gets 400 with the range as it was asked for."""
    error = refusal(book.values_get, asked)
    assert error == invalid(f"Unable to parse range: {asked}")


@pytest.mark.parametrize(
    ("asked", "named"),
    [("A1001", "Sheet1!A1001"), ("AA1:AB2", "Sheet1!AA1:AB2"), ("Sheet1!Z1001", "Sheet1!Z1001")],
)
def test_range_beyond_the_grid(book, asked, named):
    """A range that begins outside the grid gets 400 with the grid's size."""
    message = f"Range ({named}) exceeds grid limits. Max rows: 1000, max columns: 26"
    assert refusal(book.values_get, asked) == invalid(message)
    params = {"valueInputOption": "RAW"}
    error = refusal(book.values_update, asked, params, {"values": [[1]]})
    assert error == invalid(message)


def test_range_that_ends_beyond_the_grid(book):
    """A range that only ends outside the grid is read up to the edge."""
    assert book.values_get("Y999:AB2000")["range"] == "Sheet1!Y999:Z1000"


def test_values_larger_than_their_range(sheet):
    """More values than a range has cells get 400, by rows first."""
    message = "Requested writing within range [Sheet1!A1:B1], but tried writing to {}"
    assert refusal(sheet.update, [[1], [2]], "A1:B1") == invalid(message.format("row [2]"))
    assert refusal(sheet.update, [[1, 2, 3]], "A1:B1") == invalid(message.format("column [C]"))


def test_missing_input_option(book):
    """An update without valueInputOption gets 400."""
    error = refusal(book.values_update, "A1", {}, {"values": [[1]]})
    assert error == invalid("'valueInputOption' is required but not specified")


def test_values_of_the_wrong_type(book):
    """Values that are not rows of scalars get 400 that names the field."""
    params = {"valueInputOption": "RAW"}
    error = refusal(book.values_update, "A1", params, {"values": "X"})
    kind = "type.googleapis.com/google.protobuf.ListValue"
    assert error["message"] == f"Invalid value at 'data.values' ({kind}), \"X\""
    assert error["details"][0]["fieldViolations"][0]["field"] == "data.values"
    error = refusal(book.values_update, "A1", params, {"values": [[{"a": 1}]]})
    assert error["message"].startswith("Invalid values[0][0]: struct_value")


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"addSheet": {"properties": {"title": "Sheet1"}}},
            'addSheet: A sheet with the name "Sheet1" already exists. Please enter another name.',
        ),
        ({"deleteSheet": {"sheetId": 5}}, "deleteSheet: No sheet with id: 5"),
        (
            {"deleteSheet": {"sheetId": 0}},
            "deleteSheet: You can't remove all the sheets in a document.",
        ),
        (
            {"updateSheetProperties": {"properties": {"hidden": True}, "fields": "hidden"}},
            "updateSheetProperties: You can't hide all the sheets in a document.",
        ),
        (
            {"insertDimension": {"range": {"sheetId": 9, "startIndex": 0, "endIndex": 1}}},
            "insertDimension: No grid with id: 9",
        ),
        (
            {"deleteDimension": {"range": {"dimension": "ROWS", "startIndex": 0}}},
            "deleteDimension: You can't delete all the rows on the sheet.",
        ),
        ({"mergeCells": {"range": {"sheetId": 7}}}, "mergeCells: No grid with id: 7"),
        (
            {"deleteNamedRange": {"namedRangeId": "x"}},
            "deleteNamedRange: Cannot find named range with id: x",
        ),
        (
            {"deleteProtectedRange": {"protectedRangeId": 3}},
            "deleteProtectedRange: No protected range with id: 3",
        ),
    ],
)
def test_invalid_batch_request(book, request_, message):
    """A request that cannot be applied gets 400 that names its place and its kind."""
    error = refusal(book.batch_update, {"requests": [request_]})
    assert error == invalid(f"Invalid requests[0].{message}")


def test_batch_update_is_all_or_nothing(book):
    """A later request that fails undoes the earlier ones and is named by its place."""
    good = {"addSheet": {"properties": {"title": "never"}}}
    error = refusal(book.batch_update, {"requests": [good, {"deleteSheet": {"sheetId": 5}}]})
    assert error["message"] == "Invalid requests[1].deleteSheet: No sheet with id: 5"
    assert [sheet.title for sheet in book.worksheets()] == ["Sheet1"]


def test_unknown_kind_of_request(book):
    """A kind of request that does not exist gets Google's schema error."""
    error = refusal(book.batch_update, {"requests": [{"paintItBlack": {}}]})
    assert "Unknown name \"paintItBlack\" at 'requests[0]'" in error["message"]


def test_empty_batch(book):
    """A batch without requests gets 400."""
    error = refusal(book.batch_update, {"requests": []})
    assert error == invalid("Must specify at least one request.")


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic abc"}]
)
@pytest.mark.parametrize("path", ["/v4/spreadsheets/x", "/drive/v3/files"])
def test_unauthenticated(emulator, headers, path):
    """Without a token that was granted here, both APIs answer 401."""
    response = requests.get(emulator.url + path, headers=headers, timeout=10)
    error = response.json()["error"]
    assert (response.status_code, error["status"]) == (401, "UNAUTHENTICATED")
    assert error["message"].startswith("Request had invalid authentication credentials.")


def test_api_key(emulator):
    """An API key is as good as a token."""
    url = emulator.url + "/drive/v3/files"
    assert requests.get(url, params={"key": "k"}, timeout=10).status_code == 200
    assert requests.get(url, headers={"x-goog-api-key": "k"}, timeout=10).status_code == 200


def test_revoked_tokens_are_refreshed(client, book, emulator):
    """After a 401 google-auth fetches a new token, and the call succeeds."""
    emulator.revoke_tokens()
    before = len(emulator.token_requests)
    assert book.fetch_sheet_metadata()["spreadsheetId"] == book.id
    assert len(emulator.token_requests) == before + 1


def test_key_of_another_account(emulator):
    """An assertion that another key signed gets no token."""
    info = Project(time.monotonic, lambda: emulator.url).first.service_account_info()
    credentials = Credentials.from_service_account_info(info, scopes=["x"])
    with pytest.raises(RefreshError, match="Invalid JWT Signature"):
        credentials.refresh(Request())


def test_key_without_scopes(emulator):
    """An assertion that asks for no scope gets no token."""
    info = emulator.service_account_info()
    credentials = Credentials.from_service_account_info(info, scopes=[])
    with pytest.raises(RefreshError, match="invalid_scope"):
        credentials.refresh(Request())


def test_scopes(emulator, book):
    """A token reads or writes only what its scopes allow."""
    info = emulator.service_account_info()
    scopes = ["https://www.googleapis.com/auth/spreadsheets.readonly"]
    credentials = Credentials.from_service_account_info(info, scopes=scopes)
    credentials.refresh(Request())
    headers = {"Authorization": f"Bearer {credentials.token}"}
    url = f"{emulator.url}/v4/spreadsheets/{book.id}"
    assert requests.get(url, headers=headers, timeout=10).status_code == 200
    for refused in (
        requests.post(f"{url}:batchUpdate", headers=headers, json={}, timeout=10),
        requests.get(f"{emulator.url}/drive/v3/files", headers=headers, timeout=10),
    ):
        error = refused.json()["error"]
        assert (error["code"], error["status"]) == (403, "PERMISSION_DENIED")
        assert error["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


def test_unknown_names(book):
    """A query parameter or a name in a body that the method does not have gets 400."""
    error = refusal(book.values_get, "A1", {"color": "red"})
    assert 'Unknown name "color": Cannot bind query parameter.' in error["message"]
    error = refusal(book.values_update, "A1", {"valueInputOption": "RAW"}, {"value": 1})
    assert "Unknown name \"value\" at 'data': Cannot find field." in error["message"]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"valueRenderOption": "PRETTY"}, "value_render_option"),
        ({"dateTimeRenderOption": "PRETTY"}, "date_time_render_option"),
        ({"majorDimension": "DIAGONAL"}, "major_dimension"),
    ],
)
def test_unknown_options(book, params, field):
    """An option with a value that does not exist gets 400 that names the field."""
    error = refusal(book.values_get, "A1", params)
    assert error["message"].startswith(f"Invalid value at '{field}'")


def test_freezing_everything(sheet):
    """Not all rows of a sheet can be frozen."""
    error = refusal(sheet.freeze, rows=1000)
    assert error["message"].endswith("You can't freeze all visible rows on the sheet.")


def test_a_failure_of_the_emulator_is_an_internal_error(book, caplog, monkeypatch):
    """What the emulator cannot cope with is a 500 and leaves everything as it was."""
    monkeypatch.setitem(HANDLERS, "mergeCells", lambda *_: 1 / 0)
    add = {"addSheet": {"properties": {"title": "never"}}}
    error = refusal(book.batch_update, {"requests": [add, {"mergeCells": {}}]})
    assert (error["code"], error["status"]) == (500, "INTERNAL")
    assert [sheet.title for sheet in book.worksheets()] == ["Sheet1"]
    assert "The emulator failed" in caplog.text
