"""Which requests are idempotent, by the table and by brute force over small models."""

from __future__ import annotations

import ast
import itertools
import json
import string
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import gspread
import pytest
import requests
from gspread import urls
from places import RECORDED

from queued_gspread.google_api.batch_requests import BATCH_REQUESTS
from queued_gspread.google_api.methods import find
from queued_gspread.server.policy.check_hints import GENERAL, how_to_check
from queued_gspread.server.policy.idempotency import is_idempotent, query_of
from queued_gspread.server.policy.request import CREDENTIALS, Request

NOT_IDEMPOTENT = {k for k, row in BATCH_REQUESTS.items() if isinstance(row.idempotent, str)}
IDEMPOTENT = BATCH_REQUESTS.keys() - NOT_IDEMPOTENT

SHEETS = "https://sheets.googleapis.com/v4/spreadsheets"
FILES = "https://www.googleapis.com/drive/v3/files"
UPLOAD = "https://www.googleapis.com/upload/drive/v2/files"


def batch(*requests, **given):
    return Request("post", f"{SHEETS}/id:batchUpdate", json={"requests": list(requests), **given})


def cells(fields, kind="updateCells"):
    return {kind: {"range": {}, "rows": [], "fields": fields}}


def sheet(fields, **properties):
    return {"updateSheetProperties": {"properties": properties, "fields": fields}}


# Paths -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("get", f"{SHEETS}/id", True),
        ("HEAD", "https://anywhere/", True),
        (CREDENTIALS, "refresh", True),
        ("post", SHEETS, False),
        ("put", f"{SHEETS}/id/values/A1", True),
        ("PUT", "http://127.0.0.1:8099/v4/spreadsheets/id/values/%27A%20b%27%21A1%3AB2?x=y", True),
        ("put", f"{SHEETS}/id/values/A1:B2", True),
        ("put", f"{SHEETS}/id/values/A1/B2", False),
        ("put", f"{SHEETS}/id/values", False),
        ("post", f"{SHEETS}/id/values/A1", False),
        ("post", f"{SHEETS}/id/values/A1:B2:append", False),
        ("post", f"{SHEETS}/id/values/A1%3AB2:append?valueInputOption=RAW", False),
        ("post", f"{SHEETS}/id/values/A1:clear:append", False),
        ("post", f"{SHEETS}/id/values/A1:%61ppend", False),
        ("post", f"{SHEETS}/id/values/A1:clear", True),
        ("post", f"{SHEETS}/id/values/A1:B2:clear", True),
        ("post", f"{SHEETS}/id/values/x%3Aappend:clear", True),
        ("post", f"{SHEETS}/id/values/A1%3Aclear", False),
        ("post", f"{SHEETS}/id/values/A1?:clear", False),
        ("post", f"{SHEETS}/id/values/A1#:clear", False),
        ("post", f"{SHEETS}/id/values:batchUpdate", True),
        ("post", f"{SHEETS}/id/values:batchClear", True),
        ("post", f"{SHEETS}/id/values:batchGetByDataFilter", True),
        ("post", f"{SHEETS}/id/values:batchAppend", False),
        ("post", f"{SHEETS}/id:getByDataFilter", True),
        ("post", f"{SHEETS}/id/sheets/3:copyTo", False),
        ("post", "https://sheets.googleapis.com/v5/spreadsheets/id/values:batchUpdate", False),
        ("post", FILES, False),
        ("post", f"{FILES}/id/copy", False),
        ("post", f"{FILES}/id/permissions", False),
        ("delete", f"{FILES}/id", False),
        ("delete", f"{FILES}/id/permissions/1", False),
        ("patch", f"{FILES}/id/permissions/1", False),
        ("patch", f"{FILES}/id/anything", False),
        ("options", f"{SHEETS}/id", False),
        ("put", "http://[half/v4/spreadsheets/id/values/A1", False),
        ("put", None, False),
    ],
)
def test_a_method_and_a_path(method, url, expected):
    """A request is judged by its method and path, whatever the host and the query are."""
    assert is_idempotent(Request(method, url)) is expected


