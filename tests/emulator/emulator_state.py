"""Stores as they are kept, and what is compared of two of them."""

import itertools
import json
import time
from datetime import datetime, timedelta, timezone

from queued_gspread.emulator.accounts.account import EMAIL
from queued_gspread.emulator.accounts.project import Project
from queued_gspread.emulator.book.cell import Cell
from queued_gspread.emulator.book.grid import Grid
from queued_gspread.emulator.book.ids import Ids
from queued_gspread.emulator.book.sheet import Sheet
from queued_gspread.emulator.book.spreadsheet import SURROUNDINGS, Spreadsheet
from queued_gspread.emulator.book.store import File, Store
from queued_gspread.emulator.storage.file import pieces
from queued_gspread.emulator.storage.state import from_json, put_back, taken, to_json

EPOCH = datetime(2024, 1, 1, tzinfo=timezone.utc)


def new_store(seed=1):
    """Return an empty store; each look at its clock takes a second."""
    ticks = itertools.count()
    return Store(Ids(seed), lambda: EPOCH + timedelta(seconds=next(ticks)), EMAIL)


def new_project():
    return Project(time.monotonic, lambda: "http://127.0.0.1:1")


def written(store, project=None):
    """Return the text of a store's state."""
    return "".join(pieces(to_json(taken(store, project or new_project()))))


def again(store):
    """Return a new store that was made from the text of another's state."""
    other = new_store(seed=2)
    put_back(from_json(json.loads(written(store))), other, new_project())
    return other


def picture(value):
    """Return all that can be told of a value: attributes, order and types."""
    if isinstance(value, Grid):
        last = value.last_filled(value.everything)
        return [value.row_count, value.column_count, last, picture(value.rows)]
    if isinstance(value, Cell):
        return picture(value._asdict())
    if isinstance(value, (File, Spreadsheet, Sheet)):
        kept = {name: part for name, part in vars(value).items() if name not in SURROUNDINGS}
        return picture(kept)
    if isinstance(value, dict):
        return {name: picture(part) for name, part in value.items()}, list(value)
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [picture(part) for part in value]
    shown = value.isoformat() if isinstance(value, datetime) else repr(value)
    return type(value).__name__, shown
