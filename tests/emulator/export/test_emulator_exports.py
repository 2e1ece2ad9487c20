import zipfile
from datetime import datetime, timezone
from html.parser import HTMLParser
from io import BytesIO
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from gspread.exceptions import APIError
from gspread.utils import ExportFormat, MergeType
from pypdf import PdfReader

from queued_gspread.emulator import Emulator
from queued_gspread.emulator.book.sheet import Sheet
from queued_gspread.emulator.book.spreadsheet import Spreadsheet
from queued_gspread.emulator.export import export_book
from queued_gspread.emulator.export.titles import excel_titles, file_names
from queued_gspread.emulator.export.xlsx_formula import excel_formula
from queued_gspread.emulator.values.entry import write

LEAP_DAY = datetime(2024, 2, 29)  # noqa: DTZ001  - a workbook's dates have no zone
MOMENT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone.utc)


def workbook(book):
    return openpyxl.load_workbook(BytesIO(book.export(ExportFormat.EXCEL)))


def values_of(book):
    return openpyxl.load_workbook(BytesIO(book.export(ExportFormat.EXCEL)), data_only=True)


def filled_book(rows, title="Sheet1"):
    book = Spreadsheet("1id", "A book", [Sheet(0, title)])
    for row, line in enumerate(rows):
        for column, value in enumerate(line):
            grid = book.sheets[0].grid
            grid.put(row, column, write(grid.get(row, column), value, "USER_ENTERED"))
    return book


def test_an_excel_file_holds_values_with_their_types(book, sheet):
    """Numbers, texts, truth values, dates and formulas with what they compute come back."""
    sheet.update(
        [["text", 1.5, True, "2024-02-29"], ["'=1", "=B1*2", "=1/0", "=A1&B1"]], "A1", raw=False
    )
    entered, computed = workbook(book)["Sheet1"], values_of(book)["Sheet1"]
    assert [cell.value for cell in entered[1]] == ["text", 1.5, True, LEAP_DAY]
    assert entered["A2"].data_type == "s"
    assert entered["B2"].value == "=B1*2"
    assert [cell.value for cell in computed[2]] == ["=1", 3, "#DIV/0!", "text1.5"]


def test_an_excel_file_shows_results_as_the_cells_they_come_from(book, sheet):
    """A formula's cell without a number format has the one that its result is shown by."""
    sheet.update([["2024-02-29", "=A1+1"]], "A1", raw=False)
    cell = workbook(book)["Sheet1"]["B1"]
    assert cell.number_format == workbook(book)["Sheet1"]["A1"].number_format
    content = zipfile.ZipFile(BytesIO(book.export(ExportFormat.OPEN_OFFICE_SHEET)))
    assert b'office:date-value="2024-03-01"' in content.read("content.xml")


def test_days_beyond_the_calendar_are_numbers(book, sheet):
    """A number that is formatted as a date and is none is a number in OpenDocument."""
    sheet.update([[1e10]], "A1")
    sheet.format("A1", {"numberFormat": {"type": "DATE"}})
    content = zipfile.ZipFile(BytesIO(book.export(ExportFormat.OPEN_OFFICE_SHEET)))
    assert b'office:value="10000000000"' in content.read("content.xml")


def test_an_excel_file_holds_a_broken_formula_as_its_error(book, sheet):
    """A text that is no formula would make Excel refuse the file, so its error is written."""
    sheet.update([["=1+"]], "A1", raw=False)
    assert workbook(book)["Sheet1"]["A1"].value == "#ERROR!"


def test_an_excel_file_holds_formats(book, sheet):
    """Number format, font, colours, alignment and borders are Excel's own."""
    sheet.update([[0.5, "x"]], "A1")
    sheet.format("A1", {"numberFormat": {"type": "PERCENT", "pattern": "0.0%"}})
    look = {
        "backgroundColor": {"red": 1, "green": 0.5},
        "horizontalAlignment": "CENTER",
        "wrapStrategy": "WRAP",
        "borders": {"top": {"style": "SOLID", "color": {"blue": 1}}},
        "textFormat": {
            "bold": True,
            "italic": True,
            "fontSize": 14,
            "foregroundColor": {"red": 1},
        },
    }
    sheet.format("B1", look)
    page = workbook(book)["Sheet1"]
    assert page["A1"].number_format == "0.0%"
    cell = page["B1"]
    assert (cell.font.b, cell.font.i, cell.font.sz) == (True, True, 14)
    assert cell.font.color.rgb == "FFFF0000"
    assert cell.fill.fgColor.rgb == "FFFF7F00"
    assert (cell.alignment.horizontal, cell.alignment.wrap_text) == ("center", True)
    assert (cell.border.top.style, cell.border.top.color.rgb) == ("thin", "FF0000FF")


