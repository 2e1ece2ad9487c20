"""Concurrent calls, as data: bursts of one kind each, with mostly equal options."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import gspread
from gspread.utils import (
    Dimension,
    InsertDataOption,
    ValueInputOption,
    ValueRenderOption,
    absolute_range_name,
    rowcol_to_a1,
)
from hypothesis import strategies as st

from .books import NAMES, TITLES, sheet_id

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

    """

    kind: str
    method: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    sheet: int = 0
    http_timeout: float | None = None
    is_gone: bool = False


def _rarely(strategy, other, share=10):
    """Draw from the other once in a while."""
    return st.integers(0, share).flatmap(lambda number: other if number == share else strategy)


FILLED = st.sampled_from(("x", "new", 1, -2.5, True, False, 0, "+1", "-3", "12/24/2026", "1e3"))
BLANK = st.sampled_from(
    (None, "", " ", "\t", "=A1", '=""', "'", "'x", "+A1", "+1 555", "-", "@", "-x", "=B9", "\u00a0")
)
ODD = st.sampled_from(
    (float("nan"), float("inf"), 1e308, 10**30, "\ud800", b"b", [1], {"a": 1}, "x" * 50_001)
)
ODD_CELLS = _rarely(_rarely(FILLED, BLANK, 9), ODD, 60)
ANY_CELLS = _rarely(_rarely(FILLED, BLANK, 4), ODD, 60)

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
    """A range of a sheet, without its title."""
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
        """A range with a sheet's title, written in one way or another."""
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


# Appends ----------------------------------------------------------------------------------------


INSERT = InsertDataOption.insert_rows
# What appends may share a request with, and with what they may not.
_TIDY = st.sampled_from(
    (
        {},
        {},
        {"insert_data_option": INSERT},
        {"insert_data_option": INSERT, "table_range": "A1"},
        {"insert_data_option": INSERT, "table_range": "A1:C3"},
        {"insert_data_option": INSERT, "table_range": "B2"},
        {"insert_data_option": INSERT, "table_range": "A1:E9"},
        {"insert_data_option": InsertDataOption.overwrite},
    )
)
_WILD = st.sampled_from(
    (
        {"table_range": "A1"},
        {"table_range": "A1:C3"},
        {"table_range": "B2", "insert_data_option": InsertDataOption.overwrite},
        {"table_range": "A1:B", "insert_data_option": INSERT},
        {"table_range": "nope"},
        {"table_range": "Corner", "insert_data_option": INSERT},
        {"include_values_in_response": True},
        {"include_values_in_response": False},
        {"insert_data_option": "X"},
    )
)


@st.composite
def _rows(draw, width, cells):
    """A few rows as wide as others mostly, full mostly."""
    way = draw(st.integers(0, 19))
    height = 1 if draw(st.integers(0, 4)) else draw(st.integers(0, 3))
    widths = [width] * height
    if way == 0:
        widths = [draw(st.integers(0, 4)) for _ in range(height)]
    elif way < 3:
        widths = [draw(st.integers(1, 4))] * height
    rows = [[draw(cells) for _ in range(size)] for size in widths]
    if way in (4, 5) and height and width:
        rows[-1][draw(st.integers(0, width - 1))] = draw(BLANK)
    return rows


_BODIES = (
    {"majorDimension": "COLUMNS"},
    {"majorDimension": "ROWS"},
    {"range": "A1"},
    {"nonsense": 1},
)


@st.composite
def appends(draw, scene):
    """Appends to one sheet mostly, with equal options mostly."""
    home, option = draw(scene.sheets), draw(st.sampled_from((*ValueInputOption, "RAW")))
    usual = draw(_TIDY) if draw(st.integers(0, 5)) else draw(_WILD)
    width, cells = draw(st.integers(1, 3)), ODD_CELLS if not draw(st.integers(0, 9)) else FILLED
    calls = []
    for _ in range(draw(st.integers(2, 9))):
        sheet = home if draw(st.integers(0, 19)) else draw(scene.sheets)
        options = {"value_input_option": option, **usual}
        if draw(st.integers(0, 19)) == 0:
            options = {"value_input_option": draw(st.sampled_from(INPUTS)), **draw(_TIDY | _WILD)}
        rows = draw(_rows(width, cells))
        way = draw(st.integers(0, 7))
        if way < 4 and rows:
            calls.append(Call("worksheet", "append_row", (rows[0],), options, sheet))
        elif way < 6:
            calls.append(Call("worksheet", "append_rows", (rows,), options, sheet))
        else:
            calls.append(draw(_values_append(scene, sheet, options, rows)))
    return calls


