"""Concurrent calls, as data: bursts of one kind each, with mostly equal options."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gspread.utils import (
    ValueRenderOption,
    absolute_range_name,
    rowcol_to_a1,
)
from hypothesis import strategies as st

from .books import NAMES, TITLES

SPREADSHEET = "book"
"""Stands for the spreadsheet's id among the arguments."""


@dataclass(frozen=True)
class Call:
    """A call of one caller.

    Attributes:
        kind: Of the object that it is made on.
        method: The method's name.
        args: Its positional arguments.
        kwargs: The others.
        sheet: The place of the worksheet that it is made on.
        http_timeout: What the caller's client was told of time-outs.
        is_gone: Whether the caller gives up before the call begins.
        max_age: How old the answers to its reads may be, in seconds.

    """

    kind: str
    method: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    sheet: int = 0
    http_timeout: float | None = None
    is_gone: bool = False
    max_age: float = 0.0


def rarely(strategy, other, share=10):
    """Draw from the other once in a while."""
    return st.integers(0, share).flatmap(lambda number: other if number == share else strategy)


FILLED = st.sampled_from(("x", "new", 1, -2.5, True, False, 0, "+1", "-3", "12/24/2026", "1e3"))
BLANK = st.sampled_from(
    (
        *(None, None, None, "", "", "", "'", "'", " ", "\t", "=A1", '=""', "'x", "+A1", "+1 555"),
        *("-", "@", "-x", "=B9", "\u00a0"),
    )
)
ODD = st.sampled_from(
    (float("nan"), float("inf"), 1e308, 10**30, "\ud800", b"b", [1], {"a": 1}, "x" * 50_001)
)
ODD_CELLS = rarely(rarely(FILLED, BLANK, 9), ODD, 60)
ANY_CELLS = rarely(rarely(FILLED, BLANK, 4), ODD, 60)

BAD = st.sampled_from(
    (
        *("A0", "", "nope", "A1:", "ZZZ9", "A99", "Missing!A1", "A1:B2:C3", "R1C1", "R2C1:R3C2"),
        *("A", "1", "A:B", "2:3", "A2:B", "$A$1", "a1", "B2:A1", *NAMES, "A1 ", "RC", "A1:1"),
        *("\ud800", "H1:Z1", "A14:C99"),
    )
)
CORNERS = st.tuples(st.integers(1, 5), st.integers(1, 5))


@st.composite
def ranges(draw, bad=25):
    """Draw a range of a sheet, without its title."""
    if draw(st.integers(0, bad)) == 0:
        return draw(BAD)
    row, column = draw(CORNERS)
    first = rowcol_to_a1(row, column)
    height, width = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    if not height and not width:
        return first
    return f"{first}:{rowcol_to_a1(row + height, column + width)}"


class Scene:
    """What the calls of a history are drawn for."""

    def __init__(self, book):
        self.pages = book.pages
        self.sheets = st.integers(0, len(book.pages) - 1)

    def title(self, sheet):
        return self.pages[sheet].title

    @st.composite
    @staticmethod
    def ranges(draw, self, sheet):
        """Draw a range with a sheet's title, written in one way or another."""
        title, cells = self.title(sheet), draw(ranges())
        way = draw(st.integers(0, 11))
        if way == 0:
            return f"{title}!{cells}"
        if way == 1:
            return cells
        if way == 2:
            return f"{absolute_range_name(title.swapcase())}!{cells}"
        if way == 3:
            return draw(st.sampled_from((title, absolute_range_name(title), *NAMES, *TITLES)))
        return absolute_range_name(title, cells)


INPUTS = ("RAW", "USER_ENTERED")
RENDERS = (*ValueRenderOption, None)


def low_level(on_spreadsheet, method, args, **kwargs):
    if on_spreadsheet:
        return Call("spreadsheet", method, args, kwargs)
    return Call("http_client", method, (SPREADSHEET, *args), kwargs)
