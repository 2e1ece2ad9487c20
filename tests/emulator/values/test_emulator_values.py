import gspread
import pytest
from gspread.utils import (
    DateTimeOption,
    Dimension,
    InsertDataOption,
    ValueInputOption,
    ValueRenderOption,
)

USER = ValueInputOption.user_entered


def shown(sheet, text):
    """Return what a typed text is shown as, and its unformatted value."""
    sheet.update([[text]], "A1", value_input_option=USER)
    formatted = sheet.acell("A1").value
    return formatted, sheet.acell("A1", value_render_option=ValueRenderOption.unformatted).value


def test_update_and_get_all_values(sheet):
    """What is written is read back, with empty cells filled in by gspread."""
    sheet.update([["a", 1], ["", 2.5]], "B2")
    assert sheet.get_all_values() == [["", "", ""], ["", "a", "1"], ["", "", "2.5"]]


def test_get_drops_what_is_empty_at_the_end(sheet):
    """Trailing empty cells and rows are not in an answer; the range is as asked for."""
    sheet.update([["a", ""], ["", ""]], "A1")
    got = sheet.get("A1:C3")
    assert got == [["a"]]
    assert got.range == "Sheet1!A1:C3"


def test_null_leaves_a_cell(sheet):
    """A null in an update is skipped and not counted; an empty string empties its cell."""
    sheet.update([["a", "b", "c"]], "A1")
    answer = sheet.update([[None, "", "x"]], "A1")
    assert sheet.row_values(1) == ["a", "", "x"]
    assert answer["updatedCells"] == 2


@pytest.mark.parametrize(
    ("row", "written", "columns", "cells"),
    [
        (["2", "Pete", "", None], "A3:C3", 3, 3),
        (["1", None, "", "x", "y", "z", None, None], "A3:F3", 5, 5),
        ([None, "x"], "A3:B3", 1, 1),
    ],
)
def test_nulls_are_not_counted(sheet, row, written, columns, cells):
    """The written range ends with the last cell that is no null; columns of nulls do not count."""
    sheet.update([["a", "b", "c", "d"], [1, 2, 3, 4]], "A1")
    options = {"valueInputOption": "RAW", "includeValuesInResponse": "true"}
    updates = sheet.spreadsheet.values_append("Sheet1!A1", options, {"values": [row]})["updates"]
    expected = {
        "updatedRange": f"Sheet1!{written}",
        "updatedRows": 1,
        "updatedColumns": columns,
        "updatedCells": cells,
    }
    assert updates["updatedData"]["range"] == f"Sheet1!{written}"
    assert {name: updates[name] for name in expected} == expected
    again = sheet.update([row], "A3")
    assert {name: again[name] for name in expected} == expected


def test_nulls_alone_write_nothing(sheet):
    """An update of nulls names its first cell and counts nothing; the echo has its whole range."""
    sheet.update([["a", "b"]], "A2")
    options = {"valueInputOption": "RAW", "includeValuesInResponse": "true"}
    answer = sheet.spreadsheet.values_update("Sheet1!A2:D2", options, {"values": [[None] * 4]})
    del answer["spreadsheetId"]
    data = {"range": "Sheet1!A2:D2", "majorDimension": "ROWS", "values": [["a", "b"]]}
    assert answer == {"updatedRange": "Sheet1!A2", "updatedData": data}


@pytest.mark.parametrize(
    ("asked", "echoed", "values"),
    [
        ("A1:B3", "A1:B3", [["x", "b"], ["c", "d"]]),
        ("Sheet1", "A1:Z1000", [["x", "b"], ["c", "d"]]),
        ("A1", "A1", [["x"]]),
        ("A2:B", "A2:B1000", [["x", "d"]]),
    ],
)
def test_what_was_asked_for_is_shown(sheet, asked, echoed, values):
    """With a response that includes values, an update shows the whole range that was named."""
    sheet.update([["a", "b"], ["c", "d"]], "A1")
    options = {"valueInputOption": "RAW", "includeValuesInResponse": "true"}
    data = sheet.spreadsheet.values_update(asked, options, {"values": [["x"]]})["updatedData"]
    shown = {"range": f"Sheet1!{echoed}", "majorDimension": "ROWS", "values": values}
    assert data == shown
    body = {**options, "data": [{"range": asked, "values": [["x"]]}]}
    assert sheet.spreadsheet.values_batch_update(body)["responses"][0]["updatedData"] == shown


