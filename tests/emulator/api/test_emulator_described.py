"""Every method and kind of request of Google's descriptions: served, or refused with a 501."""

import re

import pytest
from batch_examples import BEFORE, EXAMPLES, FILTERS
from discovery import document, methods_in
from gspread.exceptions import APIError

from queued_gspread.emulator.batch import HANDLERS

APIS = [document(name) for name in ("sheets.v4", "drive.v3")]
METHODS = {method["id"]: (api, method) for api in APIS for method in methods_in(api)}
KINDS = sorted(APIS[0]["schemas"]["Request"]["properties"])
RAW = {"valueInputOption": "RAW"}
ROWS = {"values": [["a"]]}
# What the methods that are served are asked: their parameters, and the body.
SHEETS = {
    "batchUpdate": ({}, {"requests": [{"addSheet": {}}]}),
    "create": ({}, {}),
    "get": ({}, None),
    "getByDataFilter": ({}, {"dataFilters": FILTERS}),
    "developerMetadata.get": ({}, None),
    "developerMetadata.search": ({}, {"dataFilters": FILTERS}),
    "sheets.copyTo": ({}, {"destinationSpreadsheetId": "{fileId}"}),
    "values.append": (RAW, ROWS),
    "values.batchClear": ({}, {"ranges": ["A1"]}),
    "values.batchClearByDataFilter": ({}, {"dataFilters": FILTERS}),
    "values.batchGet": ({"ranges": "A1"}, None),
    "values.batchGetByDataFilter": ({}, {"dataFilters": FILTERS}),
    "values.batchUpdate": ({}, {**RAW, "data": [{"range": "A1", **ROWS}]}),
    "values.batchUpdateByDataFilter": ({}, {**RAW, "data": [{"dataFilter": FILTERS[0], **ROWS}]}),
    "values.clear": ({}, None),
    "values.get": ({}, None),
    "values.update": (RAW, ROWS),
}
ALL = {"fields": "*"}
DRIVE = {
    "about.get": (ALL, None),
    "comments.create": (ALL, {"content": "c"}),
    "comments.get": (ALL, None),
    "comments.list": (ALL, None),
    "comments.update": (ALL, {"content": "d"}),
    "drives.get": ({}, None),
    "drives.list": ({}, None),
    "files.copy": ({}, {}),
    "files.create": ({}, {"name": "n"}),
    "files.delete": ({}, None),
    "files.export": ({"mimeType": "text/csv"}, None),
    "files.get": ({}, None),
    "files.list": ({}, None),
    "files.update": ({}, {"name": "n"}),
    "permissions.create": ({}, {"type": "anyone", "role": "reader"}),
    "permissions.delete": ({}, None),
    "permissions.get": ({}, None),
    "permissions.list": ({}, None),
    "permissions.update": ({}, {"role": "writer"}),
}
SERVED = {f"sheets.spreadsheets.{name}": asked for name, asked in SHEETS.items()}
SERVED |= {f"drive.{name}": asked for name, asked in DRIVE.items()}
NOT_SERVED_KINDS = {
    "addCommentReply",
    "addDataSource",
    "cancelDataSourceRefresh",
    "deleteComment",
    "deleteCommentReply",
    "deleteDataSource",
    "insertComment",
    "refreshDataSource",
    "updateCommentPost",
    "updateDataSource",
}


@pytest.fixture(scope="module")
def client(emulator):
    """Return a client with all scopes that there are, as some methods ask for seldom ones."""
    scopes = {scope for api in APIS for scope in api["auth"]["oauth2"]["scopes"]}
    return emulator.gspread_client(scopes=sorted(scopes))


@pytest.fixture
def ids(client, emulator, book):
    """Return what stands for each name in a path: a spreadsheet with all that can be asked for."""
    book.sheet1.resize(12, 9)
    book.batch_update({"requests": BEFORE})
    file = f"https://www.googleapis.com/drive/v3/files/{book.id}"
    shared = book.share("other@example.com", "user", "reader", notify=False).json()
    comment = client.http_client.request(
        "POST", f"{file}/comments", params=ALL, json={"content": "c"}
    ).json()
    return {
        "spreadsheetId": book.id,
        "fileId": book.id,
        "sheetId": "0",
        "metadataId": "8",
        "range": "A1",
        "permissionId": shared["id"],
        "commentId": comment["id"],
        "driveId": emulator.add_shared_drive("Team"),
    }


def told(client, verb, url, params, body):
    """Return the status of an answer, and its error's text."""
    try:
        found = client.http_client.request(verb, url, params=params, json=body)
    except APIError as error:
        return error.code, str(error)
    return found.status_code, ""


@pytest.mark.parametrize("name", METHODS)
def test_each_method_is_served_or_named_as_not_emulated(client, ids, name):
    """A method of Google's answers with success what it is for, or with a 501 that names it."""
    api, method = METHODS[name]
    path = re.sub(r"{\+?(\w+)}", lambda found: ids.get(found[1], "7"), method["path"])
    url = f"{api['rootUrl']}{api['servicePath']}{path}"
    params, body = SERVED.get(name, ({}, None))
    if body and "{fileId}" in body.values():
        body = dict.fromkeys(body, ids["fileId"])
    code, said = told(client, method["httpMethod"], url, params, body)
    if name in SERVED:
        assert code in {200, 204}, said
    else:
        assert code == 501
        assert f"The emulator does not answer {method['httpMethod']}" in said
        assert path in said


@pytest.mark.parametrize(
    "name", [name for name, (_, method) in METHODS.items() if "mediaUpload" in method]
)
def test_each_upload_is_named_as_not_emulated(client, ids, name):
    """What Drive's methods take by their paths for uploads is a 501 that names the path."""
    api, method = METHODS[name]
    path = method["mediaUpload"]["protocols"]["simple"]["path"].replace("{fileId}", ids["fileId"])
    verb, url = method["httpMethod"], f"{api['rootUrl'].rstrip('/')}{path}"
    code, said = told(client, verb, url, {"uploadType": "media"}, None)
    assert code == 501
    assert f"The emulator does not answer {verb} {path}" in said


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_request_is_served_or_named_as_not_emulated(book, ids, kind):
    """A kind of request in a batch has its effect, or is a 501 that names it."""
    assert ids["spreadsheetId"] == book.id
    body = {"requests": [{kind: EXAMPLES.get(kind, {})}]}
    if kind not in NOT_SERVED_KINDS:
        assert len(book.batch_update(body)["replies"]) == 1
        return
    with pytest.raises(APIError) as caught:
        book.batch_update(body)
    assert (caught.value.code, caught.value.error["status"]) == (501, "UNIMPLEMENTED")
    assert f"requests[0].{kind}" in caught.value.error["message"]


def test_nothing_is_missing_in_the_table(tell):
    """What is served is Google's, and with what is refused it is all that Google describes."""
    assert METHODS.keys() >= SERVED.keys()
    assert HANDLERS.keys() | NOT_SERVED_KINDS == {*KINDS}
    assert not HANDLERS.keys() & NOT_SERVED_KINDS
    assert EXAMPLES.keys() == HANDLERS.keys()
    for start in ("sheets.", "drive."):
        known = [name for name in METHODS if name.startswith(start)]
        served = len(SERVED.keys() & {*known})
        tell(f"{start[:-1]}: {served} methods served, {len(known) - served} are 501")
    tell(f"kinds in a batch: {len(HANDLERS)} served, {len(NOT_SERVED_KINDS)} are 501")
