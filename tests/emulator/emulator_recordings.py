"""Plays recorded traffic into the emulator's API and compares what comes back.

What a server makes up (ids, times, etags, addresses) is bound at first sight: from then on
the recorded value stands for the emulated one, in answers and in the requests that follow.
"""

import json
import re
from datetime import datetime, timedelta, timezone

from places import RECORDED, RECORDED_MORE

from queued_gspread.emulator.accounts.account import EMAIL
from queued_gspread.emulator.api.request import Request
from queued_gspread.emulator.api.router import answer
from queued_gspread.emulator.batch.scope import Scope
from queued_gspread.emulator.book.ids import Ids
from queued_gspread.emulator.book.sheet import Sheet
from queued_gspread.emulator.book.store import ROOT_FOLDER, SPREADSHEET_TYPE, Store

FOLDER = RECORDED
MORE = RECORDED_MORE
ID_KEYS = {"id", "spreadsheetId", "sheetId", "namedRangeId", "protectedRangeId"}
ID_KEYS |= {"tableId", "bandedRangeId", "bandedRangeReference"}
VOLATILE_KEYS = {"etag", "thumbnailLink", "embedLink", "permissionId"}
FOLDER_ID = re.compile(r"/parents/(0A[\w-]+)")
TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ADDRESS = re.compile(r"[\w.-]+@[\w.-]+\.iam\.gserviceaccount\.com")
FILE_ID = re.compile(r"/(?:files|spreadsheets)/([\w-]{40,})")


class Player:
    """One recording, played into a store of its own."""

    def __init__(self, exchanges, seed=None):
        self.exchanges = exchanges
        self.bound = {}
        ticks = iter(range(10**9))
        epoch = datetime(2023, 7, 20, 8, 0, tzinfo=timezone.utc)
        self.store = Store(Ids(1), lambda: epoch + timedelta(seconds=next(ticks)), EMAIL)
        self.created = {json.loads(e["response_body"])["id"] for e in exchanges if _creates(e)}
        for exchange in exchanges:
            folders = FOLDER_ID.findall(exchange["response_body"])
            self.bound |= dict.fromkeys(folders, ROOT_FOLDER)
            if exchange["status"] == 403:
                self.store.private.update(FILE_ID.findall(exchange["uri"]))
        for recorded, content in (seed or {}).items():
            file = self.store.create(content["properties"]["title"], SPREADSHEET_TYPE)
            self.bound[recorded] = file.file_id
            _fill(file.book, content)
        self._prepare(-1)

    def play(self):
        """Yield for every request what differs, or None where the answers agree."""
        for place, exchange in enumerate(self.exchanges):
            if _creates(exchange):
                self._prepare(place)
            request = self._request(exchange)
            got = answer(self.store, request)
            yield exchange, self._difference(exchange, got)

    def _prepare(self, place):
        """Add the files of others that this run of the scenario will find listed."""
        for exchange in self.exchanges[place + 1 :]:
            if _creates(exchange):
                return
            if '"drive#fileList"' in exchange["response_body"]:
                for listed in reversed(json.loads(exchange["response_body"])["files"]):
                    if listed["id"] not in self.created | self.bound.keys():
                        file = self.store.create(listed["name"], SPREADSHEET_TYPE)
                        self.bound[listed["id"]] = file.file_id

    def _request(self, exchange):
        target = self._translated(exchange["uri"].split(".com", 1)[1])
        body = exchange["request_body"] or ""
        try:
            body = json.dumps(self._substituted(json.loads(body)))
        except ValueError:
            body = self._translated(body)
        headers = {"x-goog-api-key": "recorded"}
        return Request(exchange["method"], target, headers, body.encode())

    def _translated(self, text):
        for recorded, emulated in self.bound.items():
            if isinstance(recorded, str):
                text = text.replace(recorded, emulated)
        return text

    def _substituted(self, value):
        if isinstance(value, dict):
            return {name: self._substituted(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self._substituted(part) for part in value]
        if isinstance(value, bool):
            return value
        return self.bound.get(value, value)

    def _difference(self, exchange, got):
        if exchange["status"] != got.status:
            return f"status {got.status}: {got.body.decode()[:300]}"
        if exchange["content_type"].split(";")[0] != got.content_type.split(";")[0]:
            return f"type {got.content_type}"
        if "json" not in exchange["content_type"]:
            same = exchange["response_body"].encode() == got.body
            return None if same else f"body {got.body[:200]}"
        return self._compare(json.loads(exchange["response_body"]), json.loads(got.body), "")

    def _compare(self, recorded, emulated, path):
        if isinstance(recorded, dict) and isinstance(emulated, dict):
            return self._compare_objects(recorded, emulated, path)
        if isinstance(recorded, list) and isinstance(emulated, list):
            if len(recorded) != len(emulated):
                return f"{path}: {len(emulated)} items for {len(recorded)}: {emulated!r:.200}"
            found = (
                self._compare(one, other, f"{path}[{i}]")
                for i, (one, other) in enumerate(zip(recorded, emulated, strict=True))
            )
            return next(filter(None, found), None)
        if type(recorded) is not type(emulated) and {type(recorded), type(emulated)} != {
            int,
            float,
        }:
            return f"{path}: {emulated!r} for {recorded!r}"
        if isinstance(recorded, str):
            recorded, emulated = self._neutral(recorded), self._neutral(emulated)
        return None if recorded == emulated else f"{path}: {emulated!r} for {recorded!r}"

    def _compare_objects(self, recorded, emulated, path):
        if recorded.keys() != emulated.keys():
            return f"{path}: keys differ in {sorted(recorded.keys() ^ emulated.keys())}"
        for name, part in recorded.items():
            other = emulated[name]
            if name in VOLATILE_KEYS and type(part) is type(other):
                continue
            if name in ID_KEYS and part and other and type(part) is type(other):
                if self.bound.setdefault(part, other) == other:
                    continue
                return f"{path}.{name}: {other!r} for {part!r}, bound to {self.bound[part]!r}"
            found = self._compare(part, other, f"{path}.{name}")
            if found:
                return found
        return None

    def _neutral(self, text):
        text = self._translated(text)
        return ADDRESS.sub("ADDRESS", TIME.sub("TIME", text))


def _creates(exchange):
    return exchange["method"] == "POST" and "/drive/v3/files" in exchange["uri"]


def _fill(book, content):
    """Give a spreadsheet what a recording takes for granted."""
    book.properties = content["properties"]
    book.sheets = []
    for asked in content["sheets"]:
        size = asked["gridProperties"]
        sheet = Sheet(asked["sheetId"], asked["title"], size["rowCount"], size["columnCount"])
        book.sheets.append(sheet)
    scope = Scope(book, Ids(2), EMAIL)
    for title, row, column, value, _ in content["cells"]:
        scope.enter(book.titled(title), (row - 1, column - 1), value)


def load(path):
    """Return the exchanges of a recording, and what it takes for granted."""
    found = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(found, list):
        return found, None
    return [_exchange(**one) for one in found["interactions"]], found.get("seed")


def _exchange(request, response):
    text = response["body"]["string"]
    return {
        "method": request["method"],
        "uri": request["uri"],
        "request_body": request["body"],
        "status": response["status"]["code"],
        "content_type": "application/json" if text.lstrip().startswith("{") else "text/html",
        "response_body": text,
    }