@pytest.mark.parametrize(
    ("params", "body", "expected"),
    [
        (None, {"name": "x"}, True),
        ({"supportsAllDrives": True, "fields": "id"}, {"name": "x"}, True),
        ([("fields", "id")], {"trashed": True}, True),
        ({"addParents": "a"}, {"name": "x"}, False),
        ([("removeParents", "a")], {"name": "x"}, False),
        ("addParents=a", {"name": "x"}, False),
        (["ab"], {"name": "x"}, False),
        ([1], {"name": "x"}, False),
        (None, {"contentRestrictions": [{"readOnly": True}]}, False),
        (None, None, False),
    ],
)
def test_a_change_of_a_file(params, body, expected):
    """A file may be renamed twice, but not be given or taken a parent, nor be locked."""
    assert is_idempotent(Request("patch", f"{FILES}/id", params, json=body)) is expected


def test_parents_in_the_endpoint():
    """A parameter counts as well when it stands in the endpoint."""
    url = f"{FILES}/id?addParents="
    assert not is_idempotent(Request("patch", url, {"fields": "id"}, json={"name": "x"}))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"params": {"uploadType": "media", "convert": True}, "data": b"a,b"}, True),
        ({"params": {"uploadType": "multipart"}, "data": b"a,b"}, False),
        ({"params": {"uploadType": "media", "addParents": "x"}, "data": b"a,b"}, False),
        ({"params": {"uploadType": "media"}, "data": iter([b"a"])}, False),
        ({"params": {"uploadType": "media"}, "data": b"a", "files": {"f": b""}}, False),
        ({"data": b"a"}, False),
        ({"params": 3, "data": b"a"}, False),
    ],
)
def test_an_upload(given, expected):
    """The content of a file may be replaced twice, if all of it is at hand."""
    assert is_idempotent(Request("put", f"{UPLOAD}/id", **given)) is expected


@pytest.mark.parametrize(
    ("method", "header", "expected"),
    [
        ("post", "GET", True),
        ("post", "DELETE", False),
        ("get", "PUT", False),
        ("put", "PUT", False),
    ],
)
def test_an_overridden_method(method, header, expected):
    """A POST that is sent in place of a GET is one; any other disguise is not seen through."""
    headers = {"x-HTTP-method-override": header}
    url = f"{SHEETS}/id/values/A1"
    assert is_idempotent(Request(method, url, headers=headers)) is expected
    assert not is_idempotent(Request("put", url, headers=["x"]))


# Batches ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(NOT_IDEMPOTENT))
def test_a_kind_that_is_not_idempotent(kind):
    """A kind that is known not to be idempotent spoils its batch."""
    assert not is_idempotent(batch({kind: {"fields": "note"}}))
    assert not is_idempotent(batch(cells("note"), {kind: {"fields": "note"}}))


@pytest.mark.parametrize("kind", sorted(IDEMPOTENT))
def test_a_kind_that_is_idempotent(kind):
    """Each kind of the table is idempotent in some form, and none with an unknown field."""
    masks = ["note", "pixelSize", "range", "title", "name"]
    abouts = [{"fields": mask, "filter": {"range": {}}} for mask in masks]
    assert any(is_idempotent(batch({kind: about})) for about in abouts)
    if kind in ("updateCells", "repeatCell", "updateSheetProperties", "updateDimensionProperties"):
        assert not is_idempotent(batch({kind: {"fields": "*"}}))
        assert not is_idempotent(batch({kind: {}}))


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        ([cells("userEnteredValue"), cells("note", "repeatCell")], True),
        ([cells("userEnteredFormat(backgroundColor,textFormat)"), {"updateBorders": {}}], True),
        (
            [cells("userEnteredFormat.textFormat.bold"), sheet("gridProperties/frozenRowCount")],
            True,
        ),
        ([cells("userEnteredValue"), cells("userEnteredFormat")], False),
        ([cells("userEnteredValue,userEnteredFormat")], False),
        ([cells("userEnteredValues")], False),
        ([cells("userEnteredValue,textFormatRuns")], True),
        ([cells("textFormatRuns"), cells("userEnteredValue")], False),
        ([cells("userEnteredFormat"), sheet("gridProperties.rowCount")], False),
        ([sheet("gridProperties/rowCount,gridProperties/columnCount")], True),
        ([{"setBasicFilter": {"filter": {"range": {}, "sortSpecs": []}}}], False),
        ([{"setBasicFilter": {"filter": {"range": {}, "sort_specs": []}}}], False),
        ([{"updateProtectedRange": {"fields": "editors"}}], False),
        ([{"update_cells": {"fields": "note"}}], False),
        ([{"updateCells": {"fields": "note"}, "addSheet": {}}], False),
        ([{"updateCells": None}], False),
        ([{}], False),
        (["updateCells"], False),
        ([], False),
    ],
)
def test_a_batch(requests, expected):
    """A batch is idempotent if all that is in it is, beside the rest."""
    assert is_idempotent(batch(*requests)) is expected


