"""What scopes allow, compared with Google's own description of its APIs."""

from __future__ import annotations

import re

import gspread
import pytest
from discovery import document, methods_in
from google.oauth2.service_account import Credentials
from gspread.exceptions import APIError
from gspread.utils import ExportFormat

import queued_gspread
from queued_gspread.emulator import Emulator
from queued_gspread.google_api.scopes import SHEETS_BEFORE_V4, allows
from queued_gspread.server import Server
from queued_gspread.server.policy.idempotency import query_of
from queued_gspread.server.policy.request import Request

AUTH = "https://www.googleapis.com/auth/"
# What people may grant to an application, and what is in no description.
# What Google's guide says of these, beside the descriptions: no content is read or written by them.
NO_CONTENT = {
    AUTH + name for name in ("drive.metadata", "drive.metadata.readonly", "drive.apps.readonly")
}
OTHER_SCOPES = {SHEETS_BEFORE_V4, "openid", AUTH + "calendar", AUTH + "userinfo.email"}


def paths_of(api, method):
    """Return the paths of a method as they may stand in a request, those of an upload included."""
    own = f"/{api['servicePath']}{method['path']}"
    uploads = method.get("mediaUpload", {}).get("protocols", {}).values()
    filled = [re.sub(r"\{[^}]*\}", "1aB-_", path) for path in (own, *(u["path"] for u in uploads))]
    return [*filled, *(path.replace("files", "f%69les") for path in filled)]


APIS = {name: document(name) for name in ("sheets.v4", "drive.v3", "drive.v2")}
METHODS = {
    f"{name}.{method['id']}": (api, method)
    for name, api in APIS.items()
    for method in methods_in(api)
    # Of Drive before v3 gspread has a single method.
    if name != "drive.v2" or method["id"] == "drive.files.update"
}
SCOPES = {scope for api in APIS.values() for scope in api["auth"]["oauth2"]["scopes"]}


def test_the_descriptions_are_read():
    """There are as many methods and scopes to compare as the two APIs have."""
    assert len(METHODS) > 17 + 60
    assert len(SCOPES) > 10


@pytest.mark.parametrize("name", METHODS)
def test_each_scope_allows_what_google_says(name):
    """A scope allows a method if Google's description lists it there, and not otherwise."""
    api, method = METHODS[name]
    listed = set(method["scopes"])
    if AUTH + "spreadsheets" in listed:
        listed.add(SHEETS_BEFORE_V4)
    for path in paths_of(api, method):
        enough = listed - NO_CONTENT if "/upload/" in path else listed
        for url in (path, f"https://sheets.googleapis.com{path}?alt=json#x"):
            allowed = {s for s in SCOPES | OTHER_SCOPES if allows([s], method["httpMethod"], url)}
            assert allowed == enough
    assert allows([*OTHER_SCOPES, *listed], method["httpMethod"], paths_of(api, method)[0])


@pytest.mark.parametrize(
    "path", ["/drive/v9/files", "/v4/spreadsheets/x/new", "/", "", "https://["]
)
def test_a_method_that_nobody_knows_takes_the_widest_scope(path):
    """What is in no description is not allowed by a scope that leaves anything out."""
    allowed = {s for s in SCOPES | OTHER_SCOPES if allows([s], "GET", path)}
    assert allowed == {AUTH + "drive"}


def test_the_page_for_exports_takes_what_an_export_takes():
    """Each scope allows the page from which a sheet is exported if it allows files.export."""
    page = "https://docs.google.com/spreadsheets/d/x/export?format=csv"
    listed = set(METHODS["drive.v3.drive.files.export"][1]["scopes"])
    assert {s for s in SCOPES | OTHER_SCOPES if allows([s], "GET", page)} == listed


@pytest.fixture(scope="module")
def google():
    with Emulator(seed=1) as running:
        yield running


@pytest.fixture(params=["queue", "emulator"])
def client_with(request, google, redis_url, namespace, tmp_path):
    """Return what makes a client with some scopes, through the queue or plain on the emulator."""
    if request.param == "emulator":
        yield lambda *names: google.gspread_client(scopes=[AUTH + name for name in names])
        return
    key_file = tmp_path / "key.json"
    google.write_service_account(key_file)

    def make(*names):
        scopes = [AUTH + name for name in names]
        credentials = Credentials.from_service_account_file(key_file, scopes=scopes)
        return queued_gspread.authorize(credentials, redis_url=redis_url, namespace=namespace)

    with Server(google.gspread_client(), redis_url=redis_url, namespace=namespace):
        yield make


def refused(call, *args):
    """Tell whether Google's words for too few scopes came of a call."""
    with pytest.raises((APIError, PermissionError)) as caught:
        call(*args)
    error = caught.value if isinstance(caught.value, APIError) else caught.value.__cause__
    return (error.code, error.error["status"]) == (403, "PERMISSION_DENIED")


def test_metadata_is_no_content(google, client_with):
    """Who may read the metadata of files reads neither their cells nor their export."""
    book = google.gspread_client().create("Salaries")
    narrow = client_with("drive.metadata.readonly")
    assert narrow.http_client.get_file_drive_metadata(book.id)["name"] == "Salaries"
    assert refused(narrow.export, book.id, ExportFormat.CSV)
    assert refused(narrow.open_by_key, book.id)
    assert refused(narrow.copy, book.id)


@pytest.mark.parametrize(
    "params",
    [
        {"alt": "media"},
        {"alt": ["json", "media"]},
        {"alt": [["media"]]},
        [(b"alt", b"media")],
        "alt=media",
        {"$alt": "MEDIA"},
        None,
    ],
    ids=str,
)
def test_no_spelling_of_a_download_is_metadata(params):
    """A scope of metadata alone allows a file's metadata, and not its content however asked for."""
    url = "https://www.googleapis.com/drive/v3/files/x"
    asked = Request("GET", url if params else f"{url}?%61lt=media", params)
    for name in ("drive.metadata", "drive.metadata.readonly"):
        assert allows([AUTH + name], "GET", url, query_of(Request("GET", url, {"alt": "json"})))
        assert not allows([AUTH + name], "GET", url, query_of(asked))
        assert not allows([AUTH + name], "GET", url, None)
    assert allows([AUTH + "drive.readonly"], "GET", url, query_of(asked))


def test_metadata_moves_no_content(google, client_with):
    """Who may change the metadata of files neither downloads nor uploads what is in them."""
    book = google.gspread_client().create("Contents")
    http = client_with("drive.metadata").http_client
    url = f"https://www.googleapis.com/drive/v3/files/{book.id}"
    assert http.request("get", url, params={"fields": "id"}).json() == {"id": book.id}
    assert refused(http.request, "get", url, {"alt": "media"})
    assert refused(http.import_csv, book.id, "a,b")


def test_what_reads_by_post_takes_a_scope_that_may_write(google, client_with):
    """A search by data filters is not for read-only scopes, a long GET by POST is."""
    book = google.gspread_client().create("Book")
    url = gspread.urls.SPREADSHEET_URL % book.id
    http = client_with("spreadsheets.readonly").http_client
    override = {"X-HTTP-Method-Override": "GET"}
    assert http.request("post", url, data="", headers=override).json()["spreadsheetId"] == book.id
    assert refused(http.request, "post", f"{url}:getByDataFilter", None, None, {"dataFilters": []})
    wide = client_with("spreadsheets").http_client
    assert wide.request("post", f"{url}:getByDataFilter", json={"dataFilters": []}).ok
