"""What a request asks for is done, refused in Google's words, or named as not emulated."""

from datetime import datetime, timezone

import pytest
from gspread.exceptions import APIError

from queued_gspread.emulator.book.spreadsheet import Spreadsheet

BOLD = {"textFormat": {"bold": True}}
CHECKBOX = {"condition": {"type": "BOOLEAN"}}


def batch(book, *requests):
    return book.batch_update({"requests": list(requests)})["replies"]


def refused(book, *requests):
    with pytest.raises(APIError) as caught:
        batch(book, *requests)
    return caught.value.code, caught.value.error["message"]


def rows(start, end, **sides):
    return {"sheetId": 0, "startRowIndex": start, "endRowIndex": end, **sides}


def columns(start, end):
    return {"startColumnIndex": start, "endColumnIndex": end}


def shown(book, fields):
    """Return the first sheet's part of an answer."""
    return book.fetch_sheet_metadata({"fields": f"sheets({fields})"})["sheets"][0]


def formats(book):
    """Return the formats and the rules of the first column's cells."""
    data = shown(book, "data.rowData.values(userEnteredFormat,dataValidation)")["data"][0]
    return [row.get("values", [{}])[0] for row in data.get("rowData", [])]


def insert(dimension, start, end, before):
    where = {"sheetId": 0, "dimension": dimension, "startIndex": start, "endIndex": end}
    return {"insertDimension": {"range": where, "inheritFromBefore": before}}


def test_inserted_rows_inherit(book):
    """Rows that are inserted have the height, formats and rules of those before, or after, them."""
    cell = {"userEnteredFormat": BOLD, "dataValidation": CHECKBOX, "note": "n"}
    height = {"sheetId": 0, "dimension": "ROWS", "startIndex": 0, "endIndex": 1}
    where = rows(0, 1, **columns(0, 1))
    batch(
        book,
        {"repeatCell": {"range": where, "cell": cell, "fields": "*"}},
        {
            "updateDimensionProperties": {
                "range": height,
                "properties": {"pixelSize": 50},
                "fields": "pixelSize",
            }
        },
        insert("ROWS", 1, 3, before=True),
        insert("ROWS", 3, 4, before=False),
        insert("ROWS", 0, 1, before=False),
    )
    same = {"userEnteredFormat": BOLD, "dataValidation": CHECKBOX}
    assert formats(book) == [same] * 4
    sizes = shown(book, "data.rowMetadata.pixelSize")["data"][0]["rowMetadata"]
    assert [size["pixelSize"] for size in sizes[:5]] == [50, 50, 50, 50, 21]
    assert book.sheet1.get_note("A1") == ""


def test_inserted_columns_inherit(book):
    """Columns that are inserted have the formats of the one beside; none is before the first."""
    where = rows(0, 1, **columns(0, 1))
    cell = {"userEnteredFormat": BOLD}
    batch(
        book,
        {"repeatCell": {"range": where, "cell": cell, "fields": "userEnteredFormat"}},
        insert("COLUMNS", 1, 2, before=True),
    )
    data = shown(book, "data.rowData.values.userEnteredFormat")["data"][0]
    assert data["rowData"][0]["values"] == [{"userEnteredFormat": BOLD}] * 2
    code, message = refused(book, insert("COLUMNS", 0, 1, before=True))
    assert (code, "inheritFromBefore is true" in message) == (400, True)


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({"updateSheetProperties": {"properties": {}, "fields": "titel"}}, "titel"),
        ({"updateSheetProperties": {"fields": "gridProperties.rows"}}, "grid_properties.rows"),
        ({"repeatCell": {"fields": "userEnteredFormat(bold)"}}, "user_entered_format.bold"),
        ({"updateSpreadsheetProperties": {"fields": "properties.title"}}, "properties.title"),
    ],
)
def test_masks_of_updates_name_fields(book, request_, path):
    """A mask with a field that the thing does not have is a 400 that names it."""
    [kind] = request_
    told = f"Invalid requests[0].{kind}: Invalid field: {path}"
    assert refused(book, request_) == (400, told)