def test_what_is_around_the_requests():
    """An answer with the spreadsheet is the same twice; an unknown name may mean anything."""
    assert is_idempotent(batch(cells("note"), includeSpreadsheetInResponse=True))
    assert not is_idempotent(batch(cells("note"), dance=True))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (json.dumps({"requests": [cells("note")]}), True),
        (json.dumps({"requests": [cells("note")]}).encode(), True),
        (json.dumps({"requests": [{"addSheet": {}}]}), False),
        ('{"requests": [{"addSheet": {}}], "requests": []}', False),
        (b"\xff", False),
        ("[]", False),
        ('{"requests": {}}', False),
        ("[" * 100_000, False),
        ({"requests": "x"}, False),
        (iter([b"{}"]), False),
    ],
)
def test_a_batch_as_data(data, expected):
    """A batch may come as text or bytes; the data is sent even where there is json as well."""
    idempotent = {"requests": [cells("note")]}
    request = Request("post", f"{SHEETS}/id:batchUpdate", data=data, json=idempotent)
    assert is_idempotent(request) is expected


# Models ----------------------------------------------------------------------------------------


def move(order, name, index):
    """Move a sheet as Google does: counted before the move, the own index and the next ignored."""
    place = order.index(name)
    if index in (place, place + 1):
        return order
    rest = [other for other in order if other != name]
    rest.insert(index if index < place else index - 1, name)
    return tuple(rest)


def test_moves_of_sheets():
    """Every batch of moves that is idempotent does nothing the second time; others would."""
    yes = no = harmful = 0
    moves = list(itertools.product(range(3), range(4)))
    for length in (1, 2, 3):
        for chosen in itertools.product(moves, repeat=length):
            allowed = is_idempotent(batch(*(sheet("index", sheetId=s, index=i) for s, i in chosen)))
            steady = all(_moved(_moved(start, chosen), chosen) == _moved(start, chosen)
                         for start in itertools.permutations(range(3)))  # fmt: skip
            assert steady or not allowed, chosen
            yes, no = yes + allowed, no + (not allowed)
            harmful += not steady
    print(f"\nbatches of moves: {yes} idempotent, {no} not, of which {harmful} would do harm")
    # One move, and as many sheets in turn as there are: 3 * 4 + 3 * 2 + 3 * 2 * 1.
    assert yes == 24
    assert harmful > 100


def _moved(order, moves):
    for name, index in moves:
        order = move(order, name, index)
    return order


class RefusedError(Exception):
    """Google answers 400."""


@dataclass(frozen=True)
class Sheet:
    """Two rows of one cell, and what else the requests below depend on."""

    cells: tuple = ("b", "a")
    formats: tuple = ("", "")
    runs: bool = False
    rule: bool = False
    merged: bool = False
    hidden: frozenset = frozenset()
    rows: int = 2
    title: str = "old"
    width: int = 0
    locale: str = "en"