def test_appended_nulls_do_not_widen_the_grid(book):
    """Nulls at the end of an appended row need no columns, and rows of nulls no rows."""
    sheet = book.add_worksheet("small", 1, 2)
    insert = InsertDataOption.insert_rows
    sheet.append_rows([["a", "b", None, None], [None, None]], insert_data_option=insert)
    sheet.append_rows([[None] * 9], insert_data_option=insert)
    grid = book.fetch_sheet_metadata()["sheets"][1]["properties"]["gridProperties"]
    assert grid == {"rowCount": 2, "columnCount": 2}


def test_totals_count_what_is_written(sheet):
    """A batch counts rows and columns in which a cell was written, each of them once."""
    data = [
        {"range": "A1", "values": [["x", None, "y"], [None]]},
        {"range": "A5:B6", "values": [[None, None], [None, "z"]]},
    ]
    answer = sheet.batch_update(data)
    del answer["spreadsheetId"], answer["responses"]
    totals = {"Rows": 2, "Columns": 3, "Cells": 3, "Sheets": 1}
    assert answer == {f"totalUpdated{name}": count for name, count in totals.items()}


def test_raw_keeps_text_and_user_entered_parses_it(sheet):
    """RAW keeps a text as it is, USER_ENTERED makes a number or a truth value of it."""
    sheet.update([["1", "TRUE", "=1+1"]], "A1", raw=True)
    sheet.update([["1", "TRUE", "=1+1"]], "A2", raw=False)
    rows = sheet.get("A1:C2", value_render_option=ValueRenderOption.unformatted)
    assert rows == [["1", "TRUE", "=1+1"], [1, True, 2]]


@pytest.mark.parametrize(
    ("typed", "formatted", "unformatted"),
    [
        ("2,000,000.01", "2,000,000.01", 2000000.01),
        ("1,000", "1,000", 1000),
        ("12%", "12%", 0.12),
        ("12.5%", "12.50%", 0.125),
        ("$1,234.5", "$1,234.50", 1234.5),
        ("-$5", "-$5", -5),
        ("1e5", "1.00E+05", 100000),
        ("007", "7", 7),
        ("'007", "007", "007"),
        ("'=1+1", "=1+1", "=1+1"),
        ("2020-01-01", "2020-01-01", 43831),
        ("1/2/2020", "1/2/2020", 43832),
        ("Jan 2, 2020", "Jan 2, 2020", 43832),
        ("2020-13-01", "2020-13-01", "2020-13-01"),
        ("12:00", "12:00", 0.5),
        ("6:00:00 PM", "6:00:00 PM", 0.75),
        ("2020-01-01 06:00:00", "2020-01-01 6:00:00", 43831.25),
        ("true", "TRUE", True),
        ("3_1_0", "3_1_0", "3_1_0"),
        ("1.2.3", "1.2.3", "1.2.3"),
        ("=1/3", "0.3333333333", 1 / 3),
        ("=1/0", "#DIV/0!", "#DIV/0!"),
        ("=A1", "#REF!", "#REF!"),
        ("=2*(3+4)^2", "98", 98),
        ("=-2^2", "4", 4),
        ('="a"&"b"', "ab", "ab"),
        ('=IF(1<2, "yes", "no")', "yes", "yes"),
        ("=B7", "", ""),
        ("=B7+1", "1", 1),
        ("=10^400", "#NUM!", "#NUM!"),
        ("=nothing(", "#ERROR!", "#ERROR!"),
        ("=NOTHING()", "#NAME?", "#NAME?"),
    ],
)
def test_user_entered(sheet, typed, formatted, unformatted):
    """A typed text becomes the value, and is shown in the format, that Google gives it."""
    assert shown(sheet, typed) == (formatted, unformatted)


def test_formula_refers_to_cells(sheet):
    """A formula computes from cells, also of other sheets, each time it is read."""
    other = sheet.spreadsheet.add_worksheet("Other one", 5, 5)
    other.update([[5]], "A1")
    sheet.update([[1, 2, "=SUM(A1:B1)+'Other one'!A1"]], "A1", value_input_option=USER)
    assert sheet.acell("C1").value == "8"
    other.update([[6]], "A1")
    assert sheet.acell("C1").value == "9"
    formula = sheet.acell("C1", value_render_option=ValueRenderOption.formula).value
    assert formula == "=SUM(A1:B1)+'Other one'!A1"


