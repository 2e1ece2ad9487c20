"""Bursts of writes to known places, and of clearings."""

from __future__ import annotations

import gspread
from gspread.utils import Dimension, rowcol_to_a1
from hypothesis import strategies as st

from .calls import ANY_CELLS, BAD, CORNERS, FILLED, INPUTS, Call, low_level, ranges, rarely


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
    """Draw writes to known places; some overlap."""
    home = draw(scene.sheets)
    option, echo = draw(st.sampled_from(INPUTS)), draw(rarely(st.just({}), ECHOES, 3))
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
            label = draw(rarely(st.just(rowcol_to_a1(row, column)), BAD))
            calls.append(Call("worksheet", "update_acell", (label, value), **on_sheet))
        elif way < 5:
            kwargs = {"raw": chosen == "RAW"}
            if draw(st.integers(0, 5)) == 0:
                kwargs["major_dimension"] = draw(st.sampled_from(tuple(Dimension)))
            if draw(st.integers(0, 9)) == 0:
                kwargs["include_values_in_response"] = draw(st.booleans())
            where = draw(rarely(ranges(), st.none(), 12))
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
                rarely(
                    st.just({}),
                    st.sampled_from(
                        ({"majorDimension": "COLUMNS"}, {"range": where}, {"range": "A1"})
                    ),
                    6,
                )
            )
            params = {"valueInputOption": chosen} | draw(rarely(st.just(echo), ECHOES, 8))
            calls.append(low_level(way == 7, "values_update", (where, params, body)))
        else:
            body = {"valueInputOption": chosen, "data": draw(_data(scene, sheet, True))}
            body |= draw(rarely(st.just(echo), ECHOES, 8))
            calls.append(low_level(draw(st.booleans()), "values_batch_update", (), body=body))
    return calls


@st.composite
def clears(draw, scene):
    """Draw clearings; bad ranges among them."""
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
            calls.append(low_level(draw(st.booleans()), "values_clear", (where,)))
        else:
            body = {"ranges": [draw(scene.ranges(scene, sheet)) for _ in several]}
            calls.append(low_level(draw(st.booleans()), "values_batch_clear", (), body=body))
    return calls
