import tracemalloc
from datetime import datetime, timezone

import pytest
from gspread.utils import ValueInputOption, ValueRenderOption

from queued_gspread.emulator.batch.shift import Shift
from queued_gspread.emulator.book.cell import EMPTY
from queued_gspread.emulator.book.sheet import Sheet
from queued_gspread.emulator.book.spreadsheet import Spreadsheet
from queued_gspread.emulator.values.entry import write
from queued_gspread.emulator.values.evaluate import Evaluator
from queued_gspread.emulator.values.patterns import show_number, show_text
from queued_gspread.emulator.values.references import copied_formula, moved_formula
from queued_gspread.emulator.values.render import shown

USER = ValueInputOption.user_entered
TABLE = [
    ["name", "amount", "day", "price"],
    ["ann", "1", "2024-01-31", "$5"],
    ["bob", "2", "2024-02-29", "$7.50"],
    ["cy", "3", "2024-03-31", "25%"],
    ["", "", "", ""],
    ["Ann", "10", "x", "TRUE"],
]


def book_of(*columns):
    """Return a spreadsheet whose first sheet has these cells, typed, in columns side by side."""
    book = Spreadsheet("id", "title", [Sheet(0, "Sheet1", 20_000, 26)])
    book.clock = lambda: datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
    grid = book.sheets[0].grid
    for column, texts in enumerate(columns):
        for row, text in enumerate(texts):
            grid.put(row, column, write(grid.get(row, column), text, "USER_ENTERED", 2024))
    return book