@pytest.mark.parametrize("fields", ["", ",", "..", "()"])
def test_masks_that_name_nothing(book, fields):
    """A mask without a field is as good as none."""
    code, message = refused(book, {"updateSpreadsheetProperties": {"fields": fields}})
    assert (code, "At least one field must be listed" in message) == (400, True)


@pytest.mark.parametrize(
    ("request_", "where", "choice", "second"),
    [
        ({"addSheet": {}, "deleteSheet": {}}, "", "kind", "deleteSheet"),
        ({"updateCells": {"range": {}, "start": {}}}, ".update_cells", "area", "start"),
        (
            {"addSheet": {"properties": {"tabColorStyle": {"rgbColor": {}, "themeColor": "TEXT"}}}},
            ".add_sheet.properties.tab_color_style",
            "kind",
            "themeColor",
        ),
    ],
)
def test_one_of_several_fields(book, request_, where, choice, second):
    """Of fields that exclude each other a second one is refused."""
    why = f"oneof field '{choice}' is already set. Cannot set '{second}'"
    told = f"Invalid value at 'requests[0]{where}' (oneof), {why}"
    assert refused(book, request_) == (400, told)


def test_a_request_of_no_kind(book):
    """A request without anything in it is refused in Google's words."""
    assert refused(book, {}) == (400, "Invalid requests[0]: No request set.")


def test_a_part_of_a_property_is_updated(book):
    """A mask that names a part of one of the spreadsheet's properties leaves the rest of it."""
    theme = book.fetch_sheet_metadata()["properties"]["spreadsheetTheme"]
    changed = {"spreadsheetTheme": {"primaryFontFamily": "Roboto"}}
    fields = "spreadsheetTheme.primaryFontFamily"
    batch(book, {"updateSpreadsheetProperties": {"properties": changed, "fields": fields}})
    found = book.fetch_sheet_metadata()["properties"]["spreadsheetTheme"]
    assert found == {**theme, "primaryFontFamily": "Roboto"}


def test_a_grid_s_properties_as_a_whole(book):
    """A mask that names the properties of a grid clears those that are not given, but its size."""
    book.sheet1.freeze(rows=2)
    properties = {"sheetId": 0, "gridProperties": {"hideGridlines": True}}
    update = {"properties": properties, "fields": "gridProperties"}
    batch(book, {"updateSheetProperties": update})
    found = shown(book, "properties.gridProperties")["properties"]["gridProperties"]
    assert found == {"rowCount": 1000, "columnCount": 26, "hideGridlines": True}


def test_a_style_of_a_colour_takes_precedence(book):
    """Where a colour is given in both forms, the newer one counts, for tabs and for cells."""
    red, blue = {"red": 1}, {"blue": 1}
    tab = {"sheetId": 0, "tabColor": red, "tabColorStyle": {"rgbColor": blue}}
    look = {"backgroundColor": red, "backgroundColorStyle": {"rgbColor": blue}}
    cell = {"range": rows(0, 1, **columns(0, 1)), "cell": {"userEnteredFormat": look}}
    batch(
        book,
        {"updateSheetProperties": {"properties": tab, "fields": "tabColor,tabColorStyle"}},
        {"repeatCell": {**cell, "fields": "userEnteredFormat"}},
    )
    assert shown(book, "properties.tabColor") == {"properties": {"tabColor": blue}}
    assert formats(book)[0]["userEnteredFormat"]["backgroundColor"] == blue


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        ({"addSheet": {"properties": {"sheetType": "OBJECT"}}}, "sheetType OBJECT"),
        (
            {
                "copyPaste": {
                    "source": rows(0, 1),
                    "destination": rows(1, 2),
                    "pasteType": "PASTE_CONDITIONAL_FORMATTING",
                }
            },
            "pasteType PASTE_CONDITIONAL_FORMATTING",
        ),
    ],
)
def test_what_is_not_emulated_is_named(book, request_, named):
    """What a served request asks for and the emulator lacks is a 501 that names it."""
    code, message = refused(book, request_)
    assert (code, named in message) == (501, True)


