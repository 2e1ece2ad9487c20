"""Which spreadsheet a request reads, and which ones it may change."""

from __future__ import annotations

import json

import parts
import pytest
from gate import SHEETS

from queued_gspread.google_api.methods import METHODS
from queued_gspread.server.policy.reach import may_change, remembered_as
from queued_gspread.server.policy.request import CREDENTIALS, Request
from queued_gspread.server.policy.upsert_requests import read_request
from queued_gspread.server.policy.upserts import Book

DRIVE = "https://www.googleapis.com/drive/v3/files"
UPLOAD = "https://www.googleapis.com/upload/drive/v2/files"
TO = {"destinationSpreadsheetId": "other"}
COPY = f"{SHEETS}/lane/sheets/0:copyTo"
OVERRIDE = {"X-HTTP-Method-Override": "GET"}
ONE = {"lane"}


def post(url, **given):
    return Request("post", url, **given)


REACHED = [
    (parts.update("A1"), ONE),
    (parts.append(["x"]), ONE),
    (parts.clear("A1"), ONE),
    (parts.batch({"addSheet": {}}), ONE),
    (Request("put", f"{SHEETS}/%6Cane/values/A1", json={}), ONE),
    (parts.get("A1"), set()),
    (Request("get", DRIVE), set()),
    (Request(CREDENTIALS, "refresh"), set()),
    (post(f"{SHEETS}/lane:getByDataFilter", json={}), set()),
    (post(f"{SHEETS}/lane:getByDataFilter", headers=OVERRIDE), set()),
    (post(SHEETS, json={}), set()),
    (post(DRIVE, json={"name": "new"}), set()),
    (post(f"{DRIVE}/lane/copy", json={}), set()),
    (Request("put", f"{UPLOAD}/lane", params={"uploadType": "media"}, data=b"a,b"), ONE),
    (post(COPY, json=TO), {"lane", "other"}),
    (post(COPY, data=json.dumps(TO)), {"lane", "other"}),
    (post(COPY, data=json.dumps(TO), json={"destinationSpreadsheetId": "x"}), {"lane", "other"}),
    # Whatever cannot be told is any spreadsheet.
    (post(COPY, json={"destination_spreadsheet_id": "other"}), None),
    (post(COPY, json=TO | {"more": 1}), None),
    (post(COPY, json=TO, params={"destinationSpreadsheetId": "third"}), None),
    (post(f"{COPY}?destinationSpreadsheetId=third", json=TO), None),
    (post(COPY, data="no JSON"), None),
    (post(COPY, data=TO), None),
    (post(COPY, json={"destinationSpreadsheetId": "%6Cane"}), None),
    (post(COPY), None),
    (post(f"{SHEETS}/lane:newMethod", json={}), None),
    (post(f"{SHEETS}/l%C3%A4ne:batchUpdate", json={}), None),
    (post(f"{SHEETS}/lane/values/a/b:clear"), None),
    (post(f"{SHEETS}/lane:batchUpdate", headers={"X-HTTP-Method-Override": "PUT"}), None),
    (Request("delete", f"{DRIVE}/folder"), None),
    (Request("delete", f"{DRIVE}/trash"), None),
    (Request("patch", f"{DRIVE}/lane", json={"trashed": True}), None),
    (post(f"{DRIVE}/lane/permissions", json={}), None),
    (Request("patch", "https://www.googleapis.com/upload/drive/v3/files/lane", data=b""), None),
    (post("https://sheets.googleapis.com/batch", data=b""), None),
]


@pytest.mark.parametrize(("request_", "reached"), REACHED)
def test_a_request_reaches_what_it_may_change(request_, reached):
    """A write reaches the spreadsheets that it names, a read none, and what is not known all."""
    assert may_change(request_) == reached


@pytest.mark.parametrize("method", METHODS, ids=lambda method: f"{method.verb} {method.path}")
def test_every_write_reaches_its_spreadsheet_or_all(method):
    """No method of Google's that writes to a spreadsheet, or to a file, leaves that out."""
    path = method.path.replace("{spreadsheetId}", "lane").replace("{fileId}", "lane")
    url = f"https://sheets.googleapis.com{path.replace('{', '').replace('}', '')}"
    reached = may_change(Request(method.verb, url))
    if method.verb == "GET" or method.quota == "read":
        assert reached == set()
    elif "lane" in path and not path.endswith("/lane/copy"):
        assert reached is None or "lane" in reached
    else:
        assert reached in (None, set())


REMEMBERED = [
    parts.get("A1"),
    parts.get("A1", majorDimension="COLUMNS"),
    parts.batch_get("A1", "B1"),
    parts.metadata(),
    Request("GET", f"{SHEETS}/lane/developerMetadata/7"),
    post(f"{SHEETS}/lane:getByDataFilter", json={"dataFilters": [{"a1Range": "A1"}]}),
    post(f"{SHEETS}/lane/values:batchGetByDataFilter", json={"dataFilters": []}),
]
NOT_REMEMBERED = [
    parts.update("A1"),
    Request("get", DRIVE),
    Request("get", f"{DRIVE}/lane"),
    Request("get", "https://docs.google.com/spreadsheets/d/lane/export"),
    Request("head", parts.BOOK),
    Request("get", f"{SHEETS}/lane/values/a/b"),
    Request("get", f"{SHEETS}/l%C3%A4ne"),
    Request("get", parts.BOOK, headers={"X-Goog-User-Project": "p"}),
    post(f"{SHEETS}/lane:getByDataFilter", headers=OVERRIDE),
    post(f"{SHEETS}/lane:getByDataFilter", data=b"{}"),
    post(f"{SHEETS}/lane:getByDataFilter", json={"dataFilters": [float("nan")]}),
    Request(CREDENTIALS, "expiry"),
    read_request(Book(parts.BOOK, "Sheet1", 1, ("id",), "RAW"), [0]),
]


def test_reads_of_a_spreadsheet_are_remembered_each_by_itself():
    """Reads of the Sheets API are told apart by all that is sent."""
    places = [remembered_as(each) for each in REMEMBERED]
    assert {place[0] for place in places} == ONE
    assert len(set(places)) == len(places)
    again = [remembered_as(Request(**vars(parts.get("A1")))) for _ in range(2)]
    assert again == [places[0]] * 2


@pytest.mark.parametrize("request_", NOT_REMEMBERED)
def test_nothing_else_is_remembered(request_):
    """Writes, Drive, what is sent in an unusual way, and an upsert's reads always go to Google."""
    assert remembered_as(request_) is None