def result(formula, table=TABLE):
    """Return what a formula in Z1 beside a table is shown as."""
    book = book_of(*zip(*table, strict=True))
    sheet = book.sheets[0]
    sheet.grid.put(0, 25, write(sheet.grid.get(0, 25), formula, "USER_ENTERED"))
    evaluator = Evaluator(book)
    value, number_format = evaluator.value(sheet, 0, 25), evaluator.number_format(sheet, 0, 25)
    return shown(sheet.grid.get(0, 25), value, number_format)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=SUM(B:B)", "16"),
        ('=SUM(B2:B4,1,"2",TRUE)', "10"),
        ('=SUM("x")', "#VALUE!"),
        ("=PRODUCT(B2:B4)", "6"),
        ("=SUMSQ(B2:B4)", "14"),
        ("=SUMPRODUCT(B2:B4,B2:B4)", "14"),
        ("=SUMPRODUCT(B2:B4,B2:B3)", "#VALUE!"),
        ("=SUMPRODUCT(1E300,1E300)", "#NUM!"),
        ("=ROUND(2.5)", "3"),
        ("=ROUND(-2.5)", "-3"),
        ("=ROUND(1.005,2)", "1.01"),
        ("=ROUND(1250,-2)", "1300"),
        ("=ROUNDUP(1.21,1)", "1.3"),
        ("=ROUNDDOWN(-1.29,1)", "-1.2"),
        ("=TRUNC(-1.9)", "-1"),
        ("=INT(-1.5)", "-2"),
        ("=CEILING(7,5)", "10"),
        ("=FLOOR(7,5)", "5"),
        ("=CEILING(7,-5)", "#NUM!"),
        ("=MOD(-3,2)", "1"),
        ("=MOD(3,0)", "#DIV/0!"),
        ("=QUOTIENT(7,2)", "3"),
        ("=POWER(2,10)", "1024"),
        ("=POWER(0,-1)", "#NUM!"),
        ("=EXP(1)", "2.718281828"),
        ("=LN(0)", "#NUM!"),
        ("=LOG(8,2)", "3"),
        ("=LOG10(1000)", "3"),
        ("=PI()", "3.141592654"),
        ("=SQRT(-1)", "#NUM!"),
        ("=SIGN(-5)", "-1"),
        ("=ISODD(3)", "TRUE"),
    ],
)
def test_functions_of_numbers(formula, expected):
    """Functions of numbers compute, and fail with the error, that Google's do."""
    assert result(formula) == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=COUNT(B1:B6)", "4"),
        ("=COUNTA(A1:A6)", "5"),
        ("=COUNTBLANK(A1:B6)", "2"),
        ("=COUNTUNIQUE(B2:B4)", "3"),
        ("=AVERAGE(B2:B4)", "2"),
        ("=AVERAGE(Y1:Y3)", "#DIV/0!"),
        ("=MIN(Y1:Y3)", "0"),
        ("=MEDIAN(B2:B6)", "2.5"),
        ("=STDEV(B2:B4)", "1"),
        ("=STDEV(1)", "#DIV/0!"),
        ("=VARP(1,3)", "1"),
        ("=LARGE(B2:B6,2)", "3"),
        ("=SMALL(B2:B6,9)", "#NUM!"),
        ("=RANK(3,B2:B6)", "2"),
        ("=RANK(3,B2:B6,1)", "3"),
        ("=RANK(7,B2:B6)", "#N/A"),
        ('=COUNTIF(A1:A6,"ANN")', "2"),
        ('=COUNTIF(A1:A6,"?nn")', "2"),
        ('=COUNTIF(A1:A6,"*b")', "1"),
        ('=COUNTIF(A1:A6,"<>")', "5"),
        ('=COUNTIF(A1:A6,"")', "1"),
        ('=COUNTIF(B1:B6,">1")', "3"),
        ('=COUNTIF(B1:B6,"<>2")', "5"),
        ("=COUNTIF(B1:B6,2)", "1"),
        ('=COUNTIF(A1:A6,"<b")', "2"),
        ('=COUNTIF(C2:C4,">2024-02-01")', "2"),
        ('=COUNTIFS(A1:A6,"ann",B1:B6,">5")', "1"),
        ('=COUNTIFS(A1:A6,"ann",B1:B5,">5")', "#VALUE!"),
        ('=SUMIF(A1:A6,"ann",B1:B6)', "11"),
        ('=SUMIF(B1:B6,">=2")', "15"),
        ('=SUMIFS(B1:B6,A1:A6,"ann",B1:B6,"<5")', "1"),
        ('=AVERAGEIF(B1:B6,">2")', "6.5"),
        ('=AVERAGEIF(B1:B6,">100")', "#DIV/0!"),
        ('=MAXIFS(B1:B6,A1:A6,"ann")', "10"),
        ('=MINIFS(B1:B6,A1:A6,"ann")', "1"),
    ],
)
def test_functions_that_count(formula, expected):
    """Counting, averaging and ranking heed criteria, and what is no number, as Google's do."""
    assert result(formula) == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ('=VLOOKUP("BOB",A1:C6,2,FALSE)', "2"),
        ('=VLOOKUP("b*",A1:C6,2,FALSE)', "2"),
        ('=VLOOKUP("zed",A1:C6,2,FALSE)', "#N/A"),
        ('=VLOOKUP("bob",A1:C6,9,FALSE)', "#REF!"),
        ('=VLOOKUP("bob",A1:C6,0,FALSE)', "#VALUE!"),
        ("=VLOOKUP(2.5,B2:C4,1)", "2"),
        ('=HLOOKUP("amount",A1:C6,3,FALSE)', "2"),
        ("=INDEX(A1:C6,3,2)", "2"),
        ("=INDEX(B2:B4,2)", "2"),
        ("=INDEX(A3:C3,2)", "2"),
        ("=SUM(INDEX(A1:B6,0,2))", "16"),
        ("=INDEX(B2:B4,4)", "#REF!"),
        ('=MATCH("cy",A1:A6,0)', "4"),
        ("=MATCH(2.5,B2:B4)", "2"),
        ("=MATCH(0.5,B2:B4)", "#N/A"),
        ('=INDEX(B1:B6,MATCH("cy",A1:A6,0))', "3"),
        ('=XLOOKUP("cy",A1:A6,B1:B6)', "3"),
        ('=XLOOKUP("q",A1:A6,B1:B6,"none")', "none"),
        ('=XLOOKUP("q",A1:A6,B1:B6)', "#N/A"),
        ('=XLOOKUP("cy",A1:A6,B1:B2)', "#VALUE!"),
        ("=XLOOKUP(5,B2:B6,A2:A6,,1)", "Ann"),
        ("=XLOOKUP(5,B2:B6,A2:A6,,-1)", "cy"),
        ('=XLOOKUP("ann",A1:A6,B1:B6,,0,-1)', "10"),
        ("=ROW(C5)", "5"),
        ("=ROW()", "1"),
        ("=COLUMN()", "26"),
        ("=ROWS(A1:B6)", "6"),
        ("=COLUMNS(A:C)", "3"),
        ('=VLOOKUP("bob")', "#N/A"),
    ],
)
def test_functions_that_look_up(formula, expected):
    """Lookups find by value, by order and by wildcard, and miss with Google's errors."""
    assert result(formula) == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=IF(B2>0,,1)", ""),
        ('=IF("x",1,2)', "#VALUE!"),
        ("=IF(1/0,1,2)", "#DIV/0!"),
        ("=IF(TRUE,1,1/0)", "1"),
        ("=IFS(FALSE,1,TRUE,2)", "2"),
        ("=IFS(FALSE,1)", "#N/A"),
        ('=IFNA(NA(),"na")', "na"),
        ('=IFNA(1/0,"na")', "#DIV/0!"),
        ('=IFERROR(1/0,"bad")', "bad"),
        ("=IFERROR(1/0)", ""),
        ('=SWITCH(3,1,"x",3,"y","z")', "y"),
        ('=SWITCH(4,1,"x","z")', "z"),
        ('=CHOOSE(2,"a","b")', "b"),
        ('=CHOOSE(3,"a","b")', "#NUM!"),
        ("=AND(TRUE,1,B2>0)", "TRUE"),
        ("=OR(FALSE,0)", "FALSE"),
        ("=XOR(TRUE,TRUE)", "FALSE"),
        ("=NOT(0)", "TRUE"),
        ('=AND("x")', "#VALUE!"),
        ("=ISBLANK(Y9)", "TRUE"),
        ("=ISBLANK(A1)", "FALSE"),
        ("=ISNUMBER(B2)", "TRUE"),
        ("=ISTEXT(A2)", "TRUE"),
        ("=ISERROR(#REF!)", "TRUE"),
        ("=ISERR(NA())", "FALSE"),
        ("=ISLOGICAL(D6)", "TRUE"),
        ('=A5=""', "TRUE"),
        ("=A5=0", "TRUE"),
        ('="a"="A"', "TRUE"),
        ("=TRUE()", "TRUE"),
        ("=NA()", "#N/A"),
    ],
)
def test_functions_of_truth(formula, expected):
    """Conditions take one branch only, and tests see errors and blank cells as Google's do."""
    assert result(formula) == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ('=LEFT("hello",2)&RIGHT("hello")', "heo"),
        ('=RIGHT("hello",0)', ""),
        ('=MID("hello",2,3)', "ell"),
        ('=FIND("l","hello")', "3"),
        ('=FIND("L","hello")', "#VALUE!"),
        ('=SEARCH("L","hello",4)', "4"),
        ('=SUBSTITUTE("a-b-c","-","+")', "a+b+c"),
        ('=SUBSTITUTE("a-b-c","-","+",2)', "a-b+c"),
        ('=REPLACE("abcdef",2,3,"X")', "aXef"),
        ('=TEXT(1234.5,"#,##0.00")', "1,234.50"),
        ('=TEXT(C2,"d mmm yyyy")', "31 Jan 2024"),
        ('=TEXT("x","0.00")', "x"),
        ('=VALUE("$1,200")', "1200"),
        ('=VALUE("x")', "#VALUE!"),
        ('=PROPER("hello wORLD")', "Hello World"),
        ('=TRIM("  a   b ")', "a b"),
        ('=REPT("ab",3)', "ababab"),
        ('=JOIN("-",A2:A4)', "ann-bob-cy"),
        ('=TEXTJOIN(",",TRUE,A1:A6)', "name,ann,bob,cy,Ann"),
        ('=CONCATENATE("a",1,TRUE)', "a1TRUE"),
        ('=EXACT("a","A")', "FALSE"),
        ("=CHAR(65)&CODE(CHAR(66))", "A66"),
        ("=LEN(12.5)", "4"),
        ('=HYPERLINK("https://example.com","label")', "label"),
    ],
)
def test_functions_of_texts(formula, expected):
    """Functions of texts count from one and fail with `#VALUE!` as Google's do."""
    assert result(formula) == expected


