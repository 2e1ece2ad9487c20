import tracemalloc

import pytest
from batch_requests import cells, lines, misread, refused, send
from gspread.exceptions import APIError


def entered(sheet, where):
    return sheet.get(where, value_render_option="FORMULA")


def test_find_and_replace_counts_what_it_changed(book, sheet):
    """Occurrences, cells, rows and sheets are counted; formulas are left out unless asked for."""
    sheet.update([["Google Sheets", "x"], ["eel", '="e"']], "A1", raw=False)
    other = book.add_worksheet("other", 2, 2)
    other.update([["e"]], "A1")
    reply = send(book, "findReplace", find="e", replacement="o", allSheets=True)
    changed = {"valuesChanged": 3, "rowsChanged": 3, "sheetsChanged": 2, "occurrencesChanged": 6}
    assert reply == {"findReplace": changed}
    assert entered(sheet, "A1:B2") == [["Googlo Shoots", "x"], ["ool", '="e"']]
    reply = send(
        book, "findReplace", find="e", replacement="o", sheetId=sheet.id, includeFormulas=True
    )
    changed = {"formulasChanged": 1, "rowsChanged": 1, "sheetsChanged": 1, "occurrencesChanged": 1}
    assert reply == {"findReplace": changed}
    assert entered(sheet, "B2") == [['="o"']]


def test_find_and_replace_that_finds_nothing(book, sheet):
    """Counts of zero are left out."""
    sheet.update([["A"]], "A1")
    asked = {"find": "a", "replacement": "b", "sheetId": sheet.id, "matchCase": True}
    assert send(book, "findReplace", **asked) == {"findReplace": {}}


def test_find_and_replace_in_googles_example(book, sheet):
    """Groups are named as in Java, as the reference's example does."""
    sheet.update([["Google Sheets"], ["Google Docs"]], "A1")
    asked = {"find": "o.* (.*)", "replacement": "$1 Rocks", "searchByRegex": True}
    send(book, "findReplace", range=cells((0, 2), (0, 1)), **asked)
    assert sheet.col_values(1) == ["GSheets Rocks", "GDocs Rocks"]


def test_find_and_replace_whole_cells(book, sheet):
    """With matchEntireCell a part of a cell is no match; marks of regular expressions are text."""
    sheet.update([["a.c"], ["a.c!"], ["abc"]], "A1")
    asked = {"find": "A.C", "replacement": r"\1$", "matchEntireCell": True, "sheetId": sheet.id}
    send(book, "findReplace", **asked)
    assert sheet.col_values(1) == [r"\1$", "a.c!", "abc"]


def test_what_is_replaced_is_entered_as_if_typed(book, sheet):
    """A number with another digit is a number; it was found as it is shown."""
    sheet.update([["50%"]], "A1", raw=False)
    send(book, "findReplace", find="5", replacement="6", sheetId=sheet.id)
    assert entered(sheet, "A1") == [[0.6]]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"find": "a"}, "Exactly one of range, sheetId, allSheets"),
        ({"find": "a", "allSheets": True, "sheetId": 0}, "was sheetId, allSheets"),
        ({"allSheets": True}, "find must not be empty"),
        ({"find": "(", "searchByRegex": True, "allSheets": True}, "Invalid regular expression ("),
        (
            {"find": "a", "replacement": "$1", "searchByRegex": True, "allSheets": True},
            "replacement names group 1",
        ),
    ],
)
def test_mistaken_searches_are_refused(book, asked, said):
    """The message names what is wrong."""
    assert said in refused(book, "findReplace", **asked)


def test_whitespace_is_trimmed(book, sheet):
    """Only texts are trimmed, and stay texts also where they look like a formula."""
    sheet.update([["  a \n b\t", "fine", " =1", 5, "   "]], "A1")
    reply = send(book, "trimWhitespace", range=cells((0, 1), (0, 5)))
    assert reply == {"trimWhitespace": {"cellsChangedCount": 3}}
    assert sheet.get("A1:E1") == [["a b", "fine", "=1", "5"]]
    reply = send(book, "trimWhitespace", range=cells((0, 1), (0, 5)))
    assert reply == {"trimWhitespace": {}}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"delimiterType": "COMMA"}, [["1", "b;c"], ["d;e"], ["f"]]),
        ({"delimiterType": "SEMICOLON"}, [["1,b", "c"], ["d", "e"], ["f"]]),
        ({"delimiterType": "AUTODETECT"}, [["1,b", "c"], ["d", "e"], ["f"]]),
        ({"delimiterType": "CUSTOM", "delimiter": ",b;"}, [["1", "c"], ["d;e"], ["f"]]),
    ],
)
def test_texts_become_columns(book, sheet, asked, found):
    """Parts are entered to the right, and a text without the delimiter stays."""
    sheet.update([["1,b;c"], ["d;e"], ["f"]], "A1")
    assert send(book, "textToColumns", source=cells((0, 3), (0, 1)), **asked) == {}
    assert sheet.get("A1:C3") == found


