"""What the emulator cannot compute is seen, whatever stands around it."""

import logging
import re

import pytest
from gspread.exceptions import APIError
from gspread.utils import ExportFormat, ValueRenderOption
from places import DOCS
from test_emulator_formulas import book_of

from queued_gspread.emulator.book.not_computed import NotComputed
from queued_gspread.emulator.values.evaluate import Evaluator
from queued_gspread.emulator.values.missing import COMPUTED, MISSING, families
from queued_gspread.emulator.values.names import GOOGLE

GAP = "SPARKLINE(B1:B3)"
PAGE = DOCS / "emulator.md"


def value(*columns, at=(0, 25)):
    """Return what a cell computes to, by default the one that a lone formula is put into."""
    book = book_of(*columns)
    return Evaluator(book, "peek").value(book.sheets[0], *at)


@pytest.mark.parametrize(
    "formula",
    [
        f"IFERROR({GAP},0)",
        f"ISERROR({GAP})",
        f"ISERR({GAP})",
        f"IFNA({GAP},0)",
        f"ISNA({GAP})",
        f"ISBLANK({GAP})",
        f"ERROR.TYPE({GAP})",
        f"TYPE({GAP})",
        f"COUNTA({GAP})",
        f"COUNT({GAP})",
        f"ROWS({GAP})",
        f"SUM(1,{GAP})",
        f"{GAP}=1",
        f'{GAP}&""',
        f"IF({GAP},1,2)",
        f"IFS({GAP},1,TRUE,2)",
        f"SWITCH({GAP},1,2,3)",
        f"SWITCH(5,{GAP},1,2)",
        f"CHOOSE({GAP},1,2)",
        f"IF(TRUE,{GAP},1)",
        f"AND(FALSE,{GAP})",
        f"SUMPRODUCT({GAP})",
        f"LET(x,{GAP},1)",
        f"IFERROR(IFERROR({GAP},1),2)",
        "IFERROR(QUERY(A1:B3,1),0)",
        "IFERROR(LAMBDA(x,x),0)",
        "IFERROR(LET(f,LAMBDA(x,x),f(1)),0)",
        "COUNTA(MAP({1,2},LAMBDA(x,{1,2})))",
        f"COUNTA(MAP({{1,2}},LAMBDA(x,{GAP})))",
        "IFERROR(Sales[Total],0)",
        "IFERROR(ROW(IF(TRUE,A1,A2)),0)",
    ],
)
def test_no_function_swallows_a_gap(formula):
    """A formula with something that is not computed is not computed, whatever is around it."""
    assert isinstance(value(["=" + formula], at=(0, 0)), NotComputed)


@pytest.mark.parametrize(
    "formula",
    [
        "=IFERROR(A1,0)",
        "=ISERROR(A1)",
        "=COUNTA(A1:A3)",
        "=COUNTBLANK(A1:A3)",
        '=COUNTIF(A1:A3,"x")',
        "=COUNTIF(B1:B3,A1)",
        "=MATCH(2,A1:A3,0)",
        '=IFERROR(VLOOKUP(2,A1:B3,2,FALSE),"none")',
        "=XLOOKUP(1,B1:B3,A1:A3)",
        "=A1",
        "=A1&1",
        "=IFERROR(INDEX(A1:A3,1),0)",
        "=COUNTA(UNIQUE(A1:A3))",
        "=SUMPRODUCT(--ISERROR(A1:A3))",
        "=COUNTA(FILTER(B1:B3,A1:A3=1))",
        "=IFERROR(SUBTOTAL(3,A1:A3),0)",
        '=IFERROR(INDIRECT("A"&1),0)',
        "=C2",
    ],
)
def test_what_depends_on_a_gap_is_one(formula):
    """A cell that looks at one that is not computed is not computed, along any chain."""
    found = value(["=" + GAP, "2"], ["1", "2", "3"], [formula, "=IFERROR(A1,5)"], at=(0, 2))
    assert isinstance(found, NotComputed)
    assert (found.what, found.cell) == ("SPARKLINE", "Sheet1!A1")


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (f"=IF(FALSE,{GAP},5)", 5),
        (f"=IFERROR(5,{GAP})", 5),
        (f"=IFNA(5,{GAP})", 5),
        (f"=IFS(TRUE,5,{GAP},6)", 5),
        (f"=CHOOSE(1,5,{GAP})", 5),
        (f"=SWITCH(1,1,5,{GAP},6)", 5),
        ("=ROWS(A1:A3)", 3),
        ("=ROW(A1)", 1),
        ("=INDEX(A1:A3,2)", 2),
        ("=VLOOKUP(2,B1:B3,1,FALSE)", 2),
        ("=SUM(OFFSET(A1,1,0,2,1))", 5),
        ("=ISFORMULA(A1)", True),
    ],
)
def test_what_is_not_looked_at_does_not_count(formula, expected):
    """A branch that is not taken and a value that is not needed may be a gap."""
    assert value(["=" + GAP, "2", "3"], ["1", "2", "3"], [formula], at=(0, 2)) == expected


