"""A state that is damaged is refused, or every request to what was made of it is answered."""

import copy
import json
import random

import pytest
from emulator_state import new_project, new_store, written
from gspread.utils import ExportFormat

from queued_gspread.emulator import Emulator
from queued_gspread.emulator.api.request import Request
from queued_gspread.emulator.api.router import answer
from queued_gspread.emulator.storage.file import StateError
from queued_gspread.emulator.storage.state import DamagedError, from_json, put_back

KEY = {"x-goog-api-key": "k", "Content-Type": "application/json"}
SPREADSHEET = {"name": "x", "mimeType": "application/vnd.google-apps.spreadsheet"}
CORNER = {"sheetId": 0, "startRowIndex": 0, "endRowIndex": 3, "startColumnIndex": 0}
CORNER["endColumnIndex"] = 3
ASIDE = {**CORNER, "startColumnIndex": 4, "endColumnIndex": 6}
ROW = {"sheetId": 0, "dimension": "ROWS", "startIndex": 1, "endIndex": 2}
COLUMN = {**ROW, "dimension": "COLUMNS"}
RED = {"red": 1}
HIDING = {"range": CORNER, "criteria": {"0": {"hiddenValues": ["a"]}}}
ABOVE = {"type": "NUMBER_GREATER", "values": [{"userEnteredValue": "1"}]}
LOOK = {
    "numberFormat": {"type": "NUMBER", "pattern": "0.0"},
    "backgroundColor": RED,
    "borders": {"top": {"style": "SOLID"}},
}
RUNS = {"startIndex": 1, "format": {"bold": True}}
HELLO = {"userEnteredValue": {"stringValue": "hello"}, "textFormatRuns": [RUNS]}
NOTED = {"metadataKey": "k", "visibility": "DOCUMENT"}
MAKING = [
    {"addNamedRange": {"namedRange": {"name": "named", "range": CORNER}}},
    {"addProtectedRange": {"protectedRange": {"range": CORNER}}},
    {"addBanding": {"bandedRange": {"range": CORNER, "rowProperties": {"headerColor": RED}}}},
    {"addTable": {"table": {"range": ASIDE, "columnProperties": [{"columnType": "DOUBLE"}]}}},
    {"addFilterView": {"filter": {"title": "view", **HIDING}}},
    {"addChart": {"chart": {"spec": {"title": "c", "backgroundColor": RED}}}},
    {"addSlicer": {"slicer": {"spec": {"dataRange": CORNER, "filterCriteria": {}}}}},
    {"setBasicFilter": {"filter": HIDING}},
    {
        "addConditionalFormatRule": {
            "rule": {"ranges": [CORNER], "booleanRule": {"condition": ABOVE, "format": LOOK}}
        }
    },
    {"createDeveloperMetadata": {"developerMetadata": {**NOTED, "location": {"sheetId": 0}}}},
    {
        "createDeveloperMetadata": {
            "developerMetadata": {**NOTED, "location": {"dimensionRange": ROW}}
        }
    },
    {"mergeCells": {"range": {**CORNER, "startRowIndex": 5, "endRowIndex": 7}}},
    {"addDimensionGroup": {"range": ROW}},
    {
        "updateDimensionGroup": {
            "dimensionGroup": {"range": ROW, "depth": 1, "collapsed": True},
            "fields": "collapsed",
        }
    },
    {
        "updateDimensionProperties": {
            "range": COLUMN,
            "properties": {"pixelSize": 50},
            "fields": "pixelSize",
        }
    },
    {
        "repeatCell": {
            "range": CORNER,
            "cell": {"userEnteredFormat": LOOK, "note": "n"},
            "fields": "userEnteredFormat,note",
        }
    },
    {"setDataValidation": {"range": CORNER, "rule": {"condition": ABOVE, "strict": True}}},
    {
        "updateCells": {
            "range": {**CORNER, "endRowIndex": 1, "endColumnIndex": 1},
            "rows": [{"values": [HELLO]}],
            "fields": "userEnteredValue,textFormatRuns",
        }
    },
]
EXPORTS = (
    "text/csv",
    "application/pdf",
    "application/x-vnd.oasis.opendocument.spreadsheet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
CHANGES = [
    {"insertDimension": {"range": ROW}},
    {"insertDimension": {"range": COLUMN}},
    {"deleteDimension": {"range": ROW}},
    {"moveDimension": {"source": ROW, "destinationIndex": 4}},
    {"sortRange": {"range": CORNER, "sortSpecs": [{"dimensionIndex": 0}]}},
    {"duplicateSheet": {"sourceSheetId": 0}},
    {"addNamedRange": {"namedRange": {"name": "other", "range": CORNER}}},
    {"mergeCells": {"range": CORNER}},
    {"findReplace": {"find": "a", "replacement": "b", "allSheets": True}},
    {"deleteConditionalFormatRule": {"sheetId": 0, "index": 0}},
    {"deleteDimensionGroup": {"range": ROW}},
]
JUNK = [None, 7, -1, "x", [], [[]], {}, {"x": 1}, 1.5, True, ...]


def ask(store, method, target, body=None):
    content = b"" if body is None else json.dumps(body).encode()
    return answer(store, Request(method, target, KEY, content))


def whole_state():
    """Return the id of a spreadsheet that has something of everything, and its state."""
    store = new_store()
    file_id = json.loads(ask(store, "POST", "/drive/v3/files", SPREADSHEET).body)["id"]
    book, file = f"/v4/spreadsheets/{file_id}", f"/drive/v3/files/{file_id}"
    rows = [["a", "b", "c"], [1, "=A2+1", "=named"], ["$5", "1/2/2024", True]]
    values = f"{book}/values/A1?valueInputOption=USER_ENTERED"
    shared = {"type": "user", "role": "writer", "emailAddress": "x@example.com"}
    made = [
        ask(store, "PUT", values, {"values": rows}),
        *(ask(store, "POST", f"{book}:batchUpdate", {"requests": [one]}) for one in MAKING),
        ask(store, "POST", f"{file}/permissions", shared),
        ask(store, "POST", f"{file}/comments?fields=*", {"content": "hi"}),
    ]
    assert [one.body for one in made if one.status != 200] == []
    return file_id, json.loads(written(store))


def requests_to(file_id):
    """Yield requests that look at all of a spreadsheet, and change much of it."""
    book, file = f"/v4/spreadsheets/{file_id}", f"/drive/v3/files/{file_id}"
    named = {"dataFilters": [{"developerMetadataLookup": {"metadataKey": "k"}}]}
    yield "GET", f"{book}?includeGridData=true", None
    yield "GET", f"{book}/values/named", None
    yield "GET", f"{book}/values/A1:Z9?valueRenderOption=UNFORMATTED_VALUE", None
    yield "GET", "/drive/v3/files?fields=*&q='x'%20in%20writers&orderBy=modifiedTime", None
    for below in ("permissions?fields=*", "comments?fields=*"):
        yield "GET", f"{file}/{below}", None
    for kind in EXPORTS:
        yield "GET", f"{file}/export?mimeType={kind}", None
    yield "POST", f"{book}:getByDataFilter", {**named, "includeGridData": True}
    append = f"{book}/values/A1:append?valueInputOption=USER_ENTERED"
    yield "POST", append, {"values": [["=named", 1]]}
    for change in CHANGES:
        yield "POST", f"{book}:batchUpdate", {"requests": [change]}
    yield "POST", f"{file}/copy", {"name": "copy"}
    yield "PATCH", file, {"name": "new"}


def places(value, place=()):
    """Yield the path of every value inside another one."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in inside:
        yield (*place, key)
        if isinstance(part, (dict, list)):
            yield from places(part, (*place, key))


def put(state, place, junk):
    """Put something odd at a place of a state, or with `...` nothing."""
    *above, last = place
    for key in above:
        state = state[key]
    if junk is ...:
        del state[last]
    else:
        state[last] = junk


def test_no_damage_is_a_500_later():
    """Whatever of a state is odd, it is refused at once, or no request ends in an error of ours."""
    file_id, whole = whole_state()
    every = [place for place in places(whole) if place[0] in {"files", "shared"}]
    chance, failed, refused = random.Random(1), [], 0
    for _ in range(100):
        place, junk = chance.choice(every), chance.choice(JUNK)
        state = copy.deepcopy(whole)
        put(state, place, junk)
        try:
            kept = from_json(state)
        except DamagedError:
            refused += 1
            continue
        store = new_store(2)
        put_back(kept, store, new_project())
        asked = [(request, ask(store, *request).status) for request in requests_to(file_id)]
        failed += [(place, junk, request) for request, status in asked if status >= 500]
    assert failed == []
    assert 30 < refused < 90


def test_what_is_taken_can_be_kept():
    """Whatever odd request is answered with success, the state after it can be read again."""
    file_id, whole = whole_state()
    target, chance, taken = f"/v4/spreadsheets/{file_id}:batchUpdate", random.Random(1), 0
    for _ in range(100):
        request = copy.deepcopy(chance.choice(MAKING + CHANGES))
        place = chance.choice([place for place in places(request) if len(place) > 1])
        put(request, place, chance.choice(JUNK))
        store = new_store(2)
        put_back(from_json(copy.deepcopy(whole)), store, new_project())
        if ask(store, "POST", target, {"requests": [request]}).status == 200:
            taken += 1
            from_json(json.loads(written(store)))
    assert taken > 10


BOOK = ("files", 0, "book")
SHEET = (*BOOK, "sheets", 0)


@pytest.mark.parametrize(
    ("place", "junk", "told"),
    [
        (
            (*BOOK, "properties", "spreadsheetTheme", "themeColors"),
            7,
            "spreadsheetTheme.themeColors",
        ),
        ((*BOOK, "named_ranges"), [[]], "named_ranges[0] is no dict"),
        ((*BOOK, "named_ranges", 0, "name"), ..., "named_ranges[0] has no 'name'"),
        (
            (*BOOK, "named_ranges", 0, "range", "startRowIndex"),
            -1,
            "named_ranges[0].range has an index",
        ),
        ((*BOOK, "named_ranges", 0, "range", "startRowIndex"), "1", "named_ranges[0] has null"),
        ((*SHEET, "dimensions"), {}, "dimensions has no 'ROWS'"),
        ((*SHEET, "dimensions", "COLUMNS", 0, 1), 7, "dimensions.COLUMNS[0][1] is no dict"),
        ((*SHEET, "groups", "ROWS", 0), [1], "groups.ROWS[0] is not 2 whole numbers"),
        ((*SHEET, "merges", 0), ["a", 1, 2, 3], "merges[0] is not 4 whole numbers"),
        ((*SHEET, "grid", "row_count"), 10**9, "grid has no rows, no columns, or more than"),
        ((*SHEET, "grid", "column_count"), 1, "grid has more cells than"),
        ((*SHEET, "basic_filter", "range"), 1, "basic_filter.range"),
        (
            (*BOOK, "developer_metadata", 1, "location", "dimensionRange"),
            {},
            "metadata[1].location",
        ),
        (("files", 0, "permissions", 0, "role"), ..., "permissions[0] has no 'role'"),
        (("files", 0, "trashed"), "no", "files[0].trashed is no bool"),
        (("shared", 0), 7, "shared[0] is no dict"),
    ],
)
def test_a_damaged_state_is_refused_at_once(tmp_path, place, junk, told):
    """An emulator does not begin with it: the error names the file, the place and the remedy."""
    _, state = whole_state()
    put(state, place, junk)
    path = tmp_path / "state.json"
    path.write_text(json.dumps(state))
    with pytest.raises(StateError) as failed:
        Emulator(state=path)
    shown = str(failed.value)
    assert str(path) in shown
    assert told in shown
    assert "name another file, or move this one away to start empty" in shown


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_a_number_that_no_answer_can_hold_is_refused(tmp_path, number):
    """A state with what Python reads as a number, and JSON does not have, is a damaged one."""
    _, state = whole_state()
    put(state, (*SHEET, "grid", "rows", 1, "values", 0), 4711)
    path = tmp_path / "state.json"
    path.write_text(json.dumps(state).replace("4711", number))
    with pytest.raises(StateError, match=f"is damaged \\({number} is"):
        Emulator(state=path)


def test_half_a_character_is_replaced(tmp_path):
    """Half of a surrogate pair, which no answer could hold, is U+FFFD, as it is in a request."""
    file_id, state = whole_state()
    put(state, (*SHEET, "grid", "rows", 0, "values", 0), "\ud800")
    path = tmp_path / "state.json"
    path.write_text(json.dumps(state))
    with Emulator(state=path) as emulator:
        book = emulator.gspread_client().open_by_key(file_id)
        assert book.sheet1.acell("A1").value == "\ufffd"
        assert book.export(ExportFormat.EXCEL)