HALF = 'REPT("a",30000)'


@pytest.mark.parametrize(
    "formula",
    [
        f'=SUBSTITUTE({HALF},"a",REPT("b",30000))',
        f'=SUBSTITUTE({HALF},"a",{HALF},1)',
        '=REPT("ab",25001)',
        f"=CONCATENATE({HALF},{HALF})",
        f"=CONCAT({HALF},{HALF})",
        f'=JOIN("-",{HALF},{HALF})',
        f'=TEXTJOIN({HALF},TRUE,"x","y","z")',
        f"={HALF}&{HALF}",
        f"=LEN({HALF}&{HALF})",
        f"=REPLACE({HALF},1,0,{HALF})",
        '=UPPER(REPT("ß",30000))',
    ],
)
def test_a_result_is_no_longer_than_a_cell(formula):
    """What would have more than 50,000 characters is `#VALUE!`, and so is what is made of it."""
    assert result(formula) == "#VALUE!"
    assert result(f'=IFERROR({formula[1:]},"long")') == "long"


def test_a_result_may_be_as_long_as_a_cell():
    """A text of 50,000 characters is one, however it is put together."""
    half = 'REPT("a",25000)'
    for formula in (
        f"{half}&{half}",
        'SUBSTITUTE(REPT("a",50000),"a","b")',
        f'JOIN("",{half},{half})',
    ):
        assert result(f"=LEN({formula})") == "50000"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ('=SEARCH("*a*a*a*a*a*a*b",REPT("a",5000))', "#VALUE!"),
        ('=SEARCH("b*a*a*a*",REPT("a",5000)&"baaa")', "5001"),
        ('=COUNTIF(REPT("a",5000),"*a*a*a*a*b")', "0"),
        ('=COUNTIF(REPT("a",5000),"*a*a*a*a?")', "1"),
        ('=MATCH("*a*a*a*a*b",REPT("a",5000),0)', "#N/A"),
        (f'=SEARCH("{"*" * 200}b",REPT("a",5000))', "#VALUE!"),
    ],
)
def test_many_stars_are_no_more_work_than_one(formula, expected):
    """However many wildcards there are, and however long the text, there is soon an answer."""
    assert result(formula) == expected


