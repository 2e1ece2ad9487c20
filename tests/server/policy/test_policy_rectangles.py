"""What gspread may make of a few arguments on the server: rectangles up to a bound, and no more."""

from __future__ import annotations

import ast
import inspect
import math
from pathlib import Path
from types import SimpleNamespace

import gspread
import pytest
from calls import WORKSHEET, send
from flood import memory_of
from gate import response
from gspread import Cell

from queued_gspread.errors import CallRefusedError
from queued_gspread.protocol.messages import Job
from queued_gspread.server.policy import rectangles
from queued_gspread.server.policy.rectangles import MOST_CELLS, MOST_OBJECTS
from queued_gspread.server.policy.request import Exchange, Response
from queued_gspread.server.replay.advance import Done, Needs, advance

HUGE = 10**9
FOUND = {"properties": WORKSHEET["properties"]}
# What Google answers, whatever was asked for.
ANSWER = {
    "range": "Sheet!A1:B1",
    "majorDimension": "ROWS",
    "values": [["x"]],
    "sheets": [FOUND],
}
BOOK = {"spreadsheet": {"id": "lane"}, "properties": {"id": "lane", "title": "Book"}}


def sheet(rows=10, columns=5):
    """Return a worksheet of that size, as its caller tells it."""
    grid = {"rowCount": rows, "columnCount": columns}
    return {**WORKSHEET, "properties": {**WORKSHEET["properties"], "gridProperties": grid}}


def corners(rows, columns):
    return [Cell(1, 1, "a"), Cell(rows, columns, "b")]


def outcome(method, *args, target=None, kind="worksheet", answer=(), **kwargs):
    """Run a call over one answer for all of its requests; return its reply."""
    body, exchanges = Job(kind, method, target or sheet(), args, kwargs).encode(), []
    while isinstance(step := advance(body, exchanges), Needs):
        exchanges.append(Exchange(step.request, Response(response(ANSWER | dict(answer)))))
    assert isinstance(step, Done)
    return step.reply


TOO_LARGE = {
    "two corners": ("update_cells", (corners(5000, 5000),), {}),
    "two corners beyond all numbers": ("update_cells", (corners(10**4000, 10**4000),), {}),
    "a distance that is lost between floats": (
        "update_cells",
        ([Cell(2**76 - 4_000_000, 1), Cell(2.0**76, 1)],),
        {},
    ),
    "a column that is no number": ("update_cells", ([Cell(1, math.nan), Cell(HUGE, 1)],), {}),
    "rows of nothing": ("range", (f"1:{HUGE}",), {"target": sheet(columns=0)}),
    "a label": ("range", ("A1:ZZZ1000000",), {}),
    "numbers": ("range", (1, 1, HUGE, HUGE), {}),
    "a name": ("range", (), {"name": "A1:ZZ9999999"}),
    "open columns": ("range", ("A:ZZZ",), {"target": sheet(rows=1_000_000)}),
    "a sheet of its caller's": ("range", ("A:B",), {"target": sheet(rows=HUGE)}),
    "a sheet's columns": ("range", ("1:2",), {"target": sheet(columns=HUGE)}),
    "all of a sheet": ("get_all_cells", (), {"answer": {"range": "Sheet!A1:Z1000000"}}),
    "a spreadsheet's range": (
        "named_range",
        ("A1:ZZZ1000000",),
        {"kind": "spreadsheet", "target": BOOK},
    ),
    "a size to keep": ("get", ("A1:ZZZ1000000",), {"maintain_size": True}),
    "a search": ("find", ("x",), {"answer": {"values": [["x"] * 2_000, *[[]] * 2_000]}}),
    "a search that names no row": (
        "find",
        ("x", None, None, False),
        {"answer": {"values": [["x"] * 2_000, *[[]] * 2_000]}},
    ),
    "a search of all": ("findall", ("x",), {"answer": {"values": [["x"] * 2_000, *[[]] * 2_000]}}),
}


