"""What a request sets is kept, or the emulator says that it does not keep it."""

from __future__ import annotations

import pytest
from batch_requests import cells
from emulator_leaves import holds, leaves
from gspread.exceptions import APIError

WHERE = cells((1, 4), (1, 4))
AT = {"sheetId": 0, "rowIndex": 1, "columnIndex": 1}
ROWS = {"sheetId": 0, "dimension": "ROWS", "startIndex": 0, "endIndex": 2}
TEXT = {"type": "TEXT_CONTAINS", "values": [{"userEnteredValue": "x"}]}
BOLD = {"condition": TEXT, "format": {"textFormat": {"bold": True}}}
BANDS = {"firstBandColor": {"red": 1}, "secondBandColor": {"blue": 1}}
METADATA = {"metadataKey": "k", "visibility": "DOCUMENT", "location": {"spreadsheet": True}}

# Of each request that sets something: the type of what it sets, and what else it needs.
SETTERS = {
    "updateCells": (
        "CellData",
        lambda it: {"rows": [{"values": [it]}], "fields": "*", "start": AT},
    ),
    "repeatCell": ("CellData", lambda it: {"cell": it, "fields": "*", "range": WHERE}),
    "appendCells": (
        "CellData",
        lambda it: {"rows": [{"values": [it]}], "fields": "*", "sheetId": 0},
    ),
    "setDataValidation": (
        "DataValidationRule",
        lambda it: {"range": WHERE, "rule": {"condition": TEXT} | it},
    ),
    "addSheet": ("SheetProperties", lambda it: {"properties": it}),
    "updateSheetProperties": (
        "SheetProperties",
        lambda it: {"properties": {"sheetId": 0} | it, "fields": ",".join(it)},
    ),
    "updateSpreadsheetProperties": (
        "SpreadsheetProperties",
        lambda it: {"properties": it, "fields": ",".join(it)},
    ),
    "updateDimensionProperties": (
        "DimensionProperties",
        lambda it: {"properties": it, "fields": ",".join(it), "range": ROWS},
    ),
    "addProtectedRange": ("ProtectedRange", lambda it: {"protectedRange": {"range": WHERE} | it}),
    "addNamedRange": (
        "NamedRange",
        lambda it: {"namedRange": {"range": WHERE, "name": "sample_range"} | it},
    ),
    "setBasicFilter": ("BasicFilter", lambda it: {"filter": {"range": WHERE} | it}),
    "addFilterView": ("FilterView", lambda it: {"filter": {"range": WHERE} | it}),
    "addConditionalFormatRule": (
        "ConditionalFormatRule",
        lambda it: {"index": 0, "rule": _rule(it)},
    ),
    "addBanding": (
        "BandedRange",
        lambda it: {"bandedRange": {"range": WHERE, "rowProperties": BANDS} | it},
    ),
    "addChart": ("EmbeddedChart", lambda it: {"chart": {"spec": {"title": "c"}} | it}),
    "addSlicer": ("Slicer", lambda it: {"slicer": {"spec": {"title": "s"}} | it}),
    "addTable": ("Table", lambda it: {"table": {"range": WHERE} | it}),
    "createDeveloperMetadata": (
        "DeveloperMetadata",
        lambda it: {"developerMetadata": METADATA | it},
    ),
}
# What Google computes, and does not take, without a mark of it in the document.
READ_ONLY = {"effectiveFormat", "effectiveValue", "formattedValue", "hyperlink", "errorValue"}
# "Generally not supported", and never in Google's answers.
NOT_GOOGLES = {"alpha"}
# Where a thing is: a sample of it alone names nowhere.
PLACES = {"range", "ranges", "unprotectedRanges", "dimensionRange", "developerMetadata", "location"}
NOT_ALONE = PLACES | {"sheetId", "hidden", "index", "namedRangeId", "visibility"}


def _rule(given):
    if "gradientRule" in given:
        return {"ranges": [WHERE]} | given
    return {"ranges": [WHERE], "booleanRule": BOLD | given.get("booleanRule", {})}


def _settable(schema):
    for path, message in leaves(schema, (schema,)):
        if not (READ_ONLY | NOT_GOOGLES | NOT_ALONE) & set(path):
            yield path, message


def _fate(client, kind, request, path, message):
    """Return what becomes of a field: kept, dropped, or the status with which it is refused."""
    book = client.create("Kept")
    try:
        book.batch_update({"requests": [{kind: request}]})
    except APIError as error:
        return error.code
    found = book.fetch_sheet_metadata({"includeGridData": True})
    client.del_spreadsheet(book.id)
    return "kept" if holds(found, path, message) else "dropped"


@pytest.mark.parametrize("kind", SETTERS)
def test_what_is_set_is_kept(kind, client):
    """Each field of Google's description that a request sets is kept, or answered with 501."""
    schema, complete = SETTERS[kind]
    fates, refused = {}, set()
    for path, message in _settable(schema):
        if not refused & set(path):
            fates[path] = _fate(client, kind, complete(message), path, message)
            refused |= {path[0]} if fates[path] == 501 else set()
    assert "kept" in fates.values()
    assert {path: fate for path, fate in fates.items() if fate not in ("kept", 501)} == {}


def test_what_cannot_be_obeyed_is_not_taken(book):
    """What steers a request in a way that the emulator does not know is answered with 501."""
    sources = {"dataSourceId": "x"}
    for kind, request in {
        "sortRange": {"range": WHERE, "sortSpecs": [{"dimensionIndex": 1, "foregroundColor": {}}]},
        "autoFill": {"range": WHERE, "useAlternateSeries": True},
        "autoResizeDimensions": {"dataSourceSheetDimensions": sources},
        "setDataValidation": {"range": WHERE, "filteredRowsIncluded": True},
    }.items():
        with pytest.raises(APIError) as caught:
            book.batch_update({"requests": [{kind: request}]})
        assert caught.value.code == 501
        assert kind in str(caught.value)