def _put(row, value):
    def apply(sheet):
        if row >= sheet.rows or (sheet.rule and value == "bad"):
            raise RefusedError
        written = value
        if value.startswith("="):
            written = _formula(sheet, row, value)
        found = list(sheet.cells)
        found[row] = written
        return replace(sheet, cells=tuple(found), runs=sheet.runs and bool(row))

    return apply


def _formula(sheet, row, value):
    if sheet.formats[row] == "text":
        return "text " + value
    if sheet.locale != "en":
        raise RefusedError
    return value if value != "=old" or sheet.title == "old" else "#REF!"


def _format(row, form):
    def apply(sheet):
        found = list(sheet.formats)
        found[row] = form
        return replace(sheet, formats=tuple(found))

    return apply


def _sort(sheet):
    keys = [(f"{5 - row}" if cell == "=row" else cell, row) for row, cell in enumerate(sheet.cells)]
    order = [row for _, row in sorted(keys)]
    looks = tuple(sheet.formats[row] for row in order)
    return replace(sheet, cells=tuple(sheet.cells[row] for row in order), formats=looks)


def _run(sheet):
    if len(sheet.cells[0]) < 2:
        raise RefusedError
    return replace(sheet, runs=True)


def _resize(rows):
    def apply(sheet):
        kept = (*sheet.cells[:rows], "", "")[:2]
        return replace(sheet, rows=rows, cells=kept, formats=(*sheet.formats[:rows], "", "")[:2])

    return apply


def _rename(title):
    def apply(sheet):
        found = tuple(c.replace("=" + sheet.title, "=" + title) for c in sheet.cells)
        return replace(sheet, title=title, cells=found)

    return apply


def _hide(row, hidden):
    def apply(sheet):
        found = sheet.hidden | {row} if hidden else sheet.hidden - {row}
        if len(found) == 2:
            raise RefusedError
        return replace(sheet, hidden=found)

    return apply


def _merge(sheet):
    if sheet.merged:
        return sheet
    return replace(sheet, merged=True, cells=(next(filter(None, sheet.cells), ""), ""))


def dimension(fields):
    return {"updateDimensionProperties": {"range": {}, "properties": {}, "fields": fields}}


STEPS = {
    "put0a": (cells("userEnteredValue"), _put(0, "a")),
    "put0long": (cells("userEnteredValue"), _put(0, "long")),
    "put0old": (cells("userEnteredValue"), _put(0, "=old")),
    "put0row": (cells("userEnteredValue"), _put(0, "=row")),
    "put1z": (cells("userEnteredValue"), _put(1, "")),
    "put1bad": (cells("userEnteredValue"), _put(1, "bad")),
    "text0": (cells("userEnteredFormat.numberFormat"), _format(0, "text")),
    "bold1": (cells("userEnteredFormat(textFormat)", "repeatCell"), _format(1, "bold")),
    "runs": (cells("textFormatRuns"), _run),
    "sort": ({"sortRange": {}}, _sort),
    "fit": (
        {"autoResizeDimensions": {}},
        lambda sheet: replace(sheet, width=max(map(len, sheet.cells))),
    ),
    "wide": (dimension("pixelSize"), lambda sheet: replace(sheet, width=9)),
    "hide0": (dimension("hiddenByUser"), _hide(0, hidden=True)),
    "hide1": (dimension("hiddenByUser"), _hide(1, hidden=True)),
    "show0": (dimension("hiddenByUser"), _hide(0, hidden=False)),
    "rule": ({"setDataValidation": {}}, lambda sheet: replace(sheet, rule=True)),
    "merge": ({"mergeCells": {}}, _merge),
    "unmerge": ({"unmergeCells": {}}, lambda sheet: replace(sheet, merged=False)),
    "rows1": (sheet("gridProperties.rowCount"), _resize(1)),
    "rows2": (sheet("gridProperties.rowCount"), _resize(2)),
    "rename": (sheet("title"), _rename("new")),
    "locale": (
        {"updateSpreadsheetProperties": {}},
        lambda sheet: replace(sheet, locale="de"),
    ),
}
STARTS = [
    Sheet(cells=given, formats=form, hidden=hidden)
    for given in itertools.product(["", "b", "long", "=row"], repeat=2)
    for form in [("", ""), ("text", "bold")]
    for hidden in [frozenset(), frozenset({1})]
]


