"""What JSON does not take among the values of a call: gspread's error, word for word."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import io
import math
import pathlib
import re
import types
import uuid

import gspread
import pytest
from numpy_like import Int64
from subclasses import Bag, Raw


@dataclasses.dataclass
class Order:
    number: int = 1


class Level(enum.Enum):
    LOW = 1


STRANGERS = {
    "pattern": re.compile("x"),
    "pattern of bytes": re.compile(b"x"),
    "datetime": dt.datetime(2026, 1, 2, tzinfo=dt.timezone.utc),
    "date": dt.date(2026, 1, 2),
    "time": dt.time(1, 2),
    "timedelta": dt.timedelta(1),
    "time zone": dt.timezone.utc,
    "Decimal": decimal.Decimal("1.5"),
    "Fraction": fractions.Fraction(1, 2),
    "complex": 1j,
    "set": {1},
    "frozenset": frozenset([1]),
    "own set": Bag([1]),
    "bytes": b"x",
    "own bytes": Raw(b"x"),
    "bytearray": bytearray(b"x"),
    "memoryview": memoryview(b"x"),
    "array": array.array("i", [1]),
    "deque": collections.deque([1]),
    "mapping": types.MappingProxyType({"a": 1}),
    "keys": {1: 2}.keys(),
    "range": range(2),
    "numpy's int": Int64(1),
    "enum": Level.LOW,
    "dataclass": Order(),
    "UUID": uuid.UUID(int=1),
    "path": pathlib.PurePosixPath("x"),
    "file": io.StringIO("x"),
    "class": Order,
    "function": len,
    "exception": ValueError("x"),
    "cell": gspread.Cell(1, 1, "x"),
    "NaN": math.nan,
    "infinity": -math.inf,
    "key": {(1,): 2},
}
WAYS = {
    "append_row": lambda ws, odd: ws.append_row(["a", odd]),
    "append_rows": lambda ws, odd: ws.append_rows([["a"], [odd]]),
    "insert_row": lambda ws, odd: ws.insert_row([odd]),
    "update": lambda ws, odd: ws.update([[odd]], "B2"),
    "update_cell": lambda ws, odd: ws.update_cell(1, 1, odd),
    "batch_update": lambda ws, odd: ws.batch_update([{"range": "A1", "values": [[odd]]}]),
    "update_cells": lambda ws, odd: ws.update_cells([gspread.Cell(1, 1, odd)]),
    "format": lambda ws, odd: ws.format("A1", {"textFormat": {"bold": odd}}),
    "values_update": lambda ws, odd: ws.client.values_update(
        ws.spreadsheet_id, "A1", {"valueInputOption": "RAW"}, {"values": [[odd]]}
    ),
    "request": lambda ws, odd: ws.client.request(
        "post", gspread.urls.SPREADSHEETS_API_V4_BASE_URL, json=[odd]
    ),
}


@pytest.fixture(scope="module")
def plain(emulator):
    return emulator.gspread_client().create("Plain").sheet1


def error_of(call, *args):
    with pytest.raises(Exception) as caught:
        call(*args)
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize("way", WAYS)
def test_a_value_that_is_no_json_is_gspreads_error(way, ws, plain):
    """A call with a value that JSON does not take raises what plain gspread raises."""
    told = {name: error_of(WAYS[way], ws, odd) for name, odd in STRANGERS.items()}
    assert told == {name: error_of(WAYS[way], plain, odd) for name, odd in STRANGERS.items()}