def test_the_grid_grows_for_columns_of_texts(book, sheet):
    """Parts that do not fit into the grid make it wider."""
    sheet.resize(1, 1)
    sheet.update([["a b c"]], "A1")
    send(book, "textToColumns", source=cells((0, 1), (0, 1)), delimiterType="SPACE")
    assert book.sheet1.col_count == 3
    assert sheet.row_values(1) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("columns", "asked", "said"),
    [
        ((0, 2), {"delimiterType": "COMMA"}, "exactly one column, was 2"),
        ((0, 1), {"delimiterType": "CUSTOM"}, "delimiter must be set"),
        ((0, 1), {}, "delimiterType must be one of COMMA"),
    ],
)
def test_mistaken_splits_are_refused(book, columns, asked, said):
    """More than one column and unknown delimiters are errors."""
    assert said in refused(book, "textToColumns", source=cells((0, 1), columns), **asked)
    assert 'DelimiterType), "TAB"' in misread(book, "textToColumns", delimiterType="TAB")


def test_data_is_pasted(book, sheet):
    """Delimited text is entered as if typed, from the coordinate on."""
    where = {"sheetId": sheet.id, "rowIndex": 1, "columnIndex": 1}
    data = 'a,"b, c"\r\n=1+1,5%'
    reply = send(book, "pasteData", coordinate=where, data=data, type="PASTE_NORMAL", delimiter=",")
    assert reply == {}
    assert entered(sheet, "B2:C3") == [["a", "b, c"], ["=1+1", 0.05]]
    send(book, "pasteData", coordinate=where, data="x||y", type="PASTE_VALUES", delimiter="||")
    assert sheet.get("B2:C2") == [["x", "y"]]
    send(book, "pasteData", coordinate=where, data="z", type="PASTE_FORMAT", delimiter=",")
    assert sheet.acell("B2").value == "x"


def test_html_is_pasted(book, sheet):
    """The cells of HTML tables are entered, and lines where there is no table."""
    html = (
        "<p>before</p><table><tr><th> a </th><td>b<br>c</td></tr><tr><td>1&amp;2</td></tr></table>"
    )
    send(book, "pasteData", coordinate={"sheetId": sheet.id}, data=html, html=True)
    assert sheet.get("A1:B2") == [["a", "b\nc"], ["1&2"]]
    send(book, "pasteData", coordinate={"rowIndex": 4}, data="x<br>y", html=True)
    assert sheet.get("A5:A6") == [["x"], ["y"]]


def test_data_needs_a_delimiter(book):
    """Without a delimiter and without HTML the request is refused."""
    assert "delimiter" in refused(book, "pasteData", coordinate={"sheetId": 0}, data="x")


def test_cells_are_filled_with_copies(book, sheet):
    """Values are repeated and formulas follow their place, forwards and backwards."""
    sheet.update([["", ""], ["", ""], ["x", "=A3"], ["y", "=A4"]], "A1", raw=False)
    source = cells((2, 4), (0, 2))
    down = {"source": source, "dimension": "ROWS", "fillLength": 3}
    assert send(book, "autoFill", sourceAndDestination=down) == {}
    up = {"source": source, "dimension": "ROWS", "fillLength": -1}
    send(book, "autoFill", sourceAndDestination=up)
    assert entered(sheet, "A1:B7") == [
        *[[], ["y", "=A2"], ["x", "=A3"], ["y", "=A4"]],
        *[["x", "=A5"], ["y", "=A6"], ["x", "=A7"]],
    ]
    right = {"source": cells((2, 3), (0, 1)), "dimension": "COLUMNS", "fillLength": 3}
    send(book, "autoFill", sourceAndDestination=right)
    assert sheet.row_values(3) == ["x"] * 4