def outcome(start, names):
    """Return what a batch leaves and whether it was accepted: all of it or nothing."""
    done = start
    try:
        for name in names:
            done = STEPS[name][1](done)
    except RefusedError:
        return start, False
    return done, True


def is_steady(names):
    """Tell whether a batch that was applied leaves and answers the same the second time."""
    once = (outcome(start, names) for start in STARTS)
    return all(outcome(done, names) == (done, True) for done, accepted in once if accepted)


def test_batches_over_a_model():
    """Every idempotent batch leaves and answers the same when it is."""
    counts = Counter()
    for length in (1, 2, 3):
        for names in itertools.product(STEPS, repeat=length):
            allowed = is_idempotent(batch(*(STEPS[name][0] for name in names)))
            counts[length, allowed] += 1
            assert not allowed or is_steady(names), names
    print(f"\nbatches of the model, by length and verdict: {dict(counts)}")
    assert counts[1, True] == len(STEPS) - 1
    assert counts[3, True] > 100


@pytest.mark.parametrize(
    "names",
    [
        ("sort",),
        ("sort", "put0a"),
        ("fit", "put0long"),
        ("put0old", "rename"),
        ("put0old", "locale"),
        ("put0old", "text0"),
        ("runs", "put0a"),
        ("put1bad", "rule"),
        ("put1bad", "rows1"),
        ("merge", "put1bad", "unmerge"),
        ("hide0", "show0", "hide1"),
    ],
)
def test_steady_requests_that_are_not_so_together(names):
    """A batch that the model shows to do more the second time is not, steady as its parts are."""
    assert "sort" in names or all(is_steady([name]) for name in names)
    assert not is_steady(names)
    assert not is_idempotent(batch(*(STEPS[name][0] for name in names)))


# Completeness ----------------------------------------------------------------------------------


def gspread_trees():
    folder = Path(gspread.__file__).parent
    return {path.name: ast.parse(path.read_text()) for path in sorted(folder.glob("*.py"))}


def kinds_sent(tree):
    """Yield the kinds in what gspread sends as requests: all that stands in a body's list."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            named = dict(assignments(function))
            for node in ast.walk(function):
                for part in requests_in(node):
                    yield from kinds_of(part, named)


def requests_in(node):
    """Yield what a node puts under the key "requests"."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "requests":
                yield value
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "body['requests'].append":
        yield node.args[0]


def kinds_of(node, named):
    if isinstance(node, ast.Name):
        yield from kinds_of(named[node.id], named)
    elif isinstance(node, ast.ListComp):
        yield from kinds_of(node.elt, named)
    elif isinstance(node, ast.List):
        for part in node.elts:
            yield from kinds_of(part, named)
    else:
        assert isinstance(node, ast.Dict), ast.unparse(node)
        yield from (key.value for key in node.keys)


def assignments(function):
    """Yield the names that a function assigns once and what to."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            yield ast.unparse(node.target), node.value


class Anything:
    """Stands for whatever gspread puts into a URL."""

    def __getattr__(self, name):
        return self

    def __call__(self, *_):
        return self

    def __str__(self):
        return "1"


class Names(dict):
    def __missing__(self, name):
        return vars(urls).get(name, Anything())


def calls_sent(tree):
    """Yield method and URL of each request that gspread's code makes."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            named = dict(assignments(function))
            for node in ast.walk(function):
                if _is_request(node):
                    method, url = node.args[:2]
                    if isinstance(url, ast.Name):
                        url = named.get(url.id, url)
                    yield method.value.upper(), eval(ast.unparse(url), Names())


def _is_request(node):
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    return node.func.attr == "request" and len(node.args) > 1


