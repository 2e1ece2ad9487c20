import pytest
from gspread.utils import InsertDataOption, TableDirection

INSERT = InsertDataOption.insert_rows


def appended(sheet, row, **options):
    """Append a row and return the table found and the range written."""
    answer = sheet.append_row(row, **options)
    return answer.get("tableRange"), answer["updates"]["updatedRange"]


def test_dense_rows_in_turn(sheet):
    """Rows without gaps find the table above them and land below it."""
    assert appended(sheet, ["a", "b"]) == (None, "Sheet1!A1:B1")
    assert appended(sheet, ["c", "d"]) == ("Sheet1!A1:B1", "Sheet1!A2:B2")
    assert appended(sheet, ["e", "f"]) == ("Sheet1!A1:B2", "Sheet1!A3:B3")


def test_row_with_a_gap_moves_the_next(sheet):
    """After a row with a gap the table is its last part, unless the range says otherwise."""
    appended(sheet, ["x", "", "y"])
    assert appended(sheet, ["x", "", "y"]) == ("Sheet1!C1", "Sheet1!C2:E2")
    assert appended(sheet, ["z"], table_range="A1") == ("Sheet1!A1", "Sheet1!A2")


@pytest.mark.parametrize(
    ("searched", "written"),
    [
        ("Sheet1", "B7"),
        ("B4", "B7"),
        ("C5:D5", "B7"),
        ("B2:D4", "B7"),
        ("A3:G10", "B7"),
        ("A1", "A3"),
        ("E4", "E4"),
        ("A4", "A4"),
    ],
)
def test_examples_of_googles_guide(sheet, searched, written):
    """The examples of Google's guide to appending land where the guide says."""
    sheet.batch_update(
        [
            {"range": "A1:C2", "values": [["x", "y", "z"]] * 2},
            {"range": "B4:D6", "values": [["x", "y", "z"]] * 3},
        ]
    )
    answer = sheet.spreadsheet.values_append(
        searched, {"valueInputOption": "RAW"}, {"values": [["new"]]}
    )
    assert answer["updates"]["updatedRange"] == f"Sheet1!{written}"


def test_grid_grows(book):
    """Appending adds the rows and columns that it needs."""
    sheet = book.add_worksheet("small", 1, 1)
    sheet.append_rows([["a", "b"], ["c", "d"]])
    grid = book.fetch_sheet_metadata()["sheets"][1]["properties"]["gridProperties"]
    assert grid == {"rowCount": 2, "columnCount": 2}


def test_overwrite_and_insert_rows(sheet):
    """OVERWRITE writes over what stands below a table, INSERT_ROWS pushes it down."""
    sheet.update([["a"], [""], ["below"]], "A1")
    sheet.append_rows([["b"], ["c"]], table_range="A1", insert_data_option=INSERT)
    assert sheet.col_values(1) == ["a", "b", "c", "", "below"]
    sheet.append_rows([["d"], ["e"]], table_range="A1")
    assert sheet.col_values(1) == ["a", "b", "c", "d", "e"]


def test_insert_rows_adds_rows_to_the_grid(book):
    """INSERT_ROWS makes the grid as many rows larger as were written."""
    sheet = book.add_worksheet("small", 10, 3)
    sheet.append_row(["a"])
    sheet.append_rows([["b"], ["c"]], insert_data_option=INSERT)
    assert book.worksheet("small").row_count == 12


def test_expand_reads_the_table(sheet):
    """Gspread's own table reading sees what was appended."""
    sheet.append_rows([["a", "b"], ["c", "d"]])
    assert sheet.expand("A1", TableDirection.table) == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize(
    ("cells", "searched", "table", "written"),
    [
        ({"C1": "h", "D1": "k"}, "Sheet1", "C1:D1", "C2"),
        ({"A1": "a", "A2": "b", "B2": "c"}, "Sheet1", "A1:B2", "A3"),
        ({"A1": "a", "B2": "b"}, "Sheet1", "B2", "B3"),
        ({"A1": "a", "C3": "c", "A3": "x"}, "A1", "A1", "A2"),
        ({"A1": "a", "A3": "b"}, "A1:A3", "A3", "A4"),
        ({"A1": "a", "A2": '=""', "A3": "b"}, "A1", "A1:A3", "A4"),
        ({"B2": "x"}, "A1:A9", None, "A1"),
        ({"A1": "a"}, "F9", None, "F9"),
        ({}, "B:C", None, "B1"),
        ({"B3": "x", "B4": "y"}, "3:3", "B3:B4", "B5"),
    ],
)
def test_tables(sheet, cells, searched, table, written):
    """A table is what cells with content span, formulas among them; the last one counts."""
    data = [{"range": place, "values": [[value]]} for place, value in cells.items()]
    sheet.batch_update(data, value_input_option="USER_ENTERED")
    answer = sheet.spreadsheet.values_append(
        searched, {"valueInputOption": "RAW"}, {"values": [["new"]]}
    )
    assert answer.get("tableRange") == (table and f"Sheet1!{table}")
    assert answer["updates"]["updatedRange"] == f"Sheet1!{written}"


def test_columns_are_appended(sheet):
    """Appended columns stand side by side below the table."""
    sheet.append_row(["a", "b"])
    answer = sheet.spreadsheet.values_append(
        "A1", {"valueInputOption": "RAW"}, {"values": [[1, 2], [3]], "majorDimension": "COLUMNS"}
    )
    assert answer["updates"]["updatedRange"] == "Sheet1!A2:B3"
    assert sheet.get("A2:B3") == [["1", "3"], ["2"]]


def test_values_in_the_response(sheet):
    """An append can be asked for what was written, as it is then read."""
    params = {
        "valueInputOption": "USER_ENTERED",
        "includeValuesInResponse": True,
        "responseValueRenderOption": "UNFORMATTED_VALUE",
    }
    answer = sheet.spreadsheet.values_append("A1", params, {"values": [["=1+1", "50%", ""]]})
    assert answer["updates"]["updatedCells"] == 3
    assert answer["updates"]["updatedData"]["values"] == [[2, 0.5]]