@pytest.mark.parametrize(("method", "args", "more"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_rectangle_above_the_bound_is_refused(method, args, more):
    """Whatever names it, a rectangle that is too large is not made: the error tells its size."""
    error = outcome(method, *args, **more).error
    assert isinstance(error, CallRefusedError)
    assert f".{method} makes a rectangle of " in str(error)
    assert f"{MOST_CELLS if method == 'get' else MOST_OBJECTS:,} at the most" in str(error)


def test_what_is_refused_is_not_sent():
    """Two cells too far apart are refused before there is a request."""
    body = Job("worksheet", "update_cells", sheet(), (corners(5000, 5000),)).encode()
    assert isinstance(advance(body, ()), Done)


FITS = {
    "cells": ("update_cells", (corners(2000, 1250),), {}),
    "a range": ("range", ("A1:B3",), {}),
    "a size to keep": ("get", ("A1:C3",), {"maintain_size": True}),
    "a search in a row": ("find", ("x", 1), {"answer": {"values": [["x"] * 2_000, *[[]] * 2_000]}}),
    "a search in a column": (
        "findall",
        ("x",),
        {"in_column": 1, "answer": {"values": [["x"] * 2_000, *[["y"]] * 2_000]}},
    ),
    "padded values": ("get_all_values", (), {"answer": {"values": [["x"] * 2_000, *[[]] * 2_000]}}),
}


@pytest.mark.parametrize(("method", "args", "more"), FITS.values(), ids=FITS)
def test_a_rectangle_within_the_bound_is_made(method, args, more):
    """What is not too large is made by gspread, as ever."""
    assert outcome(method, *args, **more).error is None


@pytest.mark.parametrize("cells", [[Cell("1", 1)], [Cell(None, 1)], ["no cell"], []])
def test_what_gspread_cannot_use_has_gspreads_own_error(cells):
    """Cells that are none fail as with plain gspread."""
    expected = None
    try:
        gspread.utils.cell_list_to_rect(cells)
    except Exception as error:  # noqa: BLE001 - whatever gspread raises
        expected = error
    found = outcome("update_cells", cells).error
    assert (type(found), str(found)) == (type(expected), str(expected)) or not cells


@pytest.mark.parametrize("method", ["acell", "expand", "merge_cells"])
def test_a_label_of_many_letters_is_no_label(method):
    """Columns of thousands of letters, whose numbers take minutes to work out, are refused."""
    error = outcome(method, "A" * 300_000 + "1").error
    assert isinstance(error, gspread.exceptions.IncorrectCellLabel)
    assert len(str(error)) < 100


def test_a_range_of_many_letters_is_none(monkeypatch):
    """One is not searched for its corners, which would stop all threads for seconds."""
    searched = []
    monkeypatch.setattr(gspread.utils, "A1_ADDR_FULL_RE", SimpleNamespace(search=searched.append))
    error = outcome("get", "A" * 10_000, maintain_size=True).error
    assert isinstance(error, gspread.exceptions.IncorrectCellLabel)
    assert searched == []


def test_a_call_beside_the_servers_is_not_bounded(monkeypatch):
    """Whoever uses gspread in the server's process has it as it is."""
    monkeypatch.setattr(rectangles, "MOST_CELLS", 1)
    assert gspread.worksheet.fill_gaps([["a"]], 2, 2) == [["a", ""], ["", ""]]
    assert gspread.worksheet.a1_to_rowcol("A" * 1_001 + "1")


def _grows(node):
    """Tell whether an expression makes as much as a number says: a list times it, or a range."""
    is_times = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)
    is_range = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "range"
    return is_range or (is_times and isinstance(node.left, ast.List))


def test_gspread_makes_much_of_little_nowhere_else():
    """Where gspread makes as much as a number says is known; another place has to be looked at."""
    found = set()
    for path in Path(inspect.getfile(gspread)).parent.glob("*.py"):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef) and any(map(_grows, ast.walk(function))):
                found.add(function.name)
    bounded = {"fill_gaps", "rightpad", "cell_list_to_rect"}
    of_values = {"combined_merge_values", "numericise_all", "_expand_bottom"}
    assert found == bounded | of_values


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_small_job_takes_no_memory_to_be_refused(start_process, callers):
    """A server that is asked for 25 million cells by a job of some 400 bytes stays as it is."""
    server = start_process()
    body = Job("worksheet", "update_cells", WORKSHEET, (corners(5000, 5000),)).encode()
    before = memory_of(server.process.pid, "VmHWM")
    assert isinstance(send(callers, body).error, CallRefusedError)
    assert memory_of(server.process.pid, "VmHWM") - before < 30