def test_every_kind_that_gspread_sends_is_classified():
    """Each kind of request in gspread's source stands in one of the tables, and in one alone."""
    trees = gspread_trees().values()
    sent = {kind for tree in trees for kind in kinds_sent(tree)}
    bodies = [node for tree in trees for part in ast.walk(tree) for node in requests_in(part)]
    yes, no = sent & IDEMPOTENT, sent & NOT_IDEMPOTENT
    print(f"\nkinds that gspread sends: {len(sent)}: yes {len(yes)}, no {len(no)}")
    assert sent == yes | no
    assert not IDEMPOTENT & NOT_IDEMPOTENT
    if gspread.__version__ == "6.2.1":
        assert (len(bodies), len(yes), len(no)) == (41, 11, 14)


def test_every_call_that_gspread_makes_is_classified():
    """Each method and URL in gspread's source is known to the table of methods."""
    calls = {call for tree in gspread_trees().values() for call in calls_sent(tree)}
    writes = {(method, url) for method, url in calls if method != "GET"}
    unknown = {
        (method, url)
        for method, url in writes
        if find(method, "/" + url.split("/", 3)[3]) is None or "Anything" in url
    }
    print(f"\ncalls that gspread makes: {len(calls)}, of which {len(writes)} write")
    assert not unknown
    if gspread.__version__ == "6.2.1":
        assert len(writes) == 15


def test_every_request_that_gspread_sends_has_a_hint():
    """Each call and each kind in gspread's source that is not idempotent says how to check it."""
    trees = gspread_trees().values()
    calls = {call for tree in trees for call in calls_sent(tree)}
    writes = [Request(method, url) for method, url in sorted(calls)]
    plain = [
        one for one in writes if not (is_idempotent(one) or one.endpoint.endswith("batchUpdate"))
    ]
    kinds = {kind for tree in trees for kind in kinds_sent(tree)} | NOT_IDEMPOTENT
    unchecked = [*plain, *(batch({kind: {}}) for kind in sorted(kinds))]
    hints = [how_to_check(request) for request in unchecked]
    assert [one for one, hint in zip(unchecked, hints, strict=True) if hint == GENERAL] == []
    assert len(plain) > 5
    assert len(set(hints)) > 20


def test_kinds_are_spelt_as_in_json():
    """The names in the tables are those of Google's JSON: camel case, ASCII."""
    names = BATCH_REQUESTS
    assert all(name[0].islower() and set(name) <= set(string.ascii_letters) for name in names)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="needs the recorded traffic of Google's API")
def test_recorded_requests(tell):
    """Every recorded write is known to the tables; how many are idempotent is as counted."""
    counts = Counter()
    for path in sorted(RECORDED.glob("*.json")):
        for exchange in json.loads(path.read_text(encoding="utf-8")):
            request = Request(exchange["method"], exchange["uri"], data=exchange["request_body"])
            is_read = request.method == "GET"
            assert is_read or find(request.method, request.endpoint.split(".com")[1].split("?")[0])
            counts["read" if is_read else "write", is_idempotent(request)] += 1
    tell(f"recorded requests, and whether they are idempotent: {dict(counts)}")
    assert sum(counts.values()) == 1773
    assert counts["read", False] == 0
    assert counts["write", True] == 347


@pytest.mark.parametrize(
    "params",
    [
        None,
        "a=b&id=%69d",
        b"a=",
        {"a": 1, "b": None, "c": True},
        {"a": ["x", None, 2], "b": (), "c": {"k": 1}},
        {"a": [["x", "y"], [None], b"z"]},
        [(b"a", "x"), ("a", b"y"), (1, 2.5)],
    ],
    ids=str,
)
def test_the_query_is_read_as_requests_sends_it(params):
    """What is read of the parameters is what requests puts into the URL, in whichever form."""
    url = "https://www.googleapis.com/drive/v3/files?q=%61"
    sent = requests.Request("GET", url, params=params).prepare().url
    assert query_of(Request("GET", url, params)) == parse_qsl(
        urlsplit(sent).query, keep_blank_values=True
    )