@st.composite
def _values_append(draw, scene, sheet, options, rows):
    where = absolute_range_name(scene.title(sheet), options.get("table_range"))
    body = {"values": rows}
    way = draw(st.integers(0, 19))
    if way == 0:
        where = draw(scene.ranges(scene, sheet))
    elif way == 1:
        body |= draw(st.sampled_from(_BODIES))
    elif way == 2:
        body["range"] = where
    names = {"value_input_option": "valueInputOption", "insert_data_option": "insertDataOption"}
    params = {new: options.get(old) for old, new in names.items()}
    return _low_level(draw(st.booleans()), "values_append", (where, params, body))


def _low_level(on_spreadsheet, method, args, **kwargs):
    if on_spreadsheet:
        return Call("spreadsheet", method, args, kwargs)
    return Call("http_client", method, (SPREADSHEET, *args), kwargs)


# Updates ----------------------------------------------------------------------------------------


@st.composite
def _matrix(draw):
    height, width = draw(st.integers(0, 2)), draw(st.integers(1, 3))
    if not draw(st.integers(0, 8)):
        return [[draw(ANY_CELLS) for _ in range(draw(st.integers(0, 3)))] for _ in range(height)]
    return [[draw(ANY_CELLS) for _ in range(width)] for _ in range(height or 1)]


@st.composite
def _data(draw, scene, sheet, absolute):
    items = []
    for _ in range(draw(st.integers(0, 3))):
        where = draw(scene.ranges(scene, sheet)) if absolute else draw(ranges())
        item = {"range": where, "values": draw(_matrix())}
        if draw(st.integers(0, 4)) == 0:
            item["majorDimension"] = draw(st.sampled_from(("COLUMNS", "ROWS", Dimension.cols, "X")))
        items.append(item)
    return items


ECHOES = st.sampled_from(
    (
        {"includeValuesInResponse": True},
        {"includeValuesInResponse": False},
        {"includeValuesInResponse": "false"},
        {"responseValueRenderOption": "FORMULA"},
        {"responseValueRenderOption": "X"},
        {"valueInputOption": "X"},
        {"fields": "updatedCells"},
    )
)


@st.composite
def updates(draw, scene):
    """Writes to known places; some overlap."""
    home = draw(scene.sheets)
    option, echo = draw(st.sampled_from(INPUTS)), draw(_rarely(st.just({}), ECHOES, 3))
    calls = []
    for _ in range(draw(st.integers(2, 7))):
        sheet = home if draw(st.integers(0, 4)) else draw(scene.sheets)
        chosen = option if draw(st.integers(0, 7)) else draw(st.sampled_from(INPUTS))
        way, value = draw(st.integers(0, 9)), draw(ANY_CELLS)
        row, column = draw(CORNERS)
        on_sheet = {"sheet": sheet}
        if way < 2:
            calls.append(Call("worksheet", "update_cell", (row, column, value), **on_sheet))
        elif way == 2:
            label = draw(_rarely(st.just(rowcol_to_a1(row, column)), BAD))
            calls.append(Call("worksheet", "update_acell", (label, value), **on_sheet))
        elif way < 5:
            kwargs = {"raw": chosen == "RAW"}
            if draw(st.integers(0, 5)) == 0:
                kwargs["major_dimension"] = draw(st.sampled_from(tuple(Dimension)))
            if draw(st.integers(0, 9)) == 0:
                kwargs["include_values_in_response"] = draw(st.booleans())
            where = draw(_rarely(ranges(), st.none(), 12))
            calls.append(Call("worksheet", "update", (draw(_matrix()), where), kwargs, **on_sheet))
        elif way == 5:
            data = draw(_data(scene, sheet, False))
            kwargs = {"raw": chosen == "RAW"}
            calls.append(Call("worksheet", "batch_update", (data,), kwargs, **on_sheet))
        elif way == 6:
            cells = [gspread.Cell(row, column + place, draw(FILLED)) for place in range(2)]
            calls.append(Call("worksheet", "update_cells", (cells, chosen), **on_sheet))
        elif way < 9:
            where = draw(scene.ranges(scene, sheet))
            body = {"values": draw(_matrix())} | draw(
                _rarely(st.just({}), st.sampled_from(({"majorDimension": "COLUMNS"}, {"range": where}, {"range": "A1"})), 6)
            )
            params = {"valueInputOption": chosen} | draw(_rarely(st.just(echo), ECHOES, 8))
            calls.append(_low_level(way == 7, "values_update", (where, params, body)))
        else:
            body = {"valueInputOption": chosen, "data": draw(_data(scene, sheet, True))}
            body |= draw(_rarely(st.just(echo), ECHOES, 8))
            calls.append(_low_level(draw(st.booleans()), "values_batch_update", (), body=body))
    return calls