def test_comments_in_answers_are_not_emulated(book):
    """Comments that are asked for with a spreadsheet are a 501, not silently left out."""
    wanted = {"commentsViewMode": "COMMENTS_VIEW_MODE_INCLUDED"}
    with pytest.raises(APIError, match="comments") as caught:
        book.fetch_sheet_metadata(wanted)
    assert caught.value.code == 501
    assert book.fetch_sheet_metadata({"commentsViewMode": "COMMENTS_VIEW_MODE_OMITTED"})


def test_a_paste_without_borders(book):
    """PASTE_NO_BORDERS leaves the borders behind, and nothing else."""
    look = {**BOLD, "borders": {"top": {"style": "SOLID"}}}
    cell, pasted = rows(0, 1, **columns(0, 1)), rows(1, 2, **columns(0, 1))
    paste = {"source": cell, "destination": pasted, "pasteType": "PASTE_NO_BORDERS"}
    batch(
        book,
        {"repeatCell": {"range": cell, "cell": {"userEnteredFormat": look}, "fields": "*"}},
        {"copyPaste": paste},
    )
    assert formats(book)[1] == {"userEnteredFormat": BOLD}


@pytest.mark.parametrize(
    ("kind", "request_", "merges"),
    [
        ("copyPaste", {"destination": rows(2, 6, **columns(0, 2))}, ["A1:B1", "A3:B3", "A5:B5"]),
        (
            "copyPaste",
            {"destination": rows(2, 4, **columns(0, 2)), "pasteOrientation": "TRANSPOSE"},
            ["A1:B1", "A3:A4"],
        ),
        ("copyPaste", {"destination": rows(2, 4), "pasteType": "PASTE_VALUES"}, ["A1:B1"]),
        ("cutPaste", {"destination": {"rowIndex": 2}}, ["A3:B3"]),
    ],
)
def test_merges_are_pasted(book, kind, request_, merges):
    """Cells that are pasted normally are merged as their source; those that are cut no longer."""
    book.sheet1.merge_cells("A1:B1")
    batch(book, {kind: {"source": rows(0, 2, **columns(0, 2)), **request_}})
    found = shown(book, "merges")["merges"]
    sides = ("startRowIndex", "endRowIndex", "startColumnIndex", "endColumnIndex")
    where = [[merge[side] for side in sides] for merge in found]
    names = [f"{'AB'[left]}{top + 1}:{'AB'[right - 1]}{end}" for top, end, left, right in where]
    assert names == merges


def test_a_merge_is_not_torn_by_a_paste(book):
    """A paste over a part of a merge is refused, and changes nothing."""
    book.sheet1.merge_cells("A3:B3")
    paste = {"source": rows(0, 1, **columns(0, 1)), "destination": rows(2, 3, **columns(0, 1))}
    assert refused(book, {"copyPaste": paste})[0] == 400


def test_a_named_range_is_protected(book):
    """A protection by the name of a range is of that range."""
    where = rows(1, 3, **columns(0, 2))
    [reply] = batch(book, {"addNamedRange": {"namedRange": {"name": "some", "range": where}}})
    named = reply["addNamedRange"]["namedRange"]["namedRangeId"]
    asked = {"protectedRange": {"namedRangeId": named, "description": "d"}}
    [reply] = batch(book, {"addProtectedRange": asked})
    found = reply["addProtectedRange"]["protectedRange"]
    assert found["range"] == {side: where[side] for side in where if side != "sheetId"}
    asked["protectedRange"]["namedRangeId"] = "nope"
    assert "Cannot find named range" in refused(book, {"addProtectedRange": asked})[1]


