"""Starting states: spreadsheets with odd titles, tables and what stands below and beside them."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from queued_gspread.emulator.book.a1 import Rect
from queued_gspread.emulator.book.sheet import Sheet
from queued_gspread.emulator.values.entry import write

TITLES = (
    *("Sheet1", "Sheet 2", "Bob's", "A1", "R1C1", "AB12", "Ünïcode ☃", "sheet1", "100 %!"),
    *("a'!b", "Sheet1!A1", "'", "''quoted''", "x/y:z", "  ", "Corner", "=SUM(A1)", "ß", "SS"),
)
NAMES = ("Corner", "Rows", "Cells")


@dataclass(frozen=True)
class Block:
    """Values from a cell on; None leaves a cell empty."""

    top: int
    left: int
    values: tuple[tuple[object, ...], ...]


@dataclass(frozen=True)
class Page:
    """A sheet."""

    title: str
    rows: int
    columns: int
    blocks: tuple[Block, ...] = ()
    merge: Rect | None = None


@dataclass(frozen=True)
class Book:
    """A spreadsheet."""

    pages: tuple[Page, ...]
    names: tuple[tuple[str, int, tuple[int, int, int, int]], ...] = ()

    def fill(self, book):
        """Give an empty spreadsheet of the emulator this state."""
        book.sheets[:] = [_sheet(place, page) for place, page in enumerate(self.pages)]
        book.named_ranges[:] = [
            {"namedRangeId": str(100 + place), "name": name, "range": _range(sheet, rect)}
            for place, (name, sheet, rect) in enumerate(self.names)
        ]


def sheet_id(place):
    """Return the id of the sheet at a place; the first one has Google's 0."""
    return place * 11


def _sheet(place, page):
    made = Sheet(sheet_id(place), page.title, page.rows, page.columns)
    for block in page.blocks:
        for row, line in enumerate(block.values, block.top):
            for column, value in enumerate(line, block.left):
                if value is not None:
                    made.grid.grow(row + 1, column + 1)
                    cell = write(made.grid.get(row, column), value, "USER_ENTERED", 2026)
                    made.grid.put(row, column, cell)
    if page.merge is not None:
        made.grid.grow(page.merge.end_row, page.merge.end_column)
        made.merges.append(page.merge)
    return made


def _range(sheet, rect):
    top, bottom, left, right = rect
    return {
        **({"sheetId": sheet_id(sheet)} if sheet else {}),
        "startRowIndex": top,
        "endRowIndex": bottom,
        "startColumnIndex": left,
        "endColumnIndex": right,
    }


VALUES = ("x", "y", 1, 2.5, True, "=A1", "=SUM(A1:A9)", "='Sheet1'!A1&\"\"", "1/2/2026", "7 %")


_CORNER = st.sampled_from((0, 0, 0, 1, 2))


@st.composite
def _tables(draw):
    """Draw a table, with gaps perhaps, and what stands below it and beside it."""
    top, left = draw(_CORNER), draw(_CORNER)
    height, width = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    cells = st.sampled_from(draw(st.sampled_from((VALUES, (*VALUES, None, None, None)))))
    rows = [tuple(draw(cells) for _ in range(width)) for _ in range(height)]
    blocks = [Block(top, left, tuple(rows))]
    if draw(st.booleans()):
        totals = ("TOTAL", *["=SUM(A1:A3)"] * draw(st.integers(0, 2)))
        lower = top + height + draw(st.integers(1, 4))
        blocks.append(Block(lower, max(left + draw(st.integers(-1, 2)), 0), (totals,)))
    if draw(st.booleans()):
        beside = [(draw(cells),) for _ in range(draw(st.integers(1, 3)))]
        right = left + width + draw(st.integers(0, 2))
        blocks.append(Block(top + draw(st.integers(0, 4)), right, tuple(beside)))
    return blocks


@st.composite
def _strays(draw):
    """Draw a cell somewhere."""
    value = draw(st.sampled_from(VALUES))
    return Block(draw(st.integers(0, 7)), draw(st.integers(0, 6)), ((value,),))


@st.composite
def _pages(draw, title):
    blocks = []
    for _ in range(draw(st.sampled_from((0, 1, 1, 1, 2)))):
        blocks += draw(_tables())
    if draw(st.integers(0, 3)) == 0:
        blocks.append(draw(_strays()))
    merge = None
    if draw(st.integers(0, 7)) == 0:
        top, left = draw(st.integers(0, 3)), draw(st.integers(0, 3))
        merge = Rect(top, top + draw(st.integers(1, 2)), left, left + 2)
    size = draw(st.integers(1, 14)), draw(st.integers(1, 8))
    return Page(title, *size, tuple(blocks), merge)


@st.composite
def books(draw):
    """Draw a spreadsheet of one to three sheets."""
    titles = draw(st.lists(st.sampled_from(TITLES), min_size=1, max_size=3, unique_by=str.casefold))
    pages = tuple(draw(_pages(title)) for title in titles)
    names = []
    for name in NAMES[: draw(st.integers(0, 2))]:
        top, left = draw(st.integers(0, 3)), draw(st.integers(0, 3))
        rect = (top, top + draw(st.integers(1, 3)), left, left + draw(st.integers(1, 3)))
        names.append((name, draw(st.integers(0, len(pages) - 1)), rect))
    return Book(pages, tuple(names))