# Clearings --------------------------------------------------------------------------------------


@st.composite
def clears(draw, scene):
    """Clearings; bad ranges among them."""
    calls = []
    for _ in range(draw(st.integers(2, 5))):
        sheet, way = draw(scene.sheets), draw(st.integers(0, 4))
        several = [draw(ranges()) for _ in range(draw(st.integers(0, 2)))]
        if way == 0:
            calls.append(Call("worksheet", "clear", sheet=sheet))
        elif way < 3:
            calls.append(Call("worksheet", "batch_clear", (several,), sheet=sheet))
        elif way == 3:
            where = draw(scene.ranges(scene, sheet))
            calls.append(_low_level(draw(st.booleans()), "values_clear", (where,)))
        else:
            body = {"ranges": [draw(scene.ranges(scene, sheet)) for _ in several]}
            calls.append(_low_level(draw(st.booleans()), "values_batch_clear", (), body=body))
    return calls


# Reads ------------------------------------------------------------------------------------------

_FLAGS = st.sampled_from(("true", "false", True, False, 1, 0, "True"))
_PARAMS = st.sampled_from(
    (
        st.fixed_dictionaries({"includeGridData": _FLAGS}),
        st.fixed_dictionaries({"fields": st.sampled_from(("sheets.properties", "x", None))}),
        st.fixed_dictionaries({"ranges": st.sampled_from(("A1", b"A1", b"B1", ["A1", "B1"]))}),
        st.none(),
    )
)
_RENDER = st.sampled_from(RENDERS)
_READS_OF_A_SHEET = (
    ("get_all_values", st.just(())),
    ("get_all_records", st.just(())),
    ("get_all_cells", st.just(())),
    ("get_notes", st.just(())),
    ("get", st.tuples(ranges())),
    ("get_values", st.tuples(ranges())),
    ("range", st.tuples(ranges())),
    ("acell", st.tuples(ranges(), _RENDER)),
    ("cell", st.tuples(st.integers(0, 4), st.integers(1, 4))),
    ("row_values", st.tuples(st.integers(0, 4))),
    ("col_values", st.tuples(st.integers(1, 4), _RENDER)),
    ("find", st.tuples(st.sampled_from(("x", "1", "TOTAL")))),
    ("findall", st.tuples(st.sampled_from(("x", "1", "TOTAL")))),
    ("expand", st.tuples(ranges())),
    ("batch_get", st.tuples(st.lists(ranges(), max_size=3))),
    ("get", st.tuples(ranges(), st.sampled_from((*Dimension, None)), _RENDER)),
)
_ASKED = (
    {},
    {},
    {"majorDimension": "COLUMNS"},
    {"majorDimension": b"COLUMNS"},
    {"majorDimension": b"ROWS"},
    {"valueRenderOption": "UNFORMATTED_VALUE"},
    {"valueRenderOption": None},
    {"dateTimeRenderOption": "X"},
    {"fields": "values"},
)


