import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queued_gspread.emulator.batch.shift import Shift
from queued_gspread.emulator.book.a1 import (
    Bounds,
    Rect,
    column_index,
    column_letters,
    parse_bounds,
    quote_title,
    range_name,
    split_title,
)
from queued_gspread.emulator.book.append import find_table
from queued_gspread.emulator.book.cell import Cell
from queued_gspread.emulator.book.color import stored_color
from queued_gspread.emulator.book.grid import Grid
from queued_gspread.emulator.values.patterns import show_number, show_plain
from queued_gspread.emulator.values.references import copied_formula, moved_formula
from queued_gspread.emulator.wire.field_mask import apply_mask, parse_mask

ROWS, COLUMNS = 8, 6
PLACES = st.tuples(st.integers(0, ROWS - 1), st.integers(0, COLUMNS - 1))
STEPS = st.one_of(
    st.tuples(st.just("put"), PLACES),
    st.tuples(st.just("clear"), PLACES),
    st.tuples(st.just("insert_rows"), st.tuples(st.integers(0, ROWS), st.integers(1, 2))),
    st.tuples(st.just("insert_columns"), st.tuples(st.integers(0, COLUMNS), st.integers(1, 2))),
    st.tuples(st.just("delete_rows"), st.integers(0, 2).map(lambda i: (i, i + 1))),
    st.tuples(st.just("delete_columns"), st.integers(0, 2).map(lambda i: (i, i + 1))),
)


@settings(deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_grid_is_like_a_plain_table(steps):
    """A grid holds what a plain list of lists of the same cells holds, whatever happens to it."""
    grid = Grid(ROWS, COLUMNS)
    table = [[False] * COLUMNS for _ in range(ROWS)]
    for kind, (one, two) in steps:
        if kind in {"put", "clear"} and one < len(table) and two < len(table[0]):
            table[one][two] = kind == "put"
            grid.put(one, two, Cell("x") if kind == "put" else None)
        elif kind == "insert_rows" and one <= len(table):
            table[one:one] = [[False] * grid.column_count for _ in range(two)]
            grid.insert_rows(one, two)
        elif kind == "insert_columns" and one <= len(table[0]):
            for row in table:
                row[one:one] = [False] * two
            grid.insert_columns(one, two)
        elif kind == "delete_rows" and two < len(table):
            del table[one:two]
            grid.delete_rows(one, two)
        elif kind == "delete_columns" and two < len(table[0]):
            for row in table:
                del row[one:two]
            grid.delete_columns(one, two)
    filled = [(r, c) for r, row in enumerate(table) for c, cell in enumerate(row) if cell]
    assert (grid.row_count, grid.column_count) == (len(table), len(table[0]))
    assert [(r, c) for r, c, _ in grid.stored(grid.everything)] == filled
    assert grid.last_filled(grid.everything) == (filled[-1] if filled else None)


@settings(deadline=None)
@given(st.sets(PLACES))
def test_table_is_closed_and_no_larger_than_needed(places):
    """A found table holds the last cell, touches no other content and has no bare side."""
    grid = Grid(ROWS, COLUMNS)
    for row, column in places:
        grid.put(row, column, Cell("x"))
    table = find_table(grid, grid.everything)
    if not places:
        assert table is None
        return
    top, bottom, left, right = table
    last = max(places)
    assert table.holds(Rect(last[0], last[0] + 1, last[1], last[1] + 1))
    outside = [
        Rect(top - 1, top, left, right) if top else Rect(0, 0, 0, 0),
        Rect(bottom, bottom + 1, left, right),
        Rect(top, bottom, left - 1, left) if left else Rect(0, 0, 0, 0),
        Rect(top, bottom, right, right + 1),
    ]
    assert not any(grid.any_filled(side) for side in outside)
    edges = [
        Rect(top, top + 1, left, right),
        Rect(bottom - 1, bottom, left, right),
        Rect(top, bottom, left, left + 1),
        Rect(top, bottom, right - 1, right),
    ]
    assert all(grid.any_filled(edge) for edge in edges)


@settings(deadline=None)
@given(st.integers(0, 18_277))
def test_columns_round_trip(index):
    """Every column has letters that lead back to it."""
    assert column_index(column_letters(index)) == index


@settings(deadline=None)
@given(st.text(min_size=1), PLACES, PLACES)
def test_range_names_round_trip(title, one, other):
    """A range's written name is read as the same sheet and the same cells."""
    rows, columns = sorted((one[0], other[0])), sorted((one[1], other[1]))
    rect = Rect(rows[0], rows[1] + 1, columns[0], columns[1] + 1)
    found, cells = split_title(range_name(title, rect))
    assert found == title
    assert parse_bounds(cells) == rect


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("A1", Bounds(0, 1, 0, 1)),
        ("$B$2", Bounds(1, 2, 1, 2)),
        ("D4:A1", Bounds(0, 4, 0, 4)),
        ("A:B", Bounds(None, None, 0, 2)),
        ("2:3", Bounds(1, 3, None, None)),
        ("A5:B", Bounds(4, None, 0, 2)),
        ("A1:1", Bounds(0, 1, 0, None)),
        ("R2C3", Bounds(1, 2, 2, 3)),
        ("R1C1:R2C3", Bounds(0, 2, 0, 3)),
        ("R1", Bounds(0, 1, 17, 18)),
        ("A", None),
        ("A0", None),
        ("AAAA1", None),
        ("A1:B2:C3", None),
        ("", None),
    ],
)
def test_bounds(text, bounds):
    """A range in A1 notation has the bounds that it names; open sides are None."""
    assert parse_bounds(text) == bounds


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("Sheet1", "Sheet1"),
        ("D3", "'D3'"),
        ("a b", "'a b'"),
        ("I'm", "'I''m'"),
        ("1st", "'1st'"),
        ("R1C1", "'R1C1'"),
        ("_x", "_x"),
    ],
)
def test_quoted_titles(title, written):
    """Titles are quoted where they could be taken for something else."""
    assert quote_title(title) == written


