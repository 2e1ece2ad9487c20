"""A program that type checkers find nothing wrong with."""

from __future__ import annotations

from typing import Any

import gspread
from gspread.auth import DEFAULT_SCOPES, service_account
from gspread.cell import Cell
from gspread.client import Client
from gspread.exceptions import APIError, WorksheetNotFound
from gspread.http_client import BackOffHTTPClient, HTTPClient
from gspread.spreadsheet import Spreadsheet
from gspread.utils import ExportFormat, ValueInputOption, a1_to_rowcol, rowcol_to_a1
from gspread.worksheet import ValueRange, Worksheet


class Orders(gspread.Worksheet):
    """Adds a method to gspread's class."""

    def customers(self) -> list[str | None]:
        return [str(name) for name in self.col_values(1)]


class Shop(Client):
    """Passes a call on to gspread's class."""

    def open(self, title: str, folder_id: str | None = None) -> Spreadsheet:
        return super().open(title.strip(), folder_id)


def login(path: str) -> Client:
    by_name: gspread.Client = service_account(path, DEFAULT_SCOPES, BackOffHTTPClient)
    return by_name or gspread.authorize(by_name.http_client.auth, http_client=HTTPClient)


def orders(client: Client, title: str) -> Worksheet:
    try:
        return client.open(title).worksheet("Orders")
    except WorksheetNotFound:
        return client.create(title).add_worksheet("Orders", rows=100, cols=20)
    except APIError as error:
        raise SystemExit(error.response.text) from error


def by_module(sheet: gspread.spreadsheet.Spreadsheet) -> gspread.worksheet.Worksheet:
    return sheet.sheet1


def fill(worksheet: Worksheet) -> dict[str, Any]:
    cells: list[Cell] = worksheet.range("A1:B2")
    cells[0].value = rowcol_to_a1(*a1_to_rowcol("B2"))
    worksheet.update_cells(cells, value_input_option=ValueInputOption.user_entered)
    found: list[ValueRange] = worksheet.batch_get(["A1:B2"])
    worksheet.append_rows(found[0], table_range="A1")
    return dict(worksheet.get_all_records()[0])


def report(title: str) -> bytes:
    client = login("account.json")
    worksheet = orders(Shop(client.http_client.auth), title)
    fill(by_module(worksheet.spreadsheet))
    reveal_type(worksheet.spreadsheet.sheet1)
    reveal_type(gspread.oauth())
    reveal_type(client.http_client)
    return worksheet.spreadsheet.export(ExportFormat.PDF)
