"""A program with a slip on every line that a comment marks: type checkers find each of them."""

from __future__ import annotations

import gspread
from gspread.auth import servce_account  # slip
from gspread.client import Client
from gspread.http_client import HTTPClient
from gspread.spreadsheet import Spreadsheet
from gspread.utils import rowcol_to_a1
from gspread.worksheet import Worksheet


def one(client: Client) -> Worksheet:
    client.opne("Orders")  # slip
    client.open(5)  # slip
    client.http_client.login(5)  # slip
    gspread.authorize(client.http_client.auth, http_client=5)  # slip
    return client.open("Orders")  # slip


def two(sheet: Spreadsheet) -> str:
    sheet.sheet1.apend_row([1])  # slip
    sheet.add_worksheet("Orders")  # slip
    sheet.title = "Orders"  # slip
    for worksheet in sheet:
        worksheet.udpate([["x"]])  # slip
    return sheet.sheet1.row_count  # slip


def three(worksheet: Worksheet, http: HTTPClient) -> int:
    worksheet.apend_row([1])  # slip
    worksheet.resize(rows="5")  # slip
    http.set_timeout("soon")  # slip
    worksheet.duplicate().tilte  # slip
    return rowcol_to_a1("A", 1)  # slip


gspread.authorise(None)  # slip
gspread.service_account(5)  # slip
gspread.service_account().opne("Orders")  # slip
gspread.api_key("a key", nmae="a name")  # slip
gspread.worksheet.Worksheets  # slip
gspread.utils.rowcol_to_a2(1, 1)  # slip
gspread.HTTPClient(5).valeus_get("id", "A1")  # slip