def test_an_excel_file_holds_the_layout(book, sheet):
    """Merges, frozen panes, hidden parts, widths, notes, filter and tab colour are kept."""
    sheet.update([["a", "b"], ["c", "d"]], "A1")
    sheet.merge_cells("C1:D2", MergeType.merge_all)
    sheet.freeze(rows=1, cols=2)
    sheet.hide_rows(4, 6)
    sheet.hide_columns(4, 5)
    sheet.update_note("B1", "a note")
    sheet.set_basic_filter("A1:B2")
    sheet.update_tab_color("#112233")
    width = {
        "range": {"sheetId": 0, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1},
        "properties": {"pixelSize": 201},
        "fields": "pixelSize",
    }
    book.batch_update({"requests": [{"updateDimensionProperties": width}]})
    book.add_worksheet("hidden", 3, 3).hide()
    found = workbook(book)
    page = found["Sheet1"]
    assert [str(merge) for merge in page.merged_cells.ranges] == ["C1:D2"]
    assert page.freeze_panes == "C2"
    assert [page.row_dimensions[row].hidden for row in (4, 5, 6, 7)] == [False, True, True, False]
    assert page.column_dimensions["E"].hidden
    assert page.column_dimensions["A"].width > 2 * page.column_dimensions["B"].width - 2
    assert page["B1"].comment.text == "a note"
    assert page.auto_filter.ref == "A1:B2"
    assert page.sheet_properties.tabColor.rgb == "FF112233"
    assert found["hidden"].sheet_state == "hidden"
    assert found["hidden"].freeze_panes is None


def test_an_excel_file_opens_at_a_sheet_that_is_shown(book, sheet):
    """Where the first sheet is hidden, the next one is active."""
    book.add_worksheet("second", 3, 3)
    sheet.hide()
    found = workbook(book)
    assert found.active.title == "second"
    assert found["Sheet1"].sheet_state == "hidden"


def test_an_excel_file_holds_named_ranges(book, sheet):
    """A named range is a defined name, and formulas go on using it."""
    sheet.update([[2, "=Rate*3"]], "A1", raw=False)
    sheet.define_named_range("A1:A1", "Rate")
    found = workbook(book)
    assert found.defined_names["Rate"].attr_text == "Sheet1!$A$1:$A$1"
    assert found["Sheet1"]["B1"].value == "=Rate*3"


def test_formulas_follow_titles_that_excel_does_not_allow(book, sheet):
    """A sheet gets an allowed title, in the formulas that refer to it as well."""
    other = book.add_worksheet("a/b?" + "x" * 40, 3, 3)
    other.update([[7]], "A1")
    sheet.update([[f"='{other.title}'!A1"]], "A1", raw=False)
    renamed = "a_b_" + "x" * 27
    assert workbook(book).sheetnames == ["Sheet1", renamed]
    assert workbook(book)["Sheet1"]["A1"].value == f"={renamed}!A1"
    assert values_of(book)["Sheet1"]["A1"].value == 7


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        ('=SUM(A1;B1)&";"', '=SUM(A1,B1)&";"'),
        ("=SUM(A2:A)+$B$2:C", "=SUM(A2:A1048576)+$B$2:C1048576"),
        ("=SUM(A:A)+'a;b'!A1:B2", "=SUM(A:A)+'a;b'!A1:B2"),
        ("='x/y'!A1", "=x_y!A1"),
        ("=1+", None),
    ],
)
def test_excel_formulas(formula, found):
    """What only Google reads in a formula is written as Excel reads it."""
    assert excel_formula(formula, {"x/y": "x_y"}) == found


@pytest.mark.parametrize(
    ("titles", "found"),
    [
        (["plain", "Two words"], ["plain", "Two words"]),
        (["a:b", "a_b"], ["a_b (2)", "a_b"]),
        (["Same", "same"], ["Same", "same (2)"]),
        (["'quoted'"], ["_quoted_"]),
        (["x" * 32, "x" * 33], ["x" * 31, "x" * 27 + " (2)"]),
        (["\N{GRINNING FACE}" * 16], ["\N{GRINNING FACE}" * 15]),
    ],
)
def test_excel_titles(titles, found):
    """Titles are allowed, short and distinct, and those that were stay what they were."""
    assert excel_titles(titles) == found


def test_file_names():
    """No title leads out of the archive or hides another's file."""
    assert file_names(["../x", ".._x", "ok"]) == [".._x (2)", ".._x", "ok"]


@pytest.mark.parametrize("export_format", list(ExportFormat))
def test_the_same_content_gives_the_same_bytes(export_format):
    """Two emulators with the same seed and clock export the same bytes."""

    def exported():
        with Emulator(seed=1, clock=lambda: MOMENT) as emulator:
            book = emulator.gspread_client().create("Twin")
            book.sheet1.update([["a", 1, "=B1+1"]], "A1", raw=False)
            book.sheet1.update_note("A1", "note")
            return book.export(export_format)

    assert exported() == exported()


