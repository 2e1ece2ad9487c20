import json

import pytest
import requests
from batch_requests import cells, refused, send, sheet_json
from gspread.exceptions import APIError
from gspread.utils import ExportFormat

LIMIT = "above the limit of 10000000 cells"
VALUES = "/v4/spreadsheets/{}/values"


def enter(book, value, row=0):
    """Enter an ExtendedValue, or a whole CellData, into column A."""
    data = value if "userEnteredFormat" in value else {"userEnteredValue": value}
    start = {"sheetId": 0, "rowIndex": row, "columnIndex": 0}
    return send(book, "updateCells", start=start, rows=[{"values": [data]}], fields="*")


def asked(emulator, path, method="POST", content=None, **options):
    """Send a request with an API key."""
    url = emulator.url + path
    return requests.request(method, url, params={"key": "k"}, data=content, **options, timeout=30)


@pytest.mark.parametrize("start", ["startRowIndex", "startColumnIndex"])
def test_a_data_filter_with_a_negative_index(emulator, book, start):
    """A grid range that begins before the grid is refused, by data filters as by batches."""
    body = {"dataFilters": [{"gridRange": {"sheetId": 0, start: -5}}]}
    given = asked(emulator, f"/v4/spreadsheets/{book.id}/values:batchGetByDataFilter", json=body)
    message = f"GridRange.{start}[-5] must not be negative"
    assert (given.status_code, given.json()["error"]["message"]) == (400, message)
    assert refused(book, "trimWhitespace", range={"sheetId": 0, start: -5}) == message


def test_a_batch_whose_answer_is_asked_for_wrongly_changes_nothing(book):
    """A batch with response ranges that do not exist is refused as a whole."""
    body = {
        "requests": [{"addSheet": {"properties": {"title": "never"}}}],
        "includeSpreadsheetInResponse": True,
        "responseRanges": ["Nowhere!A1"],
    }
    with pytest.raises(APIError, match="Unable to parse range"):
        book.batch_update(body)
    assert [sheet.title for sheet in book.worksheets()] == ["Sheet1"]


def test_half_a_character(emulator, book, sheet):
    """Half of a surrogate pair, which no answer could hold, becomes U+FFFD; a whole one stays."""
    content = '{"values": [["a\\ud800b", "\\ud83d\\ude00"]]}'
    path = VALUES.format(book.id) + "/A1:B1?valueInputOption=RAW"
    assert asked(emulator, path, "PUT", content).status_code == 200
    assert sheet.get("A1:B1") == [["a\ufffdb", "\U0001f600"]]
    sheet.update_acell("A1", "=CHAR(55296)")
    assert sheet.acell("A1").value == "#NUM!"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
        ('{"a": ' + "1" * 5000 + "}", "Unexpected"),
    ],
)
def test_json_that_python_does_not_read(emulator, book, content, told):
    """Lists in lists in lists and numbers of thousands of digits get a 400, in the ledger too."""
    path = VALUES.format(book.id) + ":batchUpdate"
    given = asked(emulator, path, content=content, headers={"Content-Type": "application/json"})
    assert given.status_code == 400
    assert told in given.json()["error"]["message"]
    assert (emulator.ledger[-1].path, emulator.ledger[-1].status) == (path, 400)


def test_a_replacement_that_ends_with_a_backslash(book, sheet):
    r"""A `\` with nothing after it is a `\`."""
    sheet.update([["ab"]])
    send(book, "findReplace", find="(b)", replacement="$1\\", searchByRegex=True, allSheets=True)
    assert sheet.acell("A1").value == "ab\\"


@pytest.mark.parametrize("count", [0, -1])
def test_a_sheet_without_rows(book, count):
    """A sheet has a row and a column at least."""
    grid = {"rowCount": count, "columnCount": 1}
    message = refused(book, "addSheet", properties={"gridProperties": grid})
    assert message == f"rowCount must be at least 1, was {count}"


def test_no_way_leads_beyond_ten_million_cells(client, book):
    """Rows, columns, copies and new spreadsheets are held to the limit."""
    rows = {"sheetId": 0, "dimension": "ROWS"}
    assert LIMIT in refused(book, "appendDimension", **rows, length=10**9)
    inserted = {**rows, "startIndex": 0, "endIndex": 10**9}
    assert LIMIT in refused(book, "insertDimension", range=inserted)
    book.sheet1.resize(200_000, 26)
    assert LIMIT in refused(book, "duplicateSheet", sourceSheetId=0)
    with pytest.raises(APIError, match=LIMIT):
        book.sheet1.copy_to(book.id)
    send(book, "appendDimension", **rows, length=184_615)
    book.sheet1.update_acell("A384615", "last")
    row = cells((0, 1), (0, 26))
    assert LIMIT in refused(book, "insertRange", range=row, shiftDimension="ROWS")