@pytest.mark.parametrize(
    ("source", "filled"),
    [
        ([1, 2], [3, 4, 5]),
        ([10, 7.5], [5, 2.5, 0]),
        ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6]),
        ([1, 2, 4], [1, 2, 4]),
        ([5], [5, 5, 5]),
        ([1, "x"], [1, "x", 1]),
        ([True, False], [True, False, True]),
        ([10**15, 10**15 + 1], [10**15, 10**15 + 1, 10**15]),
    ],
)
def test_numbers_go_on(book, sheet, source, filled):
    """Numbers with one step between them go on, whichever way; all else is repeated."""
    count = len(source)
    sheet.update([source], "A1", raw=True)
    sheet.update([[value] for value in source], "A2", raw=True)
    across = {"source": cells((0, 1), (0, count)), "dimension": "COLUMNS", "fillLength": 3}
    down = {"source": cells((1, 1 + count), (0, 1)), "dimension": "ROWS", "fillLength": 3}
    for asked in (across, down):
        send(book, "autoFill", sourceAndDestination=asked)
    unformatted = {"value_render_option": "UNFORMATTED_VALUE"}
    assert sheet.get("1:1", **unformatted) == [source + filled]
    assert sheet.get("A2:A", **unformatted) == [[value] for value in source + filled]


def test_a_range_fills_itself(book, sheet):
    """Where only a range is given, its rows with data fill the rest of it."""
    sheet.update([["a"], ["b"]], "A1")
    send(book, "autoFill", range=cells((0, 5), (0, 1)))
    assert sheet.col_values(1) == ["a", "b", "a", "b", "a"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "Exactly one of range, sourceAndDestination"),
        (
            {"source": cells((0, 1), (0, 1)), "dimension": "ROWS", "fillLength": -1},
            "fillLength[-1]",
        ),
        ({"source": cells((0, 1), (0, 1)), "fillLength": 1}, "dimension must be"),
    ],
)
def test_mistaken_fills_are_refused(book, asked, said):
    """The message names what is missing or leads out of the grid."""
    request = {"sourceAndDestination": asked} if asked else {}
    assert said in refused(book, "autoFill", **request)


def test_cells_are_appended(book, sheet):
    """Rows of cells come below the last one with data, and the grid grows for them."""
    sheet.resize(2, 1)
    sheet.update([["a"], ["b"]], "A1")
    bold = {"textFormat": {"bold": True}}
    row = {
        "values": [
            {"userEnteredValue": {"stringValue": "c"}, "userEnteredFormat": bold},
            {"userEnteredValue": {"formulaValue": "=1+1"}},
        ]
    }
    reply = send(book, "appendCells", sheetId=sheet.id, rows=[row], fields="userEnteredValue")
    assert reply == {}
    assert sheet.get("A1:B3") == [["a"], ["b"], ["c", "2"]]
    assert (book.sheet1.row_count, book.sheet1.col_count) == (3, 2)
    assert "fields" in refused(book, "appendCells", sheetId=sheet.id, rows=[row])


def test_borders_are_drawn_around_and_within(book, sheet):
    """Outer sides belong to the outer cells, inner ones to both cells beside them."""
    solid = {"style": "SOLID", "color": {"red": 1}}
    asked = {"top": solid, "innerVertical": {"style": "DOUBLE"}}
    assert send(book, "updateBorders", range=cells((0, 2), (0, 2)), **asked) == {}

    def borders(where):
        fields = "sheets.data.rowData.values.userEnteredFormat"
        found = book.fetch_sheet_metadata({"ranges": where, "fields": fields})["sheets"][0]
        return found["data"][0]["rowData"][0]["values"][0]["userEnteredFormat"]["borders"]

    red = {"color": {"red": 1}, "colorStyle": {"rgbColor": {"red": 1}}}
    black = {"color": {}, "colorStyle": {"rgbColor": {}}}
    double = {"style": "DOUBLE", "width": 3, **black}
    assert borders("A1") == {"top": {"style": "SOLID", "width": 1, **red}, "right": double}
    assert borders("B2") == {"left": double}
    none = {"style": "NONE"}
    send(book, "updateBorders", range=cells((0, 1), (0, 1)), top=none, bottom=solid)
    assert set(borders("A1")) == {"right", "bottom"}


def test_borders_can_be_cleared(book, sheet):
    """A cell whose last border goes has no format left."""
    solid, none = {"style": "SOLID"}, {"style": "NONE"}
    where = cells((0, 1), (0, 1))
    send(book, "updateBorders", range=where, top=solid)
    send(book, "updateBorders", range=where, top=none)
    found = book.fetch_sheet_metadata({"includeGridData": True, "ranges": "A1"})
    assert "rowData" not in found["sheets"][0]["data"][0]
    said = misread(book, "updateBorders", range=where, top={"style": "WAVY"})
    assert said.startswith("update_borders.top.style'")


