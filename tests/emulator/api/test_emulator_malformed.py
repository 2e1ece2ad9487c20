import json

import pytest
from batch_examples import BEFORE, EXAMPLES, FILTERS
from emulator_state import new_store, picture

from queued_gspread.emulator.api.request import Request
from queued_gspread.emulator.api.router import answer
from queued_gspread.emulator.batch import HANDLERS
from queued_gspread.emulator.book.store import SPREADSHEET_TYPE

WRONG = [None, "x", "\ud800", -1, 2.5, 10**20, True, [], {}, [[]], ["x"], {"x": "x"}]


def changed(value):
    """Yield a JSON value with every part of it replaced, one after the other, by all sorts."""
    yield from WRONG
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in items if isinstance(value, (dict, list)) else ():
        for other in changed(part) if isinstance(part, (dict, list)) else WRONG:
            copied = value.copy()
            copied[name] = other
            yield copied


class Direct:
    """Sends requests without HTTP to a store with one spreadsheet."""

    def __init__(self):
        self.store = new_store()
        self.book = self.store.create("Book", SPREADSHEET_TYPE).book
        self.book.sheets[0].grid.resize(12, 9)
        assert self.batch(*BEFORE) == 200

    def batch(self, *requests):
        return self.status("POST", ":batchUpdate", {"requests": requests})

    def status(self, method, path, body=None):
        content = b"" if body is None else json.dumps(body).encode()
        target = f"/v4/spreadsheets/{self.book.spreadsheet_id}{path}"
        given = answer(self.store, Request(method, target, {}, content))
        json.loads(given.body, parse_constant=pytest.fail)
        return given.status


def test_every_kind_has_an_example():
    """The examples are of all kinds, and each of them is answered with success."""
    # On the right: a handler without a request in tests/emulator/batch_examples.py.
    assert set(EXAMPLES) == set(HANDLERS)
    found = {
        k: Direct().status("POST", ":batchUpdate", {"requests": [{k: EXAMPLES[k]}]})
        for k in EXAMPLES
    }
    assert set(found.values()) == {200}, found


@pytest.mark.parametrize("kind", EXAMPLES)
def test_malformed_requests(kind):
    """A request with a part that is wrong gets a 400, if not 200, and then changes nothing."""
    direct = Direct()
    before = picture(direct.book)
    for request in changed({kind: EXAMPLES[kind]}):
        status = direct.batch(request)
        assert status in {200, 400}, request
        if status == 200:
            assert direct.status("GET", "?includeGridData=true") == 200, request
            direct = Direct()
        else:
            assert picture(direct.book) == before, request


@pytest.mark.parametrize(
    ("path", "example"),
    [
        ("", {"properties": {"title": "T"}, "sheets": [EXAMPLES["addSheet"]]}),
        ("/ID:batchUpdate", {"requests": [], "includeSpreadsheetInResponse": True}),
        (
            "/ID:getByDataFilter",
            {"dataFilters": FILTERS},
        ),
    ],
)
def test_malformed_bodies(path, example):
    """A body with a part that is wrong is told so, and makes no file."""
    for body in changed(example):
        direct = Direct()
        target = "/v4/spreadsheets" + path.replace("ID", direct.book.spreadsheet_id)
        given = answer(direct.store, Request("POST", target, {}, json.dumps(body).encode()))
        assert given.status in {200, 400, 501}, body
        assert len(direct.store.files) == 1 + (given.status == 200 and not path), body


@pytest.mark.parametrize(
    ("path", "example"),
    [
        (":batchUpdate", {"valueInputOption": "RAW", "data": [{"range": "A1", "values": [[1]]}]}),
        (":batchClear", {"ranges": ["A1"]}),
        ("/A1:append?valueInputOption=RAW", {"range": "A1", "values": [[1]]}),
        (":batchGetByDataFilter", {"dataFilters": FILTERS, "majorDimension": "ROWS"}),
        (
            ":batchUpdateByDataFilter",
            {
                "valueInputOption": "RAW",
                "data": [{"dataFilter": FILTERS[0], "values": [[1]], "majorDimension": "ROWS"}],
            },
        ),
        (":batchClearByDataFilter", {"dataFilters": FILTERS}),
    ],
)
def test_malformed_values(path, example):
    """A body of a values method with a part that is wrong gets a 400, if not 200."""
    for body in changed(example):
        direct = Direct()
        assert direct.status("POST", f"/values{path}", body) in {200, 400}, body
        assert direct.status("GET", "?includeGridData=true") == 200, body


@pytest.mark.parametrize(
    ("path", "example"),
    [
        ("", {"name": "n", "mimeType": SPREADSHEET_TYPE, "parents": ["root"]}),
        ("/ID/copy", {"name": "n", "parents": ["root"]}),
        ("/ID/permissions", {"role": "reader", "type": "user", "emailAddress": "a@example.com"}),
        ("/ID/comments?fields=*", {"content": "c"}),
    ],
)
def test_malformed_bodies_to_drive(path, example):
    """A body to Drive with a part that is wrong is refused, if not taken, and files can be listed.

    A folder that is not there gets a 404.
    """
    for body in changed(example):
        direct = Direct()
        target = "/drive/v3/files" + path.replace("ID", direct.book.spreadsheet_id)
        given = answer(direct.store, Request("POST", target, {}, json.dumps(body).encode()))
        assert given.status in {200, 400, 404}, body
        listed = answer(direct.store, Request("GET", "/drive/v3/files?fields=*", {}, b""))
        assert listed.status == 200, body


@pytest.mark.parametrize("name", ["pageSize", "pageToken"])
def test_numbers_of_thousands_of_digits(name):
    """A number in a query that Python does not read is refused as any other wrong one."""
    target = f"/drive/v3/files?{name}={'9' * 5000}"
    assert answer(new_store(), Request("GET", target, {}, b"")).status == 400