def test_rows_are_resized_automatically(book):
    """A row that is resized to what is in it is as high as a line."""
    where = {"sheetId": 0, "dimension": "ROWS", "startIndex": 0, "endIndex": 1}
    size = {"range": where, "properties": {"pixelSize": 99}, "fields": "pixelSize"}
    batch(
        book,
        {"updateDimensionProperties": size},
        {"autoResizeDimensions": {"dimensions": where}},
    )
    data = shown(book, "data.rowMetadata.pixelSize")["data"][0]
    assert data["rowMetadata"][0] == {"pixelSize": 21}


@pytest.mark.parametrize(
    ("verb", "path", "field"),
    [("get", "/developerMetadata/x", "metadata_id"), ("post", "/sheets/x:copyTo", "sheet_id")],
)
def test_a_number_in_a_path(client, book, verb, path, field):
    """What stands in a path for a number and is none is a 400 that names it."""
    url = f"https://sheets.googleapis.com/v4/spreadsheets/{book.id}{path}"
    with pytest.raises(APIError) as caught:
        client.http_client.request(verb, url, json={"destinationSpreadsheetId": book.id})
    assert caught.value.error["message"] == f"Invalid value at '{field}' (TYPE_INT32), \"x\""


@pytest.mark.parametrize(
    ("kind", "properties", "told"),
    [
        ("addSheet", {"properties": {"index": -1}}, "Sheet index[-1] is out of range"),
        ("addSheet", {"properties": {"sheetId": -3}}, "sheetId[-3] must not be negative"),
        (
            "addSheet",
            {"properties": {"title": "x" * 101}},
            "The sheet name cannot be greater than 100 characters.",
        ),
        (
            "addSheet",
            {"properties": {"gridProperties": {"rowCount": 2, "frozenRowCount": 2}}},
            "You can't freeze all visible rows on the sheet.",
        ),
        ("duplicateSheet", {"insertSheetIndex": -5}, "Sheet index[-5] is out of range"),
        (
            "duplicateSheet",
            {"newSheetName": "x" * 101},
            "The sheet name cannot be greater than 100 characters.",
        ),
    ],
)
def test_sheets_that_cannot_be(book, kind, properties, told):
    """A new sheet has a place, an id, a title and a size that a sheet can have."""
    assert refused(book, {kind: properties}) == (400, f"Invalid requests[0].{kind}: {told}")


def test_a_typed_column_has_no_other_validation(book):
    """The cells of a table's column with a type take no validation; those beside it do."""
    typed = [{"columnIndex": 1, "columnType": "DOUBLE"}]
    table = {"name": "T", "range": rows(0, 4, **columns(0, 2)), "columnProperties": typed}
    batch(book, {"addTable": {"table": table}})
    beside = {"range": rows(0, 4, **columns(0, 1)), "rule": CHECKBOX}
    inside = {"range": rows(3, 4, **columns(0, 2)), "rule": CHECKBOX}
    batch(book, {"setDataValidation": beside})
    code, message = refused(book, {"setDataValidation": inside})
    assert (code, "not allowed on cells in typed columns" in message) == (400, True)


@pytest.mark.parametrize(("zone", "hour"), [("GMT-07:00", 5), ("GMT+05:30", 17), ("Mars/Base", 12)])
def test_a_time_zone_by_its_distance(zone, hour):
    """The present of a spreadsheet is that of its time zone, which may be a distance from UTC."""
    book = Spreadsheet("id", "title", [])
    book.clock = lambda: datetime(2024, 1, 1, 12, tzinfo=timezone.utc)
    book.properties["timeZone"] = zone
    assert book.now().hour == hour


def test_a_reply_is_of_its_moment(book):
    """What a reply says of a thing is not changed by later requests of its batch."""
    chart = {"chartId": 5, "spec": {"title": "one"}, "position": {"overlayPosition": {}}}
    update = {"chartId": 5, "spec": {"title": "two"}}
    replies = batch(book, {"addChart": {"chart": chart}}, {"updateChartSpec": update})
    assert replies[0]["addChart"]["chart"]["spec"] == {"title": "one"}