@pytest.mark.parametrize(
    ("formula", "shift", "moved"),
    [
        ("=A1+B5", Shift("ROWS", 2, 3), "=A1+B8"),
        ("=SUM(A1:A5)", Shift("ROWS", 2, 1), "=SUM(A1:A6)"),
        ("=SUM(A1:A5)", Shift("ROWS", 1, -2), "=SUM(A1:A3)"),
        ("=A3", Shift("ROWS", 2, -1), "=#REF!"),
        ("=$B$2", Shift("COLUMNS", 0, 1), "=$C$2"),
        ("=Other!A3&A3", Shift("ROWS", 0, 1), "=Other!A3&A4"),
        ("='Home'!A3", Shift("ROWS", 0, 1), "='Home'!A4"),
        ('="A3"', Shift("ROWS", 0, 1), '="A3"'),
        ("=LOG10(A1)", Shift("ROWS", 0, 1), "=LOG10(A2)"),
    ],
)
def test_moved_formula(formula, shift, moved):
    """References follow the rows and columns that they name, and only those."""
    assert moved_formula(formula, "Home", "Home", shift) == moved


@pytest.mark.parametrize(
    ("formula", "copied"),
    [
        ("=A1+$A1+A$1+$A$1", "=B3+$A3+B$1+$A$1"),
        ("=SUM(A1:B2)", "=SUM(B3:C4)"),
        ('="A1"', '="A1"'),
    ],
)
def test_copied_formula(formula, copied):
    """References of a copied formula move with it, but for what a `$` holds fast."""
    assert copied_formula(formula, 2, 1) == copied


@pytest.mark.parametrize(
    ("number", "kind", "pattern", "shown"),
    [
        (0.125, "PERCENT", "0.0%", "12.5%"),
        (1234567.891, "NUMBER", "#,##0.00", "1,234,567.89"),
        (5, "NUMBER", "000", "005"),
        (0.5, "NUMBER", "#.##", ".5"),
        (-3, "CURRENCY", '"$"#,##0.00', "-$3.00"),
        (-3, "NUMBER", "0;(0)", "(3)"),
        (43831.75, "DATE_TIME", "yyyy-mm-dd hh:mm:ss", "2020-01-01 18:00:00"),
        (43831, "DATE", "dddd, mmmm d", "Wednesday, January 1"),
        (0.75, "TIME", "h:mm am/pm", "6:00 PM"),
        (2.675, "NUMBER", "0.00", "2.68"),
    ],
)
def test_number_formats(number, kind, pattern, shown):
    """A number is shown as its pattern says."""
    assert show_number(number, {"type": kind, "pattern": pattern}) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (1, "1"),
        (0.1 + 0.2, "0.3"),
        (1 / 1024, "0.0009765625"),
        (100 / 3, "33.33333333"),
        (-2.5, "-2.5"),
        (1e15, "1E+15"),
        (123456789012345, "123456789012345"),
    ],
)
def test_automatic_format(number, shown):
    """Without a format a number has up to ten significant digits."""
    assert show_plain(number) == shown


def test_masks():
    """A mask keeps what it names, in every item of a list, by either of its notations."""
    value = {"a": [{"b": 1, "c": 2}, {"c": 3}], "d": 4}
    assert apply_mask(parse_mask("a.b"), value) == {"a": [{"b": 1}, {}]}
    assert apply_mask(parse_mask("a(b,c),d"), value) == value
    assert apply_mask(parse_mask("a/c"), value) == {"a": [{"c": 2}, {"c": 3}]}
    assert apply_mask(parse_mask("*"), value) == value


def test_colors():
    """A colour comes back in steps of 1/255, as a 32-bit float, without zeros."""
    assert stored_color({"red": 1, "green": 0, "blue": 0.5}) == {"red": 1, "blue": 0.49803922}