def test_what_nobody_has_is_an_error_as_any():
    """A name that Google has not is `#NAME?`, and IFERROR catches it."""
    assert value(["=IFERROR(NOSUCH(1),5)"], at=(0, 0)) == 5
    assert not isinstance(value(["=NOSUCH(1)"], at=(0, 0)), NotComputed)


def test_a_result_of_several_cells_is_a_gap():
    """An array that Google would spread over cells is not computed; inside a formula it is."""
    found = value(["=UNIQUE(B1:B3)"], ["1", "1", "2"], at=(0, 0))
    assert isinstance(found, NotComputed)
    assert found.what == "a result of 2 by 1 cells"
    assert value(["=SUM(UNIQUE(B1:B3))"], ["1", "1", "2"], at=(0, 0)) == 3


def test_a_formula_nested_too_deeply_is_a_gap():
    """A formula that is too deep for Python's stack is not computed, and nothing swallows that."""
    deep = f"={'IFERROR(' * 2000}1{')' * 2000}"
    found = value([deep, "=IFERROR(A1,5)"], at=(1, 0))
    assert isinstance(found, NotComputed)
    assert (found.what, found.cell) == ("formulas nested so deeply", "Sheet1!A1")


def test_a_gap_is_shown_and_logged_once(own, caplog):
    """By default a cell shows `#NAME?`, and one warning names its function and where it stands."""
    sheet = own.gspread_client().create("Gaps").sheet1
    with caplog.at_level(logging.WARNING, logger="queued_gspread.emulator"):
        sheet.update([[f"={GAP}", "=IFERROR(A1,1)"]], "A1", raw=False)
        assert sheet.get("A1:B1") == [["#NAME?", "#NAME?"]]
        assert sheet.get("A1:B1") == [["#NAME?", "#NAME?"]]
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert told[0].startswith("Sheet1!A1: the emulator does not compute SPARKLINE.")
    fields = {"fields": "sheets.data.rowData.values.effectiveValue"}
    cells = sheet.spreadsheet.fetch_sheet_metadata(fields)["sheets"][0]["data"][0]["rowData"][0]
    message = "The emulator does not compute SPARKLINE."
    assert cells["values"][1]["effectiveValue"]["errorValue"] == {
        "type": "NAME",
        "message": message,
    }


def test_the_ledger_has_the_gaps_of_each_request(own):
    """A test can assert that nothing was written or read that is not computed."""
    sheet = own.gspread_client().create("Gaps").sheet1
    sheet.update([[f"={GAP}", "=IFERROR(A1,1)", "=1+1"]], "A1", raw=False)
    sheet.get("B1")
    sheet.get("C1")
    noted = [served.not_computed for served in own.ledger if "/values/" in served.path]
    assert noted == [("Sheet1!A1: SPARKLINE",), ("Sheet1!A1: SPARKLINE",), ()]


def test_a_gap_may_be_an_error(own):
    """With not_computed="error" a read is answered with 501, which names cell, cause and remedy."""
    own.not_computed = "error"
    sheet = own.gspread_client().create("Gaps").sheet1
    sheet.update([[f"={GAP}", "=IFERROR(A1,1)", "=1+1"]], "A1", raw=False)
    assert sheet.acell("C1").value == "2"
    with pytest.raises(APIError) as caught:
        sheet.acell("B1")
    assert caught.value.response.status_code == 501
    for part in ("Sheet1!B1", "SPARKLINE", "Sheet1!A1", "instead of the formula"):
        assert part in str(caught.value)
    with pytest.raises(APIError, match="501"):
        sheet.spreadsheet.export(ExportFormat.CSV)


