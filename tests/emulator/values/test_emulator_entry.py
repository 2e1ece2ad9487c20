from datetime import datetime, timezone

import pytest
from gspread.utils import ValueInputOption, ValueRenderOption

from queued_gspread.emulator import Emulator
from queued_gspread.emulator.book.cell import EMPTY, Cell
from queued_gspread.emulator.values.entry import write
from queued_gspread.emulator.values.patterns import show_number, show_text

USER = ValueInputOption.user_entered


def typed(text, cell=EMPTY, year=2024):
    """Return a cell after a text was typed into it."""
    return write(cell, text, "USER_ENTERED", year)


def formatted(kind, pattern):
    return Cell(format={"numberFormat": {"type": kind, "pattern": pattern}})


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("1,234", 1234, "1,234"),
        ("+5", 5, "5"),
        ("(5)", -5, "-5"),
        ("($5)", -5, "-$5"),
        ("$-5", -5, "-$5"),
        ("-12.5%", -0.125, "-12.50%"),
        (".5", 0.5, "0.5"),
        ("1.5E-3", 0.0015, "1.50E-03"),
        (" 5 ", 5, "5"),
        ("000123", 123, "123"),
        ("12345678901234567890", 12345678901234567890.0, "1.23457E+19"),
        ("1/31/2024", 45322, "1/31/2024"),
        ("1/31/24", 45322, "1/31/24"),
        ("1-31-2024", 45322, "1-31-2024"),
        ("1/31", 45322, "1/31"),
        ("2024/1/5", 45296, "2024/01/05"),
        ("Jan 31, 2024", 45322, "Jan 31, 2024"),
        ("january 31, 2024", 45322, "January 31, 2024"),
        ("31 Jan 2024", 45322, "31 Jan 2024"),
        ("31-Jan-24", 45322, "31-Jan-24"),
        ("Jan 31", 45322, "Jan 31"),
        ("31 Jan", 45322, "31 Jan"),
        ("Jan 2024", 45292, "Jan 2024"),
        ("2024-01-31 10:00", 45322.416666666664, "2024-01-31 10:00"),
        ("1/31/2024 10:30 PM", 45322.9375, "1/31/2024 10:30 PM"),
        ("10:30 pm", 0.9375, "10:30 PM"),
        ("12:00 am", 0, "12:00 AM"),
        ("25:00:00", 1.0416666666666667, "25:00:00"),
        ("100:30", 4.1875, "100:30"),
    ],
)
def test_typed_numbers(text, value, shown):
    """A typed number, date, time or duration is stored as a number, in the format it was typed."""
    cell = typed(text)
    assert cell.value == value
    assert show_number(cell.value, cell.number_format) == shown


@pytest.mark.parametrize(
    "text",
    [
        "1,23",
        "1 000",
        "5$",
        "=",
        "-",
        "13/31",
        "2024-02-30",
        "10:75",
        "13:00 pm",
        "2024-01-31T10:00:00Z",
        "May",
        "Infinity",
        "NaN",
        "1_000",
        "0x10",
        "٣",
        "#N/A",
        "two\nlines",
    ],
)
def test_typed_texts(text):
    """What only resembles a number or a date stays the text that was typed."""
    assert typed(text) == Cell(text)


def test_date_without_a_year_needs_one():
    """A day without a year is a date only where the current year is known."""
    assert typed("1/31", year=2023).value == 44957
    assert typed("2/29", year=2023).value == "2/29"
    assert typed("1/31", year=None).value == "1/31"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("+1+2", Cell(formula="=+1+2")),
        ("+", Cell(formula="=+")),
        ("+1 555 123", Cell(formula="=+1 555 123")),
        ("=1+1", Cell(formula="=1+1")),
        ("'=1+1", Cell("=1+1")),
        ("''a", Cell("'a")),
        ("'", None),
        ("tRuE", Cell(True)),
    ],
)
def test_signs_in_front(text, stored):
    """An equals or a plus sign makes a formula, an apostrophe a text without it."""
    assert typed(text) == stored


def test_formats_of_cells():
    """A cell's own format stays where it suits what is typed, and in plain text all is text."""
    day = formatted("DATE", "yyyy-mm-dd")
    assert typed("1/31/2024", day).number_format["pattern"] == "yyyy-mm-dd"
    assert typed("50%", day).number_format["type"] == "PERCENT"
    assert typed("5", day).number_format["type"] == "DATE"
    plain = formatted("TEXT", "@")
    assert [typed(text, plain).value for text in ("007", "=1+1", "'x")] == ["007", "=1+1", "x"]


