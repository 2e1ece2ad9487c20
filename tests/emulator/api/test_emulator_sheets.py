import pytest
from gspread.exceptions import APIError
from gspread.utils import MergeType, PasteType


def titles(book):
    return [sheet.title for sheet in book.worksheets()]


def test_add_duplicate_move_and_delete(book):
    """Sheets come, move and go, in the order that their index says."""
    added = book.add_worksheet("second", 10, 5)
    assert (added.row_count, added.col_count, added.index) == (10, 5, 1)
    added.update([["x"]], "A1")
    copied = added.duplicate(insert_sheet_index=0, new_sheet_name="copy")
    assert copied.acell("A1").value == "x"
    assert titles(book) == ["copy", "Sheet1", "second"]
    copied.update_index(3)
    assert titles(book) == ["Sheet1", "second", "copy"]
    book.reorder_worksheets([copied, added])
    assert titles(book) == ["copy", "second", "Sheet1"]
    book.del_worksheet(added)
    assert titles(book) == ["copy", "Sheet1"]


def test_properties(book, sheet):
    """Title, size, frozen rows, gridlines and tab colour are kept and can be taken back."""
    sheet.update_title("new name")
    sheet.resize(20, 10)
    sheet.freeze(rows=1)
    sheet.hide_gridlines()
    sheet.update_tab_color("#ff0000")
    sheet = book.worksheet("new name")
    grid = {"rowCount": 20, "columnCount": 10, "frozenRowCount": 1, "hideGridlines": True}
    assert sheet._properties["gridProperties"] == grid
    assert sheet.tab_color == "#FF0000"
    sheet.clear_tab_color()
    sheet.freeze(rows=0)
    sheet.show_gridlines()
    sheet = book.worksheet("new name")
    assert sheet.tab_color is None
    assert sheet._properties["gridProperties"] == {"rowCount": 20, "columnCount": 10}


def test_spreadsheet_properties(client, book):
    """Title, locale and time zone change in both APIs."""
    book.update_title("renamed")
    book.update_locale("de")
    book.update_timezone("Europe/Berlin")
    again = client.open_by_key(book.id)
    assert (again.title, again.locale, again.timezone) == ("renamed", "de", "Europe/Berlin")
    assert client.open("renamed").id == book.id


def test_insert_delete_and_append_dimensions(book, sheet):
    """Rows and columns are inserted, deleted and added, and the cells move with them."""
    sheet.resize(4, 3)
    sheet.update([["a", "b"], ["c", "d"]], "A1")
    sheet.insert_rows([["new"]], 2)
    sheet.insert_cols([["left"]], 1)
    assert sheet.get_all_values() == [["left", "a", "b"], ["", "new", ""], ["", "c", "d"]]
    sheet.delete_rows(2)
    sheet.delete_columns(1)
    append = {"appendDimension": {"sheetId": sheet.id, "dimension": "ROWS", "length": 6}}
    book.batch_update({"requests": [append]})
    sheet = book.sheet1
    assert sheet.get_all_values() == [["a", "b"], ["c", "d"]]
    assert (sheet.row_count, sheet.col_count) == (10, 3)


def test_copy_to_another_spreadsheet(client, sheet):
    """A copied sheet is called "Copy of …" and comes last."""
    sheet.update([["x"]], "A1")
    other = client.create("target of a copy")
    answer = sheet.copy_to(other.id)
    assert answer["title"] == "Copy of Sheet1"
    assert answer["index"] == 1
    assert other.worksheet("Copy of Sheet1").acell("A1").value == "x"


def test_merges(book, sheet):
    """Merging keeps the first value and is listed; unmerging takes it back."""
    sheet.update([["a", "b"], ["c", "d"]], "A1")
    sheet.merge_cells("A1:B2", MergeType.merge_rows)
    assert sheet.get_all_values() == [["a"], ["c"]]
    merges = book.fetch_sheet_metadata()["sheets"][0]["merges"]
    assert [(m["startRowIndex"], m["endColumnIndex"]) for m in merges] == [(0, 2), (1, 2)]
    sheet.unmerge_cells("A1:B2")
    assert "merges" not in book.fetch_sheet_metadata()["sheets"][0]


def test_notes(sheet):
    """Notes are set, read and cleared, cell by cell."""
    sheet.update_notes({"A1": "one", "C2": "two"})
    assert sheet.get_note("A1") == "one"
    assert sheet.get_notes() == [["one"], ["", "", "two"]]
    sheet.clear_note("A1")
    assert sheet.get_note("A1") == ""


