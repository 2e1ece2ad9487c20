"""Bursts of appends: most may share a request, and some almost."""

from __future__ import annotations

from gspread.utils import InsertDataOption, ValueInputOption, absolute_range_name
from hypothesis import strategies as st

from .calls import BLANK, FILLED, INPUTS, ODD_CELLS, Call, low_level

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
def _rows(draw, widths, cells):
    """Draw a few rows, full and equally wide mostly."""
    way, width = draw(st.integers(0, 24)), draw(widths)
    height = 1 if draw(st.integers(0, 4)) else draw(st.integers(0, 3))
    each = [draw(widths) if way == 0 else width for _ in range(height)]
    rows = [[draw(cells) for _ in range(size)] for size in each]
    if way in (1, 2) and rows and rows[-1]:
        rows[-1][draw(st.integers(0, len(rows[-1]) - 1))] = draw(BLANK)
    if way == 3 and rows:
        rows[0] = [draw(BLANK)] * (width - draw(st.integers(0, 1)))
    return rows


_BODIES = (
    {"majorDimension": "COLUMNS"},
    {"majorDimension": "ROWS"},
    {"majorDimension": "X"},
    {"range": "A1"},
    {"nonsense": 1},
)


@st.composite
def appends(draw, scene):
    """Draw appends to one sheet mostly, with equal options mostly."""
    home, option = draw(scene.sheets), draw(st.sampled_from((*ValueInputOption, "RAW")))
    usual = draw(_TIDY) if draw(st.integers(0, 5)) else draw(_WILD)
    width, cells = draw(st.integers(1, 3)), FILLED if draw(st.integers(0, 9)) else ODD_CELLS
    widths = st.just(width) if draw(st.booleans()) else st.sampled_from((width, width, 1, 2, 3, 4))
    calls = []
    for _ in range(draw(st.integers(3, 9))):
        sheet = home if draw(st.integers(0, 19)) else draw(scene.sheets)
        options = {"value_input_option": option, **usual}
        if draw(st.integers(0, 19)) == 0:
            options = {"value_input_option": draw(st.sampled_from(INPUTS)), **draw(_TIDY | _WILD)}
        rows = draw(_rows(widths, cells))
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
    return low_level(draw(st.booleans()), "values_append", (where, params, body))