def test_a_pattern_that_is_too_long_is_not_tried():
    """A pattern that would take minutes shows no number: in a formula it is `#VALUE!`."""
    for marks in ('"0"', '"["', '"0."&"0"'):
        assert result(f"=TEXT(1.5,REPT({marks},25000))") == "#VALUE!"
    assert show_number(1.5, {"type": "NUMBER", "pattern": "0" * 50_000}) == "1.5"


def test_what_becomes_too_long_is_not_made_first():
    """A result of gigabytes takes no more memory than one that a cell may have."""
    tracemalloc.start()
    try:
        assert result('=SUBSTITUTE(REPT("a",50000),"a",REPT("b",50000))') == "#VALUE!"
        assert result('=JOIN(REPT("-",50000),A1:C6,A1:C6,A1:C6)') == "#VALUE!"
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=TODAY()", "5/6/2024"),
        ("=TODAY()+1", "5/7/2024"),
        ("=NOW()", "5/6/2024 7:08:09"),
        ("=DATE(2024,13,1)", "1/1/2025"),
        ("=DATE(2024,3,0)", "2/29/2024"),
        ("=TIME(14,30,0)", "2:30:00 PM"),
        ("=YEAR(C2)&MONTH(C2)&DAY(C2)", "2024131"),
        ("=HOUR(NOW())&MINUTE(NOW())&SECOND(NOW())", "789"),
        ("=WEEKDAY(C2)", "4"),
        ("=WEEKDAY(C2,2)", "3"),
        ("=EDATE(C2,1)", "2/29/2024"),
        ("=EOMONTH(C2,1)", "2/29/2024"),
        ("=DAYS(C3,C2)", "29"),
        ("=C3-C2", "29"),
        ('=DATEDIF(C2,C4,"M")', "2"),
        ("=NETWORKDAYS(C2,C3)", "22"),
        ('=DATEVALUE("2024-01-31")', "45322"),
        ('=YEAR("x")', "#VALUE!"),
        ("=YEAR(-5)", "#NUM!"),
    ],
)
def test_functions_of_dates(formula, expected):
    """Dates are numbers, today is the emulator's, and results that are dates look like dates."""
    assert result(formula) == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=C2", "2024-01-31"),
        ("=C2+1", "2024-02-01"),
        ("=MAX(C2:C4)", "2024-03-31"),
        ("=D2+1", "$6"),
        ("=D2*3", "$15"),
        ("=D2/D3", "0.6666666667"),
        ("=SUM(D2:D3)", "$13"),
        ("=IF(TRUE,D4,0)", "25%"),
        ("=COUNT(D2:D3)", "2"),
    ],
)
def test_formats_that_formulas_bring(formula, expected):
    """A cell without a format of its own shows a result as the cells it comes from are shown."""
    assert result(formula) == expected