def test_named_and_protected_ranges(book, sheet):
    """Named and protected ranges are listed until they are deleted."""
    sheet.update([[1], [2]], "A1")
    named = sheet.define_named_range("A1:A2", "Numbers")
    assert [cell.value for cell in book.named_range("Numbers")] == ["1", "2"]
    reply = sheet.add_protected_range("A1:A2", editor_users_emails=["a@example.com"])
    protected = reply["replies"][0]["addProtectedRange"]["protectedRange"]
    assert len(book.list_protected_ranges(sheet.id)) == 1
    sheet.delete_protected_range(protected["protectedRangeId"])
    sheet.delete_named_range(named["replies"][0]["addNamedRange"]["namedRange"]["namedRangeId"])
    assert book.list_protected_ranges(sheet.id) == []
    assert book.list_named_ranges() == []


def test_named_range_moves_with_its_rows(book, sheet):
    """Rows inserted above a named range push it down."""
    sheet.update([["x"]], "A1")
    sheet.define_named_range("A1", "Spot")
    sheet.insert_rows([["new"]], 1)
    assert book.values_get("Spot") == {
        "range": "Sheet1!A2",
        "majorDimension": "ROWS",
        "values": [["x"]],
    }


def test_shrinking_cuts_what_lies_beyond(book, sheet):
    """A smaller grid loses the cells beyond it, and merges and named ranges are cut off there."""
    sheet.update([["a"], ["b"], ["c"]], "A1")
    sheet.merge_cells("B1:B4")
    sheet.define_named_range("A1:A4", "Spot")
    sheet.resize(rows=2)
    metadata = book.fetch_sheet_metadata()
    assert metadata["sheets"][0]["merges"][0]["endRowIndex"] == 2
    assert metadata["namedRanges"][0]["range"]["endRowIndex"] == 2
    sheet.resize(rows=10)
    assert sheet.get_all_values() == [["a"], ["b"]]


def test_nulls_are_absent(book, sheet):
    """A null in a request means the same as leaving the field out."""
    request = {"sourceSheetId": sheet.id, "insertSheetIndex": None, "newSheetName": None}
    book.batch_update({"requests": [{"duplicateSheet": request, "addSheet": None}]})
    assert titles(book) == ["Copy of Sheet1", "Sheet1"]


def test_groups_are_collapsed(book, sheet):
    """A group that is collapsed says so, also where it has moved, and what is in it is hidden."""
    sheet.add_dimension_group_rows(1, 3)
    where = {"sheetId": sheet.id, "dimension": "ROWS", "startIndex": 1, "endIndex": 3}

    def collapse(is_collapsed, **more):
        group = {"range": where, "depth": 1, "collapsed": is_collapsed, **more}
        update = {"dimensionGroup": group, "fields": "collapsed"}
        book.batch_update({"requests": [{"updateDimensionGroup": update}]})

    def hidden():
        params = {"fields": "sheets.data.rowMetadata.hiddenByUser", "ranges": "A1:A5"}
        (data,) = book.fetch_sheet_metadata(params)["sheets"][0]["data"]
        return [index for index, row in enumerate(data["rowMetadata"]) if row]

    collapse(True)
    assert (sheet.list_dimension_group_rows()[0]["collapsed"], hidden()) == (True, [1, 2])
    sheet.insert_row([], 1)
    (group,) = sheet.list_dimension_group_rows()
    assert (group["range"]["startIndex"], group["collapsed"], hidden()) == (2, True, [2, 3])
    where |= {"startIndex": 2, "endIndex": 4}
    collapse(False)
    (group,) = sheet.list_dimension_group_rows()
    assert ("collapsed" in group, hidden()) == (False, [])
    with pytest.raises(APIError, match="no group of depth 2"):
        collapse(True, depth=2)
    collapse(True)
    sheet.delete_dimension_group_rows(2, 4)
    sheet.add_dimension_group_rows(2, 4)
    assert "collapsed" not in sheet.list_dimension_group_rows()[0]


@pytest.mark.parametrize("fields", ["*", "title", "title,index"])
def test_a_title_that_is_named_must_be_there(book, fields):
    """A mask that names the title of a sheet, as `*` does, is refused without one."""
    asked = {"properties": {"sheetId": 0, "hidden": False}, "fields": fields}
    with pytest.raises(APIError, match=r"updateSheetProperties: The sheet name cannot be empty\."):
        book.batch_update({"requests": [{"updateSheetProperties": asked}]})


