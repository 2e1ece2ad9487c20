"""The tables of methods and of requests in a batch, held against Google's own descriptions."""

from __future__ import annotations

import re

import pytest
from discovery import document, methods_in

from queued_gspread.google_api.batch_requests import BATCH_REQUESTS, Commutes
from queued_gspread.google_api.methods import METHODS, Idempotence, find, kind_of, reads

SHEETS, DRIVE = document("sheets.v4"), document("drive.v3")
DESCRIBED = {
    (method["httpMethod"], f"/{api['servicePath']}{method['path']}"): method["id"]
    for api in (SHEETS, DRIVE)
    for method in methods_in(api)
}
OTHERS = {
    ("GET", "/spreadsheets/d/{spreadsheetId}/export"),
    ("PUT", "/drive/v2/files/{fileId}"),
    ("PUT", "/upload/drive/v2/files/{fileId}"),
}
SCHEMAS = SHEETS["schemas"]
ROWS = {f"{row.verb} {row.path}": row for row in METHODS}


def test_every_method_of_google_has_one_row():
    """The methods of Sheets v4 and Drive v3 are the rows, but for three that are in neither."""
    assert len(ROWS) == len(METHODS)
    # On the right: write a row, as CONTRIBUTING.md says. On the left: Google does not have it, or
    # only in a later google-api-python-client than pyproject.toml names.
    assert {(row.verb, row.path) for row in METHODS} - OTHERS == DESCRIBED.keys()
    assert len(DESCRIBED) > 17 + 60


def test_the_upload_of_drive_before_v3_is_google_s():
    """The one method of Drive v2 that has rows is described there, with both of its paths."""
    (method,) = (m for m in methods_in(document("drive.v2")) if m["id"] == "drive.files.update")
    upload = method["mediaUpload"]["protocols"]["simple"]["path"]
    paths = {f"/drive/v2/{method['path']}", upload}
    assert {(method["httpMethod"], path) for path in paths} == {o for o in OTHERS if "v2" in o[1]}


def test_every_kind_of_request_in_a_batch_has_one_row():
    """The kinds in Google's description of a batch are the rows, and none is there twice."""
    kinds = SCHEMAS["Request"]["properties"]
    # On the right: write a row, as CONTRIBUTING.md says. On the left: Google does not have it, or
    # only in a later google-api-python-client than pyproject.toml names.
    assert BATCH_REQUESTS.keys() == kinds.keys()
    assert [row.kind for row in BATCH_REQUESTS.values()] == sorted(kinds)
    assert len(kinds) >= 74


@pytest.mark.parametrize("name", ROWS)
def test_a_method_is_found_by_its_path(name):
    """What a path with ids in it leads to is its own row, even where an id could stand for it."""
    row = ROWS[name]
    for given in ("1aB-_", "A1", "%27a%3Ab%27"):
        assert find(row.verb, re.sub(r"{\w+}", given, row.path)) is row
    assert find("DANCE", row.path) is None
    assert find(row.verb, f"/x{row.path}") is None
    assert row.path.endswith("{range}") or find(row.verb, f"{row.path}:dance") is None


@pytest.mark.parametrize("name", [f"{verb} {path}" for verb, path in DESCRIBED])
def test_a_method_counts_as_google_says(name):
    """What gets or searches in a spreadsheet counts as a read, other of Sheets as a write."""
    row = ROWS[name]
    api, _, verb = DESCRIBED[row.verb, row.path].partition(".")
    kind = "read" if re.match("get|batchGet|search", verb.rpartition(".")[2]) else "write"
    assert row.quota == ("drive" if api == "drive" else kind)
    path = re.sub(r"{\w+}", "7", row.path)
    assert kind_of(row.verb, path) == row.quota
    assert reads(row.verb, path) is (row.verb == "GET" or row.quota == "read")