def test_formats_follow_a_chain():
    """A format goes from cell to cell, as the values do."""
    book = book_of(["2024-01-31", "=A1+1", "=A2+1"])
    sheet, evaluator = book.sheets[0], Evaluator(book)
    number_format = evaluator.number_format(sheet, 2, 0)
    assert shown(EMPTY, evaluator.value(sheet, 2, 0), number_format) == "2024-02-02"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=2^-1", "0.5"),
        ("=1+1%", "1.01"),
        ('="5"+1', "6"),
        ('=""+1', "#VALUE!"),
        ("=+A2", "ann"),
        ("=-B3", "-2"),
        ("=NEGATE(1)", "#NAME?"),
        ("+", "#ERROR!"),
        ("+1 555 123", "#ERROR!"),
        ("=#REF!+1", "#REF!"),
        ("=Nowhere!A1", "#REF!"),
        ("=A1:A3", "name"),
        ("=A2:A3", "#VALUE!"),
        ("=LEN(A1:A3)", "4"),
        ('=IFERROR(LEN(A2:A3),"none")', "none"),
        ("=SUM({1,2;3,4})", "10"),
        ("=SUM({1,2;3})", "#VALUE!"),
        ("={1,2", "#ERROR!"),
        ("={}", "#ERROR!"),
        ("=1E-12", "1E-12"),
        ("=Sheet1!B2", "1"),
    ],
)
def test_expressions(formula, expected):
    """Operators, references and arrays compute; of a range one value is that of the own row."""
    assert result(formula) == expected


def test_long_chains_and_long_formulas():
    """Neither a chain of ten thousand cells nor a formula of thousands of terms is too long."""
    chain = ["1", *(f"=A{row}+1" for row in range(1, 10_000))]
    book = book_of(chain, ["=" + "+".join(["1"] * 5000), "=SUM(A:A)"])
    evaluator = Evaluator(book)
    assert evaluator.value(book.sheets[0], 9_999, 0) == 10_000
    assert evaluator.value(book.sheets[0], 0, 1) == 5000
    assert evaluator.value(book.sheets[0], 1, 1) == 50_005_000


