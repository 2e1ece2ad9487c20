"""Tables: as recorded, and as Google's guide to them says."""

import pytest
from batch_requests import cells, lines, refused, send
from gspread.utils import InsertDataOption

PEOPLE = [["Name", "Age", ""], ["Ann", 30, "x"], ["Ben", 40, "y"]]


@pytest.fixture
def people(book, sheet):
    """Make a table of three columns and two people, from B2 on."""
    sheet.update(PEOPLE, "B2")
    asked = {"range": cells((1, 4), (1, 4)), "name": "People"}
    return send(book, "addTable", table=asked)["addTable"]["table"]


def found(book, **params):
    """Return the tables of the first sheet, and its banded ranges."""
    listed = book.fetch_sheet_metadata(params)["sheets"][0]
    return listed.get("tables", []), listed.get("bandedRanges", [])


def sides(where):
    """Return the rows and the columns of a range."""
    names = [f"{end}{what}Index" for what in ("Row", "Column") for end in ("start", "end")]
    return [where[name] for name in names]


def test_a_table_has_columns_and_bands(book, sheet, people):
    """A new table has its header's names, a name for each blank, and the bands of its colours."""
    columns = people["columnProperties"]
    assert columns[0] == {"columnName": "Name"}
    assert [column.get("columnName") for column in columns] == ["Name", "Age", "Column 3"]
    assert sheet.acell("D2").value == "Column 3"
    tables, (band,) = found(book)
    assert tables == [people]
    assert band["bandedRangeReference"] == str(band["bandedRangeId"]) == people["tableId"]
    assert band["rowProperties"]["headerColor"] == {
        "red": 0.20784314,
        "green": 0.40784314,
        "blue": 0.32941177,
    }
    assert found(book, excludeTablesInBandedRanges="true") == (tables, [])


def test_a_table_at_the_top_freezes_its_header(book, sheet):
    """A table in the first row freezes it, one further down does not."""
    send(book, "addTable", table={"range": cells((4, 6), (0, 2))})
    assert book.get_worksheet(0).frozen_row_count == 0
    send(book, "addTable", table={"range": cells((0, 3), (0, 2))})
    assert book.get_worksheet(0).frozen_row_count == 1
    assert [table["name"] for table in found(book)[0]] == ["Table1", "Table2"]


def test_a_table_is_changed(book, sheet, people):
    """What the mask names is changed: name, range, colours, the names and types of columns."""
    red = {"rgbColor": {"red": 1}}
    rule = {"condition": {"type": "ONE_OF_LIST", "values": [{"userEnteredValue": "x"}]}}
    typed = {"columnIndex": 2, "columnType": "DROPDOWN", "dataValidationRule": rule}
    change = {
        "tableId": people["tableId"],
        "name": "Staff",
        "range": cells((1, 6), (1, 4)),
        "rowsProperties": {"headerColorStyle": red},
        "columnProperties": [{"columnName": "Who"}, typed],
    }
    send(book, "updateTable", table=change, fields="range,name")
    ((table,), _) = found(book)
    assert (table["name"], sides(table["range"])) == ("Staff", [1, 6, 1, 4])
    assert table["columnProperties"] == people["columnProperties"]
    send(book, "updateTable", table=change, fields="*")
    ((table,), (band,)) = found(book)
    assert band["rowProperties"]["headerColorStyle"] == red
    assert table["columnProperties"][0] == {"columnName": "Who"}
    assert table["columnProperties"][2] == {"columnName": "Column 3", **typed}
    assert sheet.acell("B2").value == "Who"


def test_a_table_goes_with_all_that_is_in_it(book, sheet, people):
    """A table that is deleted takes its cells along; without its banding, cells are left."""
    sheet.update([["beside"]], "A3")
    send(book, "deleteBanding", bandedRangeId=int(people["tableId"]))
    assert found(book) == ([], [])
    assert sheet.acell("B3").value == "Ann"
    table = {**people, "range": cells((1, 4), (1, 4)), "name": "again"}
    send(book, "addTable", table=table)
    send(book, "deleteTable", tableId=people["tableId"])
    assert found(book) == ([], [])
    assert sheet.acell("A3").value == "beside"
    assert sheet.acell("B3").value is None