@pytest.mark.parametrize("name", ROWS)
def test_a_row_says_whether_its_method_is_idempotent(name):
    """A method that reads is idempotent without a check; another has a rule, or says why not."""
    row = ROWS[name]
    if reads(row.verb, re.sub(r"{\w+}", "7", row.path)):
        assert (row.idempotent, row.check) == (Idempotence.ALWAYS, "")
        return
    assert isinstance(row.idempotent, Idempotence) or len(row.idempotent) > len("adds")
    assert row.check


SURE = {
    "POST /v4/spreadsheets/{spreadsheetId}/values/{range}:clear",
    "POST /v4/spreadsheets/{spreadsheetId}/values:batchClear",
    "POST /v4/spreadsheets/{spreadsheetId}/values:batchClearByDataFilter",
    "POST /v4/spreadsheets/{spreadsheetId}/values:batchUpdate",
    "POST /v4/spreadsheets/{spreadsheetId}/values:batchUpdateByDataFilter",
    "PUT /v4/spreadsheets/{spreadsheetId}/values/{range}",
    # Under conditions:
    "POST /v4/spreadsheets/{spreadsheetId}:batchUpdate",
    "PATCH /drive/v3/files/{fileId}",
    "PUT /upload/drive/v2/files/{fileId}",
}


def test_no_other_method_that_writes_is_idempotent():
    """Nine methods are known to be the same twice; whatever Google adds is not, without proof."""
    writes = {name for name, row in ROWS.items() if row.check}
    assert {name for name in writes if isinstance(ROWS[name].idempotent, Idempotence)} == SURE


def test_no_kind_that_has_a_reply_is_idempotent():
    """What answers with something of what it did may answer otherwise the second time."""
    replies = SCHEMAS["Response"]["properties"].keys()
    assert replies < BATCH_REQUESTS.keys()
    idempotent = [kind for kind in replies if not isinstance(BATCH_REQUESTS[kind].idempotent, str)]
    assert idempotent == []


def names_below(schema, depth=4):
    """Yield the paths of the fields of a schema, those of what it refers to as such too."""
    for name, field in SCHEMAS[schema].get("properties", {}).items():
        inner = field.get("$ref") or field.get("items", {}).get("$ref")
        yield name
        if inner and depth:
            below = list(names_below(inner, depth - 1))
            yield from below  # a mask begins at the object that is changed
            yield from (f"{name}.{path}" for path in below)


RULES = [
    (kind, rule)
    for kind, row in BATCH_REQUESTS.items()
    for rule in (() if isinstance(row.idempotent, str) else row.idempotent)
]


@pytest.mark.parametrize(
    ("kind", "rule"), RULES, ids=[f"{kind}-{number}" for number, (kind, _) in enumerate(RULES)]
)
def test_a_rule_names_fields_that_there_are(kind, rule):
    """The fields that a rule lets a mask name, and the names in an object, are in Google's API."""
    schema = SCHEMAS["Request"]["properties"][kind]["$ref"]
    assert (rule.fields or set()) <= set(names_below(schema))
    if rule.inside:
        name, known = rule.inside
        within = SCHEMAS[schema]["properties"][name]["$ref"]
        assert set(SCHEMAS[within]["properties"]) - known == {"sortSpecs"}


def test_a_kind_with_a_mask_names_its_fields_or_stands_alone():
    """Only what every part may be mixed with has its fields limited by a rule, or has no mask."""
    for kind, rule in RULES:
        has_mask = "fields" in SCHEMAS[SCHEMAS["Request"]["properties"][kind]["$ref"]]["properties"]
        assert rule.commutes is Commutes.ALONE or (rule.fields is not None) is has_mask