def test_an_excel_file_says_when_the_spreadsheet_was_made():
    """The workbook's date is the file's, not the time of the export."""
    kind = ExportFormat.EXCEL
    found = openpyxl.load_workbook(BytesIO(export_book(filled_book([["a"]]), kind, MOMENT)))
    assert found.properties.created == MOMENT.replace(tzinfo=None)


def test_an_open_document_holds_values_with_their_types(book, sheet):
    """The file's type comes first and plain, and cells tell type, value and shown text."""
    sheet.update(
        [["a  b\nc", 2, "50%", True], ["2024-02-29", "12:30", "$1.50", "=1/0"]], "A1", raw=False
    )
    book.add_worksheet("empty <&>", 2, 2)
    archive = zipfile.ZipFile(BytesIO(book.export(ExportFormat.OPEN_OFFICE_SHEET)))
    first = archive.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert archive.read("mimetype") == ExportFormat.OPEN_OFFICE_SHEET.value.encode()
    space = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
    office, table, text = (space % name for name in ("office", "table", "text"))
    manifest = ET.fromstring(archive.read("META-INF/manifest.xml"))
    listed = [entry.get(space % "manifest" + "full-path") for entry in manifest]
    assert listed == ["/", "content.xml"]
    tables = ET.fromstring(archive.read("content.xml")).findall(f".//{table}table")
    assert [found.get(f"{table}name") for found in tables] == ["Sheet1", "empty <&>"]
    cells = tables[0].findall(f".//{table}table-cell")
    assert [cell.get(f"{office}value-type") for cell in cells] == [
        *["string", "float", "percentage", "boolean"],
        *["date", "time", "currency", "string"],
    ]
    paragraphs = cells[0].findall(f"{text}p")
    assert [p.text for p in paragraphs] == ["a", "c"]
    assert paragraphs[0][0].tag == f"{text}s"
    assert paragraphs[0][0].tail == "b"
    assert cells[2].get(f"{office}value") == "0.5"
    assert cells[2].find(f"{text}p").text == "50%"
    assert cells[4].get(f"{office}date-value") == "2024-02-29"
    assert cells[5].get(f"{office}time-value") == "PT12H30M00S"
    assert cells[7].find(f"{text}p").text == "#DIV/0!"


def test_zipped_html_holds_a_table_for_every_sheet(book, sheet):
    """Every sheet is a page whose table has the shown values."""
    sheet.update([["<b>", "50%"], ["", "x"]], "A1", raw=False)
    book.add_worksheet("a/b", 2, 2)
    archive = zipfile.ZipFile(BytesIO(book.export(ExportFormat.ZIPPED_HTML)))
    assert archive.namelist() == ["resources/sheet.css", "Sheet1.html", "a_b.html"]

    class Cells(HTMLParser):
        found = ()

        def handle_starttag(self, tag, attrs):
            self.found += ("",) if tag == "td" else ()

        def handle_data(self, data):
            self.found = (*self.found[:-1], self.found[-1] + data) if data.strip() else self.found

    page = archive.read("Sheet1.html").decode()
    cells = Cells()
    cells.feed(page[page.index("<table>") :])
    assert cells.found == ("<b>", "50%", "", "x")


def test_a_pdf_shows_the_first_sheet(book, sheet):
    """A strict reader finds every row as a line, on as many pages as it takes."""
    rows = [[f"row {number}", "(brackets) \\ \N{EURO SIGN}"] for number in range(130)]
    sheet.update(rows, "A1")
    reader = PdfReader(BytesIO(book.export(ExportFormat.PDF)), strict=True)
    assert len(reader.pages) == 3
    lines = [line for page in reader.pages for line in page.extract_text().splitlines()]
    assert [line.split("   ") for line in lines] == rows


def test_an_empty_pdf_has_a_page(book):
    """A sheet without values is one page without text."""
    reader = PdfReader(BytesIO(book.export(ExportFormat.PDF)), strict=True)
    assert [page.extract_text() for page in reader.pages] == [""]


def test_an_export_above_ten_megabytes_is_refused(book, sheet):
    """Drive exports no more than 10 MB and says so."""
    half = [["x" * 49_000] * 26] * 5
    sheet.update(half, "A1")
    sheet.update(half, "A6")
    with pytest.raises(APIError) as refused:
        book.export(ExportFormat.CSV)
    assert refused.value.code == 403
    assert refused.value.error["errors"][0]["reason"] == "exportSizeLimitExceeded"
    assert len(book.export(ExportFormat.EXCEL)) < 1_000_000