def test_a_failed_batch_changes_nothing(book, sheet):
    """What the requests before a mistaken one did is taken back."""
    sheet.update([[" a "]], "A1")
    requests = [
        {"trimWhitespace": {"range": cells((0, 1), (0, 1))}},
        {"moveDimension": {"source": lines("ROWS", 0, 1), "destinationIndex": -1}},
    ]
    with pytest.raises(APIError, match="destinationIndex"):
        book.batch_update({"requests": requests})
    assert sheet.acell("A1").value == " a "


def test_lists_of_requests_are_taken_apart(book, sheet):
    """Requests may stand in lists in the list, as gspread-formatting's batches send them."""
    fill = {
        "range": cells((0, 1), (0, 1)),
        "cell": {"userEnteredValue": {"numberValue": 1}},
        "fields": "*",
    }
    size = {"range": lines("ROWS", 0, 1), "properties": {"pixelSize": 40}, "fields": "pixelSize"}
    requests = [[{"repeatCell": fill}, {"updateDimensionProperties": size}], {"repeatCell": fill}]
    assert book.batch_update({"requests": requests})["replies"] == [{}, {}, {}]
    assert sheet.acell("A1").value == "1"


def test_colors_of_the_theme_are_kept(sheet, book):
    """A ColorStyle may name a colour of the theme instead of telling one."""
    sheet.format("A1", {"textFormat": {"foregroundColorStyle": {"themeColor": "ACCENT1"}}})
    fields = "sheets.data.rowData.values.userEnteredFormat"
    found = book.fetch_sheet_metadata({"ranges": "A1", "fields": fields})["sheets"][0]["data"][0]
    look = found["rowData"][0]["values"][0]["userEnteredFormat"]
    assert look == {"textFormat": {"foregroundColorStyle": {"themeColor": "ACCENT1"}}}


def test_parts_of_a_text_have_formats_until_it_changes(book, sheet):
    """Text format runs are told, also where they come with the text, and go with another one."""
    runs = [{"startIndex": 1, "format": {"bold": True}}]
    data = {"userEnteredValue": {"stringValue": "abc"}, "textFormatRuns": runs}
    where = cells((0, 1), (0, 1))

    def told():
        found = book.fetch_sheet_metadata({"includeGridData": True, "ranges": "A1"})
        return found["sheets"][0]["data"][0]["rowData"][0]["values"][0].get("textFormatRuns")

    fields = "userEnteredValue,textFormatRuns"
    send(book, "updateCells", range=where, rows=[{"values": [data]}], fields=fields)
    assert told() == runs
    sheet.format("A1", {"textFormat": {"italic": True}})
    assert told() == runs
    sheet.update([["abd"]], "A1")
    assert told() is None


def test_what_grows_too_large_is_refused(book, sheet):
    """No cell gets more than 50,000 characters, and no spreadsheet more than ten million cells."""
    sheet.update([["ab"]], "A1")
    long = {"find": "a", "replacement": "x" * 50_000, "allSheets": True}
    assert "50000 characters" in refused(book, "findReplace", **long)
    assert sheet.acell("A1").value == "ab"
    far = {"source": cells((0, 1), (0, 1)), "dimension": "COLUMNS", "fillLength": 10_000}
    assert "10000000 cells" in refused(book, "autoFill", sourceAndDestination=far)


def test_what_grows_too_large_is_not_made_first(book, sheet):
    """A replacement that would take gigabytes is refused before it takes them."""
    sheet.update([["a" * 50_000]], "A1")
    tracemalloc.start()
    try:
        long = {"find": "(a)", "replacement": "$1" * 20_000, "searchByRegex": True}
        assert "50000 characters" in refused(book, "findReplace", allSheets=True, **long)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    told = send(book, "findReplace", find="a", replacement="", allSheets=True)
    assert told["findReplace"]["occurrencesChanged"] == 50_000


def test_dates_without_a_year_are_replaced_and_entered(book, sheet):
    """What is entered by a request is understood as what is typed, a date of this year as well."""
    where = {"sheetId": sheet.id}
    send(book, "pasteData", coordinate=where, data="2/3", type="PASTE_NORMAL", delimiter=",")
    assert isinstance(entered(sheet, "A1")[0][0], int)
