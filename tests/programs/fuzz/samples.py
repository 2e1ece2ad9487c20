"""Valid jobs and replies, for others to be broken from."""

from __future__ import annotations

import datetime as dt

import requests
from gspread.cell import Cell
from gspread.exceptions import APIError, WorksheetNotFound
from gspread.utils import ValueInputOption
from subclasses import Pair, Real, Row, Text, Whole

from queued_gspread.protocol.identity import Identity
from queued_gspread.protocol.messages import Job, Reply

SHEETS = "https://sheets.googleapis.com/v4/spreadsheets"


def jobs(spreadsheet_id):
    """Return valid jobs of all kinds, on a spreadsheet."""
    book = {"id": spreadsheet_id, "title": "Book"}
    grid = {"rowCount": 100, "columnCount": 26}
    sheet = {"sheetId": 0, "title": "Sheet1", "index": 0, "gridProperties": grid}
    on_sheet = {"spreadsheet": book, "properties": sheet}
    on_book = {"spreadsheet": {}, "properties": book}
    who = Identity("somebody@example.com", None, ("https://www.googleapis.com/auth/drive",))
    return [
        Job("http_client", "request", args=("get", f"{SHEETS}/{spreadsheet_id}/values/A1")),
        Job("http_client", "values_get", args=(spreadsheet_id, "A1:B2"), http_timeout=(3, 30)),
        Job("client", "open_by_key", args=(spreadsheet_id,), timeout=60.0),
        Job("spreadsheet", "worksheets", on_book, kwargs={"exclude_hidden": True}),
        Job("spreadsheet", "values_update", on_book, ("A1",), {"body": {"values": [[1, "a"]]}}),
        Job("spreadsheet", "add_worksheet", on_book, ("Another", 10, 10)),
        Job("worksheet", "acell", on_sheet, ("A1",), http_timeout=5),
        Job("worksheet", "append_row", on_sheet, ([1, None, "x", 2.5], ValueInputOption.raw)),
        Job("worksheet", "append_rows", on_sheet, ([["a"], ["b"]],)),
        Job("worksheet", "update", on_sheet, (Row([Pair([Text("a"), Whole(1), Real(2.5)])]),)),
        Job("worksheet", "update_cell", on_sheet, (1, 2, dt.date(2026, 1, 2).isoformat())),
        Job("worksheet", "batch_get", on_sheet, (("A1", "B2:C3"),)),
        Job("worksheet", "format", on_sheet, ("A1:B1", {"textFormat": {"bold": True}})),
        Job("worksheet", "insert_rows", on_sheet, ([["a"], ["b"]],), {"row": 2}),
        Job("worksheet", "find", on_sheet, ("a",), identity=who),
    ]


def replies():
    """Return valid replies: results of all kinds, exceptions, warnings, changes."""
    response = requests.Response()
    response.status_code, response.reason, response.url = 403, "Forbidden", SHEETS
    response._content = b'{"error": {"code": 403, "message": "no", "status": "X"}}'
    response.elapsed = dt.timedelta(seconds=0.1)
    changes = [["add", ["gridProperties", "rowCount"], 1], ["set", ["title"], "new"]]
    return [
        Reply(),
        Reply([["a", 1], ["b", 2.5]]),
        Reply(Cell(1, 2, "x")),
        Reply({"spreadsheetId": "x", "updates": {"updatedRows": 1}}, changes=changes),
        Reply({"at": dt.datetime(2026, 1, 2, tzinfo=dt.timezone.utc), 5: (1, 2), "b": b"bytes"}),
        Reply(response, warnings=[["DeprecationWarning", "old"], ["UserWarning", "odd"]]),
        Reply(error=APIError(response)),
        Reply(error=WorksheetNotFound("Sheet7")),
        Reply(error=ValueError("no", {"a": [1]})),
    ]
