"""Random messages by Google's description get an answer of Google's form, and never a 500."""

import json
import random
import re
from urllib.parse import quote, urlencode

import pytest
from batch_examples import BEFORE, EXAMPLES
from discovery import document, methods_in
from emulator_state import new_store

from queued_gspread.emulator.api.request import Request
from queued_gspread.emulator.api.router import answer
from queued_gspread.emulator.book.store import SPREADSHEET_TYPE

APIS = [document("sheets.v4"), document("drive.v3")]
METHODS = [(api, method) for api in APIS for method in methods_in(api)]
TEXTS = [
    "",
    "x",
    "A1",
    "A1:B2",
    "Sheet1!A1",
    "=A1+1",
    "'",
    "!",
    "1:1",
    "*",
    "a.b",
    "a(b",
    "..",
    "1",
]
TEXTS += [
    "-1",
    "true",
    "2020-01-01",
    "#,##0.00",
    "yyyy",
    "Etc/GMT",
    ",",
    "title",
    "1e999",
    "\u0130",
]
WRONG = [None, "x", "\ud800", -1, 2.5, 10**20, True, [], {}, [[]], ["x"], {"x": "x"}]
NUMBERS = [0, 0, 0, 1, 2, 5, 11, 1000, -1, 2**31 - 1, 2**31, 1.0, "1", "x"]


class Sentences:
    """Messages at random, mostly as Google describes them."""

    def __init__(self, seed):
        self.chance = random.Random(seed)

    def message(self, api, name, depth=0):
        share = self.chance.choice([0.2, 0.5, 0.9]) if depth < 4 else 0.1
        properties = api["schemas"][name].get("properties", {})
        chosen = [field for field in properties if self.chance.random() < share]
        if name == "Request":
            chosen = [self.chance.choice(sorted(properties))]
        return {field: self.value(api, properties[field], depth) for field in chosen}

    def value(self, api, part, depth):
        chance = self.chance
        if chance.random() < 0.02:
            return chance.choice(WRONG)
        if "$ref" in part:
            return self.message(api, part["$ref"], depth + 1)
        if "items" in part:
            return [self.value(api, part["items"], depth) for _ in range(chance.randrange(3))]
        if "enum" in part:
            return chance.choice(part["enum"])
        by_type = {"boolean": [True, False], "integer": NUMBERS, "number": NUMBERS}
        by_type |= {"any": [*TEXTS, *NUMBERS, *WRONG], "object": [{}, {"0": {}}, {"x": "y"}]}
        return chance.choice(
            ["*", *TEXTS] if part.get("format") else by_type.get(part["type"], TEXTS)
        )

    def damaged(self, value):
        """Return a value with one of its parts replaced."""
        if not isinstance(value, dict) or not value or self.chance.random() < 0.2:
            return self.chance.choice(WRONG)
        name = self.chance.choice(sorted(value))
        return {**value, name: self.damaged(value[name])}

    def request(self, ids):
        api, method = self.chance.choice(METHODS)
        if self.chance.random() < 0.5:
            api = APIS[0]
            method = api["resources"]["spreadsheets"]["methods"]["batchUpdate"]
        path = re.sub(r"{\+?(\w+)}", lambda found: quote(ids.get(found[1], "A1")), method["path"])
        described = {**api["parameters"], **method.get("parameters", {})}
        wanted = [name for name in described if name not in ids and self.chance.random() < 0.2]
        query = {name: self.value(api, described[name], 9) for name in wanted}
        target = f"/{api['servicePath']}{path}?" + urlencode(query, errors="replace")
        return Request(method["httpMethod"], target, {}, self.body(api, method))

    def body(self, api, method):
        if "request" not in method:
            return b""
        body = self.message(api, method["request"]["$ref"])
        if "requests" in body or self.chance.random() < 0.1:
            kind = self.chance.choice(sorted(EXAMPLES))
            body = {"requests": [{kind: self.damaged(EXAMPLES[kind])}, body.get("requests")]}
        return json.dumps(self.damaged(body) if self.chance.random() < 0.2 else body).encode()


@pytest.mark.parametrize("seed", range(20))
def test_random_requests_get_answers_of_google_s_form(seed):
    """Whatever is asked, what comes back is JSON or a file, and an error has Google's form."""
    sentences, store = Sentences(seed), new_store()
    book = store.create("Book", SPREADSHEET_TYPE).book
    book.sheets[0].grid.resize(12, 9)
    ids = {"spreadsheetId": book.spreadsheet_id, "fileId": book.spreadsheet_id, "sheetId": "0"}
    batch = f"/v4/spreadsheets/{book.spreadsheet_id}:batchUpdate"
    answer(store, Request("POST", batch, {}, json.dumps({"requests": BEFORE}).encode()))
    for _ in range(25):
        request = sentences.request(ids)
        given = answer(store, request)
        asked = request.method, request.target, request.content
        assert given.status in {200, 204, 400, 403, 404, 501}, asked
        if "json" in given.content_type:
            told = json.loads(given.body, parse_constant=pytest.fail)
        if given.status >= 400:
            assert told["error"]["code"] == given.status, asked
            assert told["error"]["message"], asked
            assert ("status" if request.on_sheets else "errors") in told["error"], asked
