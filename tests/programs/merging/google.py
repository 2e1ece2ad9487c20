"""Google Sheets in this process: gspread's own HTTP client over the emulator's methods."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone

import gspread
import requests

from queued_gspread.emulator.api.request import Request
from queued_gspread.emulator.api.router import answer
from queued_gspread.emulator.book.ids import Ids
from queued_gspread.emulator.book.spreadsheet import SURROUNDINGS
from queued_gspread.emulator.book.store import SPREADSHEET_TYPE, Store

from .troubles import Trouble, silence

EMAIL = "merging@example.com"
NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)
BLIP = Trouble(None, 503)
BUSY = b'{"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}'


class Google:
    """A store with one spreadsheet, and a session that it answers.

    Which of two ranges of one ``values:batchUpdate`` is written first is not documented: here the
    last one is, so that nothing can rest on the order. What a request that was refused has used up
    of made-up ids is given back: else the ids would tell how often a request was sent.

    Args:
        fill: Fills the new spreadsheet.
        busy: Which requests are refused for the quota, by number from 0.
        blips: Which requests fail, and would not another time, as far as they are retried.
        trouble: What requests meet that have something in them; None for nothing.

    """

    def __init__(self, fill, busy=(), blips=(), trouble=None):
        self.store = Store(Ids(1), lambda: NOON, EMAIL)
        self.file = self.store.create("Book", SPREADSHEET_TYPE)
        self.http = gspread.HTTPClient(None, session=self)
        self.sent = 0
        self.passes = lambda: None
        self._busy, self._blips, self._trouble = busy, blips, trouble
        fill(self.file.book)

    @property
    def book(self):
        return self.file.book

    def request(self, **given):
        """Answer as requests would; `given` is what gspread's client hands to its session."""
        answer = self._request(given)
        self.passes()
        return answer

    def _request(self, given):
        del given["timeout"]
        prepared = requests.Request(**{**given, "method": given["method"].upper()}).prepare()
        number, self.sent = self.sent, self.sent + 1
        if number in self._busy:
            return _response(prepared, 429, BUSY, "application/json")
        trouble = self._met(number, given)
        if trouble is None:
            return self._usual(prepared)
        if trouble.is_applied:
            self._usual(prepared)
        if not trouble.status:
            raise silence()
        return _response(prepared, trouble.status, *trouble.body)

    def _met(self, number, given):
        """Return the trouble that a request meets, if any."""
        if self._trouble is not None and self._trouble.meets(given):
            return self._trouble
        return BLIP if number in self._blips and BLIP.meets(given) else None

    def _usual(self, prepared):
        ids = self.store.ids.state
        body = prepared.body or b""
        content = body.encode() if isinstance(body, str) else body
        found = self._answer(prepared, content)
        if found.status >= 400:
            self.store.ids.resume(ids)
        assert found.status != 500, (prepared.method, prepared.url, content)
        return _response(prepared, found.status, found.body, found.content_type)

    def _answer(self, prepared, content):
        asked = prepared.method, prepared.path_url, prepared.headers
        if not prepared.path_url.endswith("/values:batchUpdate"):
            return answer(self.store, Request(*asked, content))
        earlier = self.book.copy(self.book.spreadsheet_id, self.book.title)
        found = answer(self.store, Request(*asked, content))
        if found.status != 200:
            return found
        self.book.restore(earlier)
        body = json.loads(content)
        body["data"] = body.get("data", [])[::-1]
        found = answer(self.store, Request(*asked, json.dumps(body).encode()))
        shown = json.loads(found.body)
        shown |= {"responses": shown["responses"][::-1]} if "responses" in shown else {}
        return replace(found, body=json.dumps(shown, ensure_ascii=False).encode())


def _response(prepared, status, body, kind):
    made = requests.Response()
    made.status_code, made.url, made.encoding = status, prepared.url, "UTF-8"
    made.reason = requests.status_codes._codes[status][0]
    made.headers["Content-Type"] = kind
    made._content = body
    return made


def state_of(book):
    """Return all that there is of a spreadsheet, as data that can be compared."""
    left_out = ("sheets", *SURROUNDINGS)
    about = {name: value for name, value in vars(book).items() if name not in left_out}
    return {**about, "sheets": [_sheet(sheet) for sheet in book.sheets]}


def _sheet(sheet):
    grid = sheet.grid
    cells = {(row, column): cell for row, column, cell in grid.stored(grid.everything)}
    about = {name: value for name, value in vars(sheet).items() if name != "grid"}
    return {**about, "size": (grid.row_count, grid.column_count), "cells": cells}
