"""Bursts of reads."""

from __future__ import annotations

from gspread.utils import Dimension
from hypothesis import strategies as st

from .books import NAMES, TITLES
from .calls import RENDERS, SPREADSHEET, Call, low_level, ranges

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
    """Draw reads of all sorts."""
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
                calls.append(low_level(way == 5, "values_get", (where, dict(params))))
            else:
                several = [where, *draw(st.lists(scene.ranges(scene, sheet), max_size=2))]
                calls.append(low_level(way == 5, "values_batch_get", (several, dict(params))))
        elif way == 7:
            calls.append(low_level(draw(st.booleans()), "fetch_sheet_metadata", (draw(about),)))
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