def test_where_a_cell_leads_to(book, sheet):
    """Grid data has the address of a HYPERLINK, computed too, or of a format's link."""
    sheet.update(
        [["=HYPERLINK(A2)", '=HYPERLINK(A2&"/x", "label")', "=HYPERLINK(1/0, 2)"]], raw=False
    )
    sheet.update([["https://example.com"]], "A2")
    sheet.format("B2", {"textFormat": {"link": {"uri": "https://example.org"}}})
    for fields in ("sheets.data.rowData.values.hyperlink", "*"):
        params = {"fields": fields, "ranges": "A1:C2"}
        rows = book.fetch_sheet_metadata(params)["sheets"][0]["data"][0]["rowData"]
        links = [[cell.get("hyperlink") for cell in row["values"]] for row in rows]
        assert links[0][:2] == ["https://example.com", "https://example.com/x"]
        assert [*links[0], None][2] is None
        assert links[1][:2] == [None, "https://example.org"]


def test_groups_nest(sheet):
    """Groups are listed with their depth; deleting takes the innermost."""
    sheet.add_dimension_group_rows(0, 6)
    sheet.add_dimension_group_rows(2, 4)
    depths = [(g["range"]["startIndex"], g["depth"]) for g in sheet.list_dimension_group_rows()]
    assert depths == [(0, 1), (2, 2)]
    sheet.delete_dimension_group_rows(2, 4)
    assert len(sheet.list_dimension_group_rows()) == 1


def test_sort_filter_and_hide(book, sheet):
    """Sorting orders rows, a filter is listed, hiding a sheet hides it."""
    sheet.update([["b", 2], ["a", 10], ["c", ""]], "A1")
    sheet.sort((2, "des"), range="A1:B3")
    assert sheet.col_values(1) == ["a", "b", "c"]
    sheet.set_basic_filter("A1:B3")
    found = book.fetch_sheet_metadata()["sheets"][0]["basicFilter"]["range"]
    assert found["endRowIndex"] == 3
    sheet.clear_basic_filter()
    other = book.add_worksheet("other", 1, 1)
    other.hide()
    assert [s.title for s in book.worksheets(exclude_hidden=True)] == ["Sheet1"]


def test_copy_and_cut(sheet):
    """Copied formulas follow their place, cut cells leave nothing behind."""
    sheet.update([[1, "=A1*2"], [5, ""]], "A1", raw=False)
    sheet.copy_range("B1", "B2")
    assert sheet.acell("B2").value == "10"
    sheet.copy_range("B1:B2", "C1:C2", PasteType.values)
    sheet.cut_range("A1:A2", "E1")
    assert sheet.col_values(3) == ["2", "10"]
    assert sheet.col_values(1) == []
    assert sheet.col_values(5) == ["1", "5"]


def test_format_keeps_values(book, sheet):
    """A format is stored with its colours as Google answers them, and values stay."""
    sheet.update([[0.5]], "A1")
    sheet.format("A1", {"numberFormat": {"type": "PERCENT", "pattern": "0.0%"}})
    sheet.format("A1", {"textFormat": {"bold": True}})
    assert sheet.acell("A1").value == "50.0%"
    fields = "sheets.data.rowData.values.userEnteredFormat"
    found = book.fetch_sheet_metadata({"ranges": "A1", "fields": fields})
    cell = found["sheets"][0]["data"][0]["rowData"][0]["values"][0]["userEnteredFormat"]
    assert cell["textFormat"] == {"bold": True}
    assert cell["numberFormat"] == {"type": "PERCENT", "pattern": "0.0%"}


def test_grid_data(book, sheet):
    """With grid data, cells tell what was entered, its value and how it is shown."""
    sheet.update([["=1+1"]], "B2", raw=False)
    found = book.fetch_sheet_metadata({"includeGridData": "true", "ranges": "B2:C3"})
    data = found["sheets"][0]["data"][0]
    assert (data["startRow"], data["startColumn"]) == (1, 1)
    assert data["rowData"][0]["values"][0] == {
        "userEnteredValue": {"formulaValue": "=1+1"},
        "effectiveValue": {"numberValue": 2},
        "formattedValue": "2",
    }


@pytest.mark.parametrize("dimension", ["ROWS", "COLUMNS"])
def test_hidden_dimensions(book, sheet, dimension):
    """Rows and columns hide and show again."""
    hide = sheet.hide_rows if dimension == "ROWS" else sheet.hide_columns
    show = sheet.unhide_rows if dimension == "ROWS" else sheet.unhide_columns
    name = "rowMetadata" if dimension == "ROWS" else "columnMetadata"
    fields = {"fields": f"sheets.data.{name}"}
    hide(0, 2)
    found = book.fetch_sheet_metadata(fields)["sheets"][0]["data"][0][name]
    assert [item.get("hiddenByUser", False) for item in found[:3]] == [True, True, False]
    show(0, 2)
    found = book.fetch_sheet_metadata(fields)["sheets"][0]["data"][0][name]
    assert not any(item.get("hiddenByUser") for item in found)