def test_running_sums_of_results():
    """Sums over ranges of formulas, each longer than the one before, are all worked out."""
    count = 500
    sums = ["1", *(f"=SUM(A$1:A{row})" for row in range(1, count))]
    book = book_of(sums)
    assert Evaluator(book).value(book.sheets[0], count - 1, 0) == 2 ** (count - 2)


def test_circular_references():
    """Cells that depend on themselves show `#REF!`, and so does what depends on them."""
    book = book_of(["=B1+1", "=A2", "=SUM(A1:A4)", "=IFERROR(B4,0)"], ["=A1", "", "=A2&1", "=A4"])
    evaluator = Evaluator(book)
    for row, column in [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1), (3, 1)]:
        assert evaluator.value(book.sheets[0], row, column).code == "#REF!"


def test_branch_not_taken_is_no_circle():
    """A condition looks only at the branch it takes, so the other may lead back to it."""
    book = book_of(["=IF(B1,5,A1)"], ["TRUE"])
    assert Evaluator(book).value(book.sheets[0], 0, 0) == 5


@pytest.mark.parametrize(
    ("formula", "shift", "moved"),
    [
        ("=SUM(A:A)", Shift("COLUMNS", 0, 1), "=SUM(B:B)"),
        ("=SUM(A:C)", Shift("ROWS", 0, 1), "=SUM(A:C)"),
        ("=SUM($2:4)", Shift("ROWS", 0, 1), "=SUM($3:5)"),
        ("=SUM(A5:A)", Shift("ROWS", 0, 2), "=SUM(A7:A)"),
        ("=SUM(A:B)", Shift("COLUMNS", 0, -2), "=SUM(#REF!)"),
    ],
)
def test_open_references_move(formula, shift, moved):
    """References to whole rows and columns follow what they name."""
    assert moved_formula(formula, "Home", "Home", shift) == moved


def test_open_references_are_copied():
    """Whole columns of a copied formula move with it, but for what a `$` holds fast."""
    assert copied_formula("=SUM(A:$B)+SUM(1:1)", 2, 1) == "=SUM(B:$B)+SUM(3:3)"


def test_formulas_over_http(sheet):
    """What a formula computes, its text and its number are read by gspread as from Google."""
    sheet.update([["2024-01-31", "=A1+1", "=VLOOKUP(5,A1:A1,1,FALSE)"]], "A1", raw=False)
    assert sheet.get("A1:C1") == [["2024-01-31", "2024-02-01", "#N/A"]]
    unformatted = sheet.get("A1:C1", value_render_option=ValueRenderOption.unformatted)
    assert unformatted == [[45322, 45323, "#N/A"]]
    formulas = sheet.get("A1:C1", value_render_option=ValueRenderOption.formula)
    assert formulas == [[45322, "=A1+1", "=VLOOKUP(5,A1:A1,1,FALSE)"]]
    data = sheet.spreadsheet.fetch_sheet_metadata({"fields": "sheets.data.rowData.values"})
    cells = data["sheets"][0]["data"][0]["rowData"][0]["values"]
    assert cells[1]["formattedValue"] == "2024-02-01"
    assert cells[2]["effectiveValue"]["errorValue"]["type"] == "N_A"


def test_a_pattern_does_not_multiply_a_text():
    """A pattern shows a text where its marks are; one with very many leaves it as it is."""
    assert show_text("x", {"type": "TEXT", "pattern": "0;0;0;<@|@>"}) == "<x|x>"
    assert show_text("x", {"type": "TEXT", "pattern": f"0;0;0;{'@' * 50_000}"}) == "x"


def test_a_pattern_may_be_odd():
    """A pattern with more decimals than a number has, or with half a literal, shows the number."""
    assert show_number(1.5, {"type": "NUMBER", "pattern": f"0.{'0' * 40}"}) == f"1.5{'0' * 39}"
    assert show_number(999999999999999.9, {"pattern": f"#.{'#' * 99}"}) == "999999999999999.9"
    assert show_number(1.5, {"type": "NUMBER", "pattern": '"'}) == '"'