@pytest.mark.parametrize(
    ("number", "kind", "pattern", "shown"),
    [
        (12, "NUMBER", "0.##", "12."),
        (1.5, "NUMBER", "?0.0?", " 1.5 "),
        (1234567, "NUMBER", '0.0,,"M"', "1.2M"),
        (1234, "NUMBER", "0,", "1"),
        (0, "NUMBER", "0.0;-0.0;zero", "zero"),
        (-1.25, "NUMBER", "0.0;[Red](0.0)", "(1.3)"),
        (150, "NUMBER", '[>100]"big" 0;0', "big 150"),
        (50, "NUMBER", '[>100]"big" 0;0', "50"),
        (5, "NUMBER", '0" ; "0', "0 ; 5"),
        (5551234567, "NUMBER", "(###) ###-####", "(555) 123-4567"),
        (123456789, "NUMBER", "000-00-0000", "123-45-6789"),
        (12, "NUMBER", "000-00-0000", "000-00-0012"),
        (12, "NUMBER", "###-####", "-12"),
        (12345, "SCIENTIFIC", "0.00E+00", "1.23E+04"),
        (0.00012, "SCIENTIFIC", "0.0E-0", "1.2E-4"),
        (2.5, "NUMBER", "# ?/?", "2 1/2"),
        (0.333, "NUMBER", "?/?", "1/3"),
        (3, "NUMBER", "# ?/?", "3"),
        (5, "NUMBER", "_(0_)", " 5 "),
        (5, "CURRENCY", '_("$"* #,##0.00_);_("$"* (#,##0.00)', " $ 5.00 "),
        (-5, "CURRENCY", '_("$"* #,##0.00_);_("$"* (#,##0.00)', " $ (5.00)"),
        (5, "NUMBER", "*-0", "5"),
        (45322, "DATE", "_(d* m_)", " 31 1 "),
        (45322, "DATE", "[$€-407]d*-m", "€311"),
        (1234.5, "CURRENCY", "[$€]#,##0.00", "€1,234.50"),
        (1234.5, "CURRENCY", "#,##0.00[$ kr]", "1,234.50 kr"),
        (-7, "CURRENCY", "[$CHF]* 0", "-CHF 7"),
        (7, "CURRENCY", "[$₹]0", "₹7"),
        (1e20, "NUMBER", "0.00", "100000000000000000000.00"),
        (1.5, "TIME", "[h]:mm", "36:00"),
        (1.5, "TIME", "[mm]:ss", "2160:00"),
        (-0.5, "TIME", "[h]:mm:ss", "-12:00:00"),
        (0.000011574, "TIME", "[s].000", "1.000"),
        (0.5000057, "TIME", "h:mm:ss.00", "12:00:00.49"),
        (45322, "DATE", "dddd", "Wednesday"),
        (45322, "DATE", 'mmmmm "of" yy', "J of 24"),
        (45322.25, "DATE_TIME", "m/d h:mm a/p", "1/31 6:00 a"),
        (1e12, "DATE", "yyyy-mm-dd", "1000000000000"),
    ],
)
def test_patterns(number, kind, pattern, shown):
    """A pattern's sections, conditions, literals, digits and units of time are shown."""
    assert show_number(number, {"type": kind, "pattern": pattern}) == shown


def test_pattern_of_a_text():
    """A pattern's fourth section shows texts; any other pattern leaves them."""
    assert show_text("x", {"type": "NUMBER", "pattern": '0;0;0;"<"@">"'}) == "<x>"
    assert show_text("x", {"type": "NUMBER", "pattern": "0.00"}) == "x"


def test_the_emulators_year_and_day():
    """A date without a year is of the emulator's year, and TODAY is its day."""
    clock = datetime(2019, 12, 31, 23, 30, tzinfo=timezone.utc)
    with Emulator(clock=lambda: clock) as emulator:
        client = emulator.gspread_client()
        sheet = client.create("clock").sheet1
        sheet.update([["2/3", "=TODAY()", "=NOW()"]], "A1", value_input_option=USER)
        unformatted = ValueRenderOption.unformatted
        day, today, now = sheet.get("A1:C1", value_render_option=unformatted)[0]
    assert (day, today) == (43499, 43830)
    assert now == pytest.approx(43830 + 23.5 / 24)


def test_today_by_the_spreadsheets_time_zone(sheet):
    """TODAY is the day of the spreadsheet's time zone."""
    book = sheet.spreadsheet
    days = []
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        book.update_timezone(zone)
        sheet.update([["=TODAY()"]], "A1", value_input_option=USER)
        days.append(sheet.acell("A1", value_render_option=ValueRenderOption.unformatted).value)
    assert days[0] == days[1] + 1 or days[0] == days[1] + 2