@st.composite
def reads(draw, scene):
    """Reads of all sorts."""
    home, usual, about = draw(scene.sheets), draw(st.sampled_from(_ASKED)), draw(_PARAMS)
    chance = draw(st.integers(0, 1))
    calls = []
    for _ in range(draw(st.integers(2, 7))):
        sheet = home if draw(st.integers(0, 2)) else draw(scene.sheets)
        way = draw(st.integers(5 * chance, 9))
        if way < 5:
            method, args = draw(st.sampled_from(_READS_OF_A_SHEET))
            calls.append(Call("worksheet", method, draw(args), sheet=sheet))
        elif way < 7:
            params = usual if draw(st.integers(0, 3)) else draw(st.sampled_from(_ASKED))
            where = draw(scene.ranges(scene, sheet))
            if draw(st.booleans()):
                calls.append(_low_level(way == 5, "values_get", (where, dict(params))))
            else:
                several = [where, *draw(st.lists(scene.ranges(scene, sheet), max_size=2))]
                calls.append(_low_level(way == 5, "values_batch_get", (several, dict(params))))
        elif way == 7:
            calls.append(_low_level(draw(st.booleans()), "fetch_sheet_metadata", (draw(about),)))
        elif way == 8:
            method, args = draw(st.sampled_from(_READS_OF_A_BOOK))
            calls.append(Call("spreadsheet", method, draw(args)))
        else:
            calls.append(Call("http_client", "spreadsheets_get", (SPREADSHEET, draw(about))))
    return calls


_READS_OF_A_BOOK = (
    ("worksheets", st.just(())),
    ("worksheet", st.tuples(st.sampled_from(TITLES))),
    ("get_worksheet", st.tuples(st.integers(0, 3))),
    ("get_worksheet_by_id", st.tuples(st.sampled_from((0, 11, "22", "x")))),
    ("list_named_ranges", st.just(())),
    ("named_range", st.tuples(st.sampled_from(NAMES))),
    ("list_protected_ranges", st.tuples(st.sampled_from((0, 11)))),
)


# Batches ----------------------------------------------------------------------------------------

_INDEX = st.integers(0, 6)
_SPANS = st.tuples(_INDEX, st.integers(1, 7))
_FORMATS = st.sampled_from(
    (
        {"textFormat": {"bold": True}},
        {"numberFormat": {"type": "TEXT"}},
        {"backgroundColor": {"red": 1}},
        {"horizontalAlignment": "NOWHERE"},
        {},
    )
)
_BATCHES = (
    ("format", st.tuples(ranges(), _FORMATS)),
    ("format", st.tuples(ranges(), _FORMATS)),
    (
        "batch_format",
        st.tuples(
            st.lists(st.fixed_dictionaries({"range": ranges(), "format": _FORMATS}), max_size=2)
        ),
    ),
    ("insert_note", st.tuples(ranges(), st.sampled_from(("note", "")))),
    ("insert_notes", st.tuples(st.dictionaries(ranges(), st.just("n"), max_size=2))),
    ("clear_note", st.tuples(ranges())),
    ("freeze", st.tuples(st.sampled_from((0, 1, 99)), st.sampled_from((None, 1)))),
    ("add_rows", st.tuples(st.sampled_from((1, 3, -1)))),
    ("add_cols", st.tuples(st.sampled_from((1, 2)))),
    ("resize", st.tuples(st.integers(0, 9), st.integers(1, 9))),
    ("delete_rows", _SPANS),
    ("delete_columns", _SPANS),
    ("merge_cells", st.tuples(ranges())),
    ("unmerge_cells", st.tuples(ranges())),
    ("define_named_range", st.tuples(ranges(), st.sampled_from((*NAMES, "New", "bad name")))),
    ("delete_named_range", st.tuples(st.sampled_from(("100", "101", "x")))),
    ("update_title", st.tuples(st.sampled_from(TITLES))),
    ("update_index", st.tuples(_INDEX)),
    ("update_tab_color", st.tuples(st.sampled_from(("#ff0000", "#00ff00")))),
    ("hide", st.just(())),
    ("show", st.just(())),
    ("hide_rows", _SPANS),
    ("sort", st.tuples(st.sampled_from(((1, "asc"), (2, "des"))))),
    ("copy_range", st.tuples(ranges(), ranges())),
    ("cut_range", st.tuples(ranges(), ranges())),
    ("duplicate", st.tuples(st.sampled_from((None, 0)), st.sampled_from((None, 77)))),
    ("set_basic_filter", st.tuples(ranges())),
    ("clear_basic_filter", st.just(())),
    ("add_dimension_group_rows", _SPANS),
    ("add_protected_range", st.tuples(ranges(), st.just(["a@example.com"]))),
)
# As the server sees them: what may be sent twice does not leave with what may not.
_REPEATED = (
    *("format", "batch_format", "insert_note", "insert_notes", "clear_note", "freeze", "hide"),
    *("resize", "update_index", "update_tab_color", "show", "hide_rows", "update_title"),
)
_OFTEN = tuple(pair for pair in _BATCHES if pair[0] in _REPEATED)
_ONCE = tuple(pair for pair in _BATCHES if pair[0] not in _REPEATED)
_BATCHES_OF_A_BOOK = (
    (
        "add_worksheet",
        st.tuples(st.sampled_from((*TITLES[:6], "New")), st.integers(0, 9), st.integers(1, 9)),
    ),
    ("del_worksheet_by_id", st.tuples(st.sampled_from((0, 11, 22, 77)))),
    ("duplicate_sheet", st.tuples(st.sampled_from((0, 11, 99)))),
    ("update_title", st.tuples(st.sampled_from(("Other", "", "Book")))),
    ("update_locale", st.tuples(st.sampled_from(("de_DE", "xx")))),
)
_ENTERED = {"userEnteredValue": {"stringValue": "z"}}


