"""Callers that make units, as threads and as tasks, and write down what each call came to."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack, ExitStack

import queued_gspread as gspread
import queued_gspread.asyncio as asynchronous

from .model import ANY, failure
from .serial import Made

__all__ = ["Sheets", "make_all", "make_all_in_loop"]

_ERRORS = (gspread.errors.QueuedGspreadError, gspread.exceptions.APIError)
_PIPELINES = {"waits": {}, "reorders": {"reorder": True}, "forgets": {"wait": False}}


class Sheets:
    """The worksheets of a caller's client: of each spreadsheet the cell's, and the table's.

    Args:
        cells: The first ones.
        tables: The others.
        library: This package, or that of asyncio.

    """

    def __init__(self, cells, tables, library=gspread):
        self._cells, self.tables, self._library = cells, tables, library

    def asked(self, step):
        """Make a call; return its result, which is a coroutine in asyncio."""
        cell, table = self._cells[step.book], self.tables[step.book]
        if step.what == "upsert":
            existing, *pairs = step.args
            rows = [{"key": key, "value": value} for key, value in pairs]
            return self._library.upsert_rows(table, rows, key="key", existing=existing)
        makers = {
            "cell": lambda: cell.acell("A1"),
            "write": lambda: cell.update_acell("A1", step.args[0]),
            "keys": lambda: table.col_values(1),
            "rows": table.get_all_values,
            "append": lambda: table.append_row([*step.args]),
            "bad": lambda: table.update([["x"]], "no range at all"),
        }
        return makers[step.what]()


def _shown(step, result):
    """Return a result as the model has it."""
    if step.what == "append":
        return int(result["updates"]["updatedRange"].rpartition(":")[2].lstrip("AB"))
    if step.what == "upsert":
        return [*result.updated], [*result.appended], [*result.kept]
    if step.what == "cell":
        return result.value or None
    if step.what in ("keys", "rows"):
        return result[1:]
    len(result)  # a lazy one raises its error
    return None


def _outcome(step, get):
    try:
        return _shown(step, get())
    except gspread.errors.PipelineError:
        return ANY
    except _ERRORS as error:
        return failure(type(error).__name__)


def make_all(units, sheets, name, made):
    """Make a caller's units, one after the other."""
    for unit in units:
        one = Made(name, time.monotonic())
        made.append(one)
        _make(unit, sheets, one)
        if unit.pipeline != "forgets":
            one.ended = time.monotonic()


def _make(unit, sheets, made):
    lazy = []
    try:
        with ExitStack() as stack:
            for block in _blocks(unit, sheets):
                stack.enter_context(block)
            _make_steps(unit, sheets, made, lazy)
    except _ERRORS:
        pass  # at the end of a pipeline: each call is asked for its own
    for place, step, future in lazy:
        made.steps[place] = step, _outcome(step, future)


def _blocks(unit, sheets):
    """Return what stands around a unit's calls, from the outside."""
    blocks = []
    if unit.locks:
        blocks.append(gspread.lock(*(sheets.tables[book] for book in unit.locks)))
    if unit.pipeline:
        blocks.append(gspread.pipeline(**_PIPELINES[unit.pipeline]))
    if unit.key:
        blocks.append(gspread.idempotency_key(unit.key))
    return blocks[::-1] if unit.is_outside else blocks


def _make_steps(unit, sheets, made, lazy):
    steps, result = unit.steps(), None
    while True:
        try:
            step = steps.send(result)
        except StopIteration:
            return
        made.steps.append((step, ANY))
        if unit.pipeline:
            lazy.append((len(made.steps) - 1, step, _lazily(sheets, step)))
        else:
            result = _outcome(step, lambda step=step: sheets.asked(step))
            made.steps[-1] = step, result


def _lazily(sheets, step):
    """Put a call in; return what returns its result, or raises its error."""
    try:
        result = sheets.asked(step)
    except _ERRORS as error:  # at once, where its result cannot come later
        failed = error

        def raised():
            raise failed

        return raised
    return lambda: result


async def make_all_in_loop(units, sheets, name, made):
    """Make them so in a task."""
    for unit in units:
        one = Made(name, time.monotonic())
        made.append(one)
        await _make_in_loop(unit, sheets, one)
        if unit.pipeline != "forgets":
            one.ended = time.monotonic()


async def _make_in_loop(unit, sheets, made):
    async with AsyncExitStack() as stack:
        if unit.locks:
            sheet = (sheets.tables[book] for book in unit.locks)
            await stack.enter_async_context(asynchronous.lock(*sheet))
        if unit.pipeline == "forgets":
            await stack.enter_async_context(asynchronous.pipeline(wait=False))
        if unit.key:
            await stack.enter_async_context(asynchronous.idempotency_key(unit.key))
        steps, result = unit.steps(), None
        while True:
            try:
                step = steps.send(result)
            except StopIteration:
                return
            made.steps.append((step, ANY))
            try:
                result = await sheets.asked(step)
            except _ERRORS as error:
                result = failure(type(error).__name__)
            else:
                is_left = result is None and step.what in ("write", "append", "bad", "upsert")
                result = ANY if is_left and unit.pipeline else _shown(step, result)
            made.steps[-1] = step, result