@pytest.mark.parametrize("option", InsertDataOption)
def test_a_table_grows_by_what_is_appended(book, sheet, people, option):
    """Rows that are appended to a table are a part of it."""
    sheet.append_rows([["Cat", 50], ["Dan", 60]], table_range="B2", insert_data_option=option)
    ((table,), (band,)) = found(book)
    assert sides(table["range"]) == sides(band["range"]) == [1, 6, 1, 4]
    sheet.append_rows([["beside"]], table_range="H1", insert_data_option=option)
    assert sides(found(book)[0][0]["range"])[2:] == [1, 4]


def test_cells_are_appended_to_a_table(book, sheet, people):
    """Cells go below the last of a table's rows, above its footer, and push down what follows."""
    footer = {
        "tableId": people["tableId"],
        "rowsProperties": {"footerColorStyle": {"rgbColor": {}}},
    }
    grown = {**footer, "range": cells((1, 6), (1, 4))}
    send(book, "updateTable", table=grown, fields="range,rowsProperties")
    sheet.update([["sum"], ["below"]], "B6")
    rows = [{"values": [{"userEnteredValue": {"stringValue": name}}]} for name in ("Cat", "Dan")]
    request = {"tableId": people["tableId"], "rows": rows, "fields": "userEnteredValue"}
    send(book, "appendCells", **request)
    assert sheet.col_values(2) == ["", "Name", "Ann", "Ben", "Cat", "Dan", "sum", "below"]
    assert sides(found(book)[0][0]["range"]) == [1, 7, 1, 4]


def test_a_table_moves_with_its_cells(book, sheet, people):
    """Rows and columns before a table move it, those in it change its size and its types."""
    typed = {"tableId": people["tableId"]}
    typed["columnProperties"] = [{"columnIndex": 1, "columnType": "DOUBLE"}]
    send(book, "updateTable", table=typed, fields="columnProperties")
    send(book, "insertDimension", range=lines("ROWS", 0, 2))
    send(book, "deleteDimension", range=lines("COLUMNS", 1, 2))
    ((table,), _) = found(book)
    assert sides(table["range"]) == [3, 6, 1, 3]
    assert table["columnProperties"][0] == {
        "columnIndex": 0,
        "columnName": "Age",
        "columnType": "DOUBLE",
    }
    send(book, "deleteDimension", range=lines("ROWS", 2, 9))
    assert found(book) == ([], [])


def test_copies_have_tables_of_their_own(book, sheet, people):
    """A copy of a sheet has the tables of the original, with other ids."""
    sheet.duplicate(insert_sheet_index=0)
    ((copied,), (band,)) = found(book)
    assert copied["tableId"] == band["bandedRangeReference"] != people["tableId"]
    assert sides(copied["range"]) == sides(people["range"])


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"name": "people", "range": cells((9, 11), (0, 2))}, "with the name people already"),
        ({"range": cells((3, 6), (3, 5))}, "over another"),
        ({"range": cells((8, 12), (7, 9))}, "over another or over a banding"),
        ({"range": cells((2000, 2001), (0, 1))}, "is after last row"),
    ],
)
def test_what_is_in_the_way_of_a_table(book, sheet, people, table, said):
    """A table has a name of its own and lies on no other, nor on a banding."""
    band = {"range": cells((9, 11), (7, 9)), "rowProperties": {"firstBandColor": {"red": 1}}}
    send(book, "addBanding", bandedRange=band)
    assert said in refused(book, "addTable", table=table)
    assert "No table with id: 7" in refused(book, "updateTable", table={"tableId": "7"}, fields="*")
    assert found(book)[0] == [people]
    over = {**band, "range": cells((0, 2), (0, 2))}
    assert "alternating" in refused(book, "addBanding", bandedRange=over)