# What says whose account it is, or depends on it, or on its project.
PERSONAL = re.compile(
    r"requestingUser|[eE]ditors|[dD]eveloperMetadata|dataSource|DataFilter|[cC]omment|chipRuns|^author"
)
# Methods of the Sheets API that go out under the namespace's own account alone, and why.
OWN = {
    "sheets.spreadsheets.create": "the spreadsheet is its account's",
    "sheets.spreadsheets.sheets.copyTo": "another spreadsheet has to do with it",
    "sheets.spreadsheets.get": "says which protected ranges its account may edit",
    "sheets.spreadsheets.getByDataFilter": "says which protected ranges its account may edit",
    "sheets.spreadsheets.developerMetadata.get": "metadata may be those of a project",
    "sheets.spreadsheets.developerMetadata.search": "metadata may be those of a project",
    "sheets.spreadsheets.values.batchGetByDataFilter": "selects by such metadata",
    "sheets.spreadsheets.values.batchClearByDataFilter": "selects by such metadata",
    "sheets.spreadsheets.values.batchUpdateByDataFilter": "selects by such metadata",
}
OWN_KINDS = {
    "addChart",  # of a data source, perhaps
    "addCommentReply",
    "addDataSource",
    "addProtectedRange",
    "cancelDataSourceRefresh",
    "createDeveloperMetadata",
    "deleteComment",
    "deleteCommentReply",
    "deleteDataSource",
    "deleteDeveloperMetadata",
    "deleteProtectedRange",
    "duplicateSheet",  # with its protected ranges
    "insertComment",
    "refreshDataSource",
    "updateChartSpec",
    "updateCommentPost",
    "updateDataSource",
    "updateDeveloperMetadata",
    "updateProtectedRange",
    "updateSpreadsheetProperties",  # whether external addresses are trusted
}


def reached(schema):
    """Return the names of all fields that a schema has, with those of what it refers to."""
    names, seen, left = set(), set(), [schema]
    while left:
        for name, field in SCHEMAS[left.pop()].get("properties", {}).items():
            names.add(name)
            inner = {found for found in referred(field) if found not in seen}
            seen |= inner
            left += inner
    return names


def referred(field):
    if "$ref" in field:
        yield field["$ref"]
    for within in ("items", "additionalProperties"):
        if within in field:
            yield from referred(field[within])


def personal(*schemas):
    return {name for each in schemas for name in reached(each) if PERSONAL.search(name)}


def test_each_method_of_sheets_is_lent_or_there_is_a_reason():
    """Of the Sheets API all but those for which there is a reason is lent, of Drive nothing."""
    lent = {DESCRIBED[row.verb, row.path] for row in METHODS if row.lent}
    of_sheets = {name for name in DESCRIBED.values() if name.startswith("sheets.")}
    assert lent == of_sheets - OWN.keys()
    assert OWN.keys() <= of_sheets


def test_what_is_lent_does_not_depend_on_the_account():
    """No lent method has, or answers, a field that depends on whose account it is."""
    by_id = {method["id"]: method for method in methods_in(SHEETS)}
    for row in METHODS:
        if row.lent and row.idempotent is not Idempotence.BATCH:
            assert "{spreadsheetId}" in row.path
            method = by_id[DESCRIBED[row.verb, row.path]]
            sides = [method[side]["$ref"] for side in ("request", "response") if side in method]
            assert personal(*sides) == set(), row.path
    # The judge finds what there is to be found.
    assert "requestingUserCanEdit" in personal("Spreadsheet")


def test_each_kind_in_a_batch_is_lent_or_there_is_a_reason():
    """The kinds that go out under the namespace's own account alone are those with a reason."""
    assert {kind for kind, row in BATCH_REQUESTS.items() if not row.lent} == OWN_KINDS


@pytest.mark.parametrize("kind", sorted(BATCH_REQUESTS.keys() - OWN_KINDS))
def test_a_lent_kind_names_what_is_its_account_s(kind):
    """Each field of a lent kind that depends on the account is one for which it is not lent."""
    row = BATCH_REQUESTS[kind]
    names = personal(SCHEMAS["Request"]["properties"][kind]["$ref"])
    assert {name for name in names if not any(own in name for own in row.own_fields)} == set()


def test_kinds_with_personal_fields_are_found():
    """The judge of kinds finds what is left out here: editors, authors, sources, metadata."""
    kinds = SCHEMAS["Request"]["properties"]
    found = {kind for kind in OWN_KINDS if personal(kinds[kind]["$ref"])}
    by_name = {"deleteProtectedRange", "duplicateSheet", "updateSpreadsheetProperties"}
    assert found == OWN_KINDS - by_name - {"insertComment"}