@pytest.mark.parametrize(
    ("number", "kind", "pattern", "shown"),
    [
        (1.5, "DATE", "[", "["),
        (1e308, "NUMBER", "#,##0%", "1E+308"),
        (1e308, "PERCENT", "0%", "1E+308"),
        (1e308, "NUMBER", "# ?/?%", "1E+308"),
        (1e308, "NUMBER", "0.0E+0%", "1E+308"),
        (1e300, "TIME", "h:mm", "1E+300"),
    ],
)
def test_numbers_and_patterns_at_their_limits(client, book, number, kind, pattern, shown):
    """A number that a pattern cannot show is shown plainly, in exports as well."""
    look = {"numberFormat": {"type": kind, "pattern": pattern}}
    enter(book, {"userEnteredValue": {"numberValue": number}, "userEnteredFormat": look})
    assert book.sheet1.acell("A1").value == shown
    for kind_of_file in (ExportFormat.CSV, ExportFormat.OPEN_OFFICE_SHEET):
        assert client.export(book.id, kind_of_file)


@pytest.mark.parametrize("value", [{"stringValue": "x" * 50_001}, {"formulaValue": "=" * 50_001}])
def test_long_texts_by_a_batch(book, value):
    """A batch cannot enter more than a cell holds."""
    with pytest.raises(APIError, match="maximum of 50000 characters"):
        enter(book, value)


def test_large_numbers_by_a_batch(book, sheet):
    """A number by a batch is a float, as by the values methods, and none beyond all floats."""
    enter(book, {"numberValue": 10**20 + 1})
    assert sheet.get(value_render_option="UNFORMATTED_VALUE") == [[1e20]]
    with pytest.raises(APIError, match=r"user_entered_value\.number_value'"):
        enter(book, {"numberValue": 10**400})


def test_a_formula_with_a_number_beyond_all_floats(sheet):
    """A number that no float holds is `#NUM!` in a formula."""
    sheet.update_acell("A1", "=1E400")
    assert sheet.acell("A1").value == "#NUM!"


def test_long_fields_of_csv(client, book, sheet):
    """A CSV field that no cell holds is refused, and nothing is lost."""
    sheet.update([["kept"]])
    for length in (50_001, 200_000):
        data = "x" * length
        assert refused(book, "pasteData", coordinate={"sheetId": 0}, data=data, delimiter=",")
        with pytest.raises(APIError) as failed:
            client.import_csv(book.id, data)
        assert failed.value.code == 400
    assert sheet.get_values() == [["kept"]]


def test_a_new_spreadsheet_with_sheets(emulator):
    """Sheets of `create` get all their properties; without ids and titles they are numbered."""
    grid = {"rowCount": 9, "columnCount": 4, "frozenRowCount": 1}
    sheets = [{"properties": {"gridProperties": grid}}, {"properties": {"hidden": True}}]
    made = asked(emulator, "/v4/spreadsheets", json={"sheets": sheets}).json()["sheets"]
    first, second = (sheet["properties"] for sheet in made)
    assert (first["sheetId"], first["title"], first["gridProperties"]) == (0, "Sheet1", grid)
    assert (second["title"], second["index"], second["hidden"]) == ("Sheet2", 1, True)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"sheets": [{"properties": {"gridProperties": {"rowCount": 10**7}}}]}, 400),
        ({"sheets": [{"properties": {"title": "A"}}, {"properties": {"title": "a"}}]}, 400),
        ({"sheets": [{"properties": {"sheetId": "x"}}]}, 400),
        ({"sheets": [{"data": [{}]}]}, 501),
        ({"namedRanges": [{}]}, 501),
    ],
)
def test_a_new_spreadsheet_that_cannot_be_made(emulator, client, body, status):
    """A `create` that is refused leaves no file."""
    before = client.list_spreadsheet_files()
    assert asked(emulator, "/v4/spreadsheets", json=body).status_code == status
    assert client.list_spreadsheet_files() == before


def test_a_merge_keeps_the_formats_of_parts_of_its_text(book):
    """The text that a merge keeps stays as it was formatted."""
    runs = [{"format": {"bold": True}}]
    data = {"userEnteredValue": {"stringValue": "ab"}, "textFormatRuns": runs}
    send(book, "updateCells", start={}, rows=[{"values": [data]}], fields="*")
    send(book, "mergeCells", range=cells((0, 2), (0, 1)))
    got = book.fetch_sheet_metadata({"includeGridData": True})
    assert got["sheets"][0]["data"][0]["rowData"][0]["values"][0]["textFormatRuns"] == runs


def test_a_merge_that_is_pushed_over_the_edge(book):
    """The grid grows for a merge without values, too."""
    send(book, "mergeCells", range=cells((998, 1000), (0, 1)))
    send(book, "insertRange", range=cells((0, 3), (0, 1)), shiftDimension="ROWS")
    found = sheet_json(book)
    assert found["merges"][0]["endRowIndex"] == 1003
    assert found["properties"]["gridProperties"]["rowCount"] == 1003


def test_colors_are_numbers(emulator, book):
    """A field of another type is told by its path, as Google does."""
    body = {"requests": [{"addSheet": {"properties": {"tabColor": {"red": "much"}}}}]}
    given = asked(emulator, f"/v4/spreadsheets/{book.id}:batchUpdate", json=body)
    where = "requests[0].add_sheet.properties.tab_color.red"
    wanted = f"Invalid value at '{where}' (TYPE_FLOAT), \"much\""
    assert (given.status_code, given.json()["error"]["message"]) == (400, wanted)
    assert json.loads(given.text)["error"]["details"][0]["fieldViolations"][0]["field"] == where