def test_formulas_follow_inserted_rows(sheet):
    """References move with the cells they name."""
    sheet.update([[1], [2], ["=A1+A2"]], "A1", value_input_option=USER)
    sheet.insert_rows([["new"]], 2)
    formula = sheet.acell("A4", value_render_option=ValueRenderOption.formula).value
    assert formula == "=A1+A3"


def test_dates_as_text(sheet):
    """Unformatted dates are numbers, or text where that is asked for."""
    sheet.update([["2020-01-01"]], "A1", value_input_option=USER)
    options = {"value_render_option": ValueRenderOption.unformatted}
    assert sheet.get("A1", **options) == [[43831]]
    text = sheet.get("A1", **options, date_time_render_option=DateTimeOption.formatted_string)
    assert text == [["2020-01-01"]]


def test_major_dimension_columns(sheet):
    """Columns are written and read as columns."""
    sheet.update([["a", "b"], ["c"]], "A1", major_dimension=Dimension.cols)
    assert sheet.get("A1:B2") == [["a", "c"], ["b"]]
    assert sheet.get("A1:B2", major_dimension=Dimension.cols) == [["a", "b"], ["c"]]


def test_values_batch_update_and_get(book, sheet):
    """Batches answer per range, in order, and count rows and columns once."""
    data = [{"range": "A1:B1", "values": [[1, 2]]}, {"range": "A2", "values": [[3]]}]
    answer = book.values_batch_update({"valueInputOption": "RAW", "data": data})
    assert answer["totalUpdatedRows"] == 2
    assert answer["totalUpdatedColumns"] == 2
    assert [r["updatedRange"] for r in answer["responses"]] == ["Sheet1!A1:B1", "Sheet1!A2"]
    assert sheet.batch_get(["A1:B2", "A2"]) == [[["1", "2"], ["3"]], [["3"]]]


def test_batch_update_is_all_or_nothing(book, sheet):
    """One bad range fails the whole batch and nothing is written."""
    data = [{"range": "A1", "values": [[1]]}, {"range": "Nope!A1", "values": [[1]]}]
    with pytest.raises(gspread.exceptions.APIError, match=r"Invalid data\[1\]: Unable to parse"):
        book.values_batch_update({"valueInputOption": "RAW", "data": data})
    assert sheet.get_all_values() == [[]]


def test_clear(sheet):
    """Clearing empties cells and answers with the range."""
    sheet.update([["a", "b"]], "A1")
    assert sheet.batch_clear(["A1"])["clearedRanges"] == ["Sheet1!A1"]
    assert sheet.row_values(1) == ["", "b"]
    sheet.clear()
    assert sheet.get_all_values() == [[]]


def test_update_with_values_in_response(book):
    """An update can be asked for what was written, as it is then read."""
    params = {"valueInputOption": "USER_ENTERED", "includeValuesInResponse": True}
    answer = book.values_update("A1", params, {"values": [["=1+1", "50%"]]})
    assert answer["updatedData"]["values"] == [["2", "50%"]]


def test_formulas_follow_a_renamed_sheet(book, sheet):
    """A formula names a sheet by its new title after it got one."""
    book.add_worksheet("Data", 5, 5).update([[5]], "A1")
    sheet.update([["=Data!A1+1"]], "A1", value_input_option=USER)
    book.worksheet("Data").update_title("New data")
    assert sheet.acell("A1").value == "6"
    formula = sheet.acell("A1", value_render_option=ValueRenderOption.formula).value
    assert formula == "='New data'!A1+1"


def test_what_a_merge_hides_is_not_kept(sheet):
    """A value for a cell that a merge hides is counted and dropped, as the answer shows."""
    sheet.merge_cells("A1:B2")
    params = {"valueInputOption": "RAW", "includeValuesInResponse": "true"}
    body = {"values": [["first", "hidden", "beside"], ["hidden", None, "below"]]}
    answer = sheet.client.values_update(sheet.spreadsheet_id, "Sheet1!A1", params, body)
    assert answer["updatedCells"] == 5
    assert answer["updatedData"]["values"] == [["first", "", "beside"], ["", "", "below"]]
    sheet.unmerge_cells("A1:B2")
    assert sheet.get_values() == [["first", "", "beside"], ["", "", "below"]]
    sheet.update([["x", "y"]], "A1")
    assert sheet.get_values("A1:B1") == [["x", "y"]]