def test_what_needs_no_value_is_read_all_the_same(own):
    """With not_computed="error" formulas, notes and formats of such cells are read, and written."""
    own.not_computed = "error"
    sheet = own.gspread_client().create("Gaps").sheet1
    written = sheet.spreadsheet.values_append(
        "A1",
        {"valueInputOption": "USER_ENTERED", "includeValuesInResponse": True},
        {"values": [[f"={GAP}"]]},
    )
    assert written["updates"]["updatedData"]["values"] == [["#NAME?"]]
    sheet.insert_note("A1", "a note")
    assert sheet.get("A1", value_render_option=ValueRenderOption.formula) == [[f"={GAP}"]]
    assert sheet.get_note("A1") == "a note"
    sheet.columns_auto_resize(0, 1)


@pytest.mark.parametrize("mode", ["warn", "error"])
def test_what_is_stored_never_comes_of_a_gap(own, mode):
    """Sorting, removing duplicates and pasting values are refused: they would store it."""
    own.not_computed = mode
    sheet = own.gspread_client().create("Gaps").sheet1
    sheet.update([[f"=IFERROR({GAP},1)"], ["1"]], "A1", raw=False)
    whole = {"sheetId": sheet.id, "startRowIndex": 0, "endRowIndex": 2, "endColumnIndex": 1}
    below = {"sheetId": sheet.id, "startRowIndex": 5, "startColumnIndex": 0}
    for request in (
        {"sortRange": {"range": whole, "sortSpecs": [{"dimensionIndex": 0}]}},
        {"deleteDuplicates": {"range": whole}},
        {"copyPaste": {"source": whole, "destination": below, "pasteType": "PASTE_VALUES"}},
    ):
        with pytest.raises(APIError, match=r"501.*SPARKLINE"):
            sheet.spreadsheet.batch_update({"requests": [request]})


def test_formulas_written_by_a_batch_are_noted(own):
    """A formula of updateCells and of pasted text is noted as it is written."""
    sheet = own.gspread_client().create("Gaps").sheet1
    cell = {"userEnteredValue": {"formulaValue": f"={GAP}"}}
    at = {"sheetId": sheet.id, "rowIndex": 1, "columnIndex": 1}
    update = {"start": at, "rows": [{"values": [cell]}], "fields": "userEnteredValue"}
    paste = {"coordinate": at | {"rowIndex": 4}, "data": "=QUERY(A1)", "delimiter": ","}
    requests = [{"updateCells": update}, {"pasteData": paste}]
    sheet.spreadsheet.batch_update({"requests": requests})
    assert own.ledger[-1].not_computed == ("Sheet1!B2: SPARKLINE", "Sheet1!B5: QUERY")


def test_every_function_is_google_s():
    """What is computed is in Google's list, and what is not is the rest of it."""
    assert COMPUTED <= GOOGLE
    assert MISSING == GOOGLE - COMPUTED
    assert {name for names in families().values() for name in names} == COMPUTED


def listing():
    """Return the lists of functions as the page has them."""
    rows = [f"| {family} | {', '.join(names)} |" for family, names in families().items()]
    table = "\n".join(["| about | functions |", "| --- | --- |", *rows])
    return f"{table}\n\nNot computed: {', '.join(sorted(MISSING))}.\n"


def test_the_page_lists_what_is_computed():
    """docs/emulator.md has the functions that the code has, and those of Google's that it lacks."""
    start, end = "<!-- functions: made from the code -->\n", "<!-- end of functions -->"
    found = re.search(f"{re.escape(start)}(.*?){re.escape(end)}", PAGE.read_text(), re.DOTALL)
    assert found, f"put {start!r} and {end!r} into {PAGE.name}"
    assert found[1] == listing(), f"what belongs between the marks is:\n{listing()}"