@st.composite
def _requests(draw):
    owner = sheet_id(draw(st.integers(0, 2)))
    row, column = draw(CORNERS)
    start = {"sheetId": owner, "rowIndex": row, "columnIndex": column}
    line = {"sheetId": owner, "dimension": "ROWS", "startIndex": row, "endIndex": row + 1}
    return draw(
        st.sampled_from(
            (
                {"appendDimension": {"sheetId": owner, "dimension": "ROWS", "length": 2}},
                {"insertDimension": {"range": line}},
                {"deleteDimension": {"range": line}},
                {
                    "updateCells": {
                        "start": start,
                        "rows": [{"values": [_ENTERED]}],
                        "fields": "userEnteredValue",
                    }
                },
                {
                    "appendCells": {
                        "sheetId": owner,
                        "rows": [{"values": [_ENTERED, _ENTERED]}],
                        "fields": "userEnteredValue",
                    }
                },
                {"findReplace": {"find": "x", "replacement": "q", "allSheets": True}},
                {"addSheet": {}},
                {"addSheet": {"properties": {"title": "New", "sheetId": owner}}},
                {"deleteSheet": {"sheetId": owner}},
                {"nonsense": {}},
                {},
                [],
            )
        )
    )


@st.composite
def batches(draw, scene):
    """Changes of structure and format; some build on those before."""
    home = draw(scene.sheets)
    methods = draw(st.sampled_from((_ONCE, _OFTEN, _BATCHES)))
    calls = []
    for _ in range(draw(st.integers(2, 7))):
        sheet = home if draw(st.integers(0, 3)) else draw(scene.sheets)
        way = draw(st.integers(0, 11)) - 2
        if way < 6:
            method, args = draw(st.sampled_from(methods))
            calls.append(Call("worksheet", method, draw(args), sheet=sheet))
        elif way < 8:
            method, args = draw(st.sampled_from(_BATCHES_OF_A_BOOK))
            calls.append(Call("spreadsheet", method, draw(args)))
        else:
            body = {"requests": draw(st.lists(_requests(), max_size=3))}
            if draw(st.integers(0, 7)) == 0:
                body["includeSpreadsheetInResponse"] = draw(st.booleans())
            calls.append(_low_level(way == 8, "batch_update", (body,)))
    return calls


# What is never merged ---------------------------------------------------------------------------


@st.composite
def barriers(draw, scene):
    """Calls of several requests, and such as end without one."""
    sheet = draw(scene.sheets)
    return [
        draw(
            st.sampled_from(
                (
                    Call("worksheet", "insert_row", (["i", "j"], 1), sheet=sheet),
                    Call("worksheet", "insert_cols", ([["i"]], 1), sheet=sheet),
                    Call("worksheet", "row_values", ("x",), sheet=sheet),
                    Call("worksheet", "no_such_method", sheet=sheet),
                    Call("spreadsheet", "reorder_worksheets", ([],)),
                    Call("http_client", "values_get", ("none", "A1")),
                )
            )
        )
    ]


BURSTS = (appends, appends, appends, updates, updates, updates, clears, reads, batches, barriers)
