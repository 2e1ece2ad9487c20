"""The cells that references lead to, both written and computed ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.a1 import Bounds, bounds_of, parse_bounds, split_title
from queued_gspread.emulator.book.not_computed import NotComputedError
from queued_gspread.emulator.values.functions.arguments import (
    BAD_REFERENCE,
    NOT_AVAILABLE,
    UNKNOWN_NAME,
    EvaluationError,
    text,
    truth,
    whole,
)

from .formula import RANGE, Call, Name, Reference

if TYPE_CHECKING:
    from typing import TypeAlias

    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

    from .evaluation import Evaluation
    from .formula import Node

    Found: TypeAlias = tuple[Sheet, Bounds]

REFERRING = frozenset({"OFFSET", "INDIRECT", RANGE})
_R1C1 = re.compile(r"R(\d+)C(\d+)", re.IGNORECASE | re.ASCII)
_MOST_ARGUMENTS = 5


def place_of(formula: Evaluation, node: Node) -> Found:
    """Return the sheet and the bounds that a node refers to; fail where it is no reference."""
    if isinstance(node, Reference):
        return _titled(formula, node.title), node.bounds
    if isinstance(node, Name):
        return _named(formula, node.name)
    if not isinstance(node, Call):
        raise EvaluationError(NOT_AVAILABLE)
    if node.function == "OFFSET":
        return _offset(formula, node)
    if node.function == "INDIRECT":
        return _indirect(formula, node)
    if node.function == RANGE:
        return _between(formula, *node.arguments)
    if node.function == "INDEX":
        return _indexed(formula, node)
    raise NotComputedError(f"references that {node.function} gives")


def named_range(book: Spreadsheet, name: str, home: Sheet) -> Found | None:
    """Return the range of a name, None where nothing has it."""
    for named in book.named_ranges:
        if named["name"].casefold() == name.casefold():
            where = book.sheet(named["range"].get("sheetId", 0))
            return where or home, bounds_of(named["range"])
    return None


def _titled(formula: Evaluation, title: str | None) -> Sheet:
    where = formula.sheet if title is None else formula.book.titled(title)
    if where is None:
        raise EvaluationError(BAD_REFERENCE)
    return where


def _named(formula: Evaluation, name: str) -> Found:
    if name.casefold() in formula.scope:
        raise NotComputedError("references that LET names")
    found = named_range(formula.book, name, formula.sheet)
    if found is None:
        raise EvaluationError(UNKNOWN_NAME)
    return found


def _offset(formula: Evaluation, call: Call) -> Found:
    if not 3 <= len(call.arguments) <= _MOST_ARGUMENTS:  # noqa: PLR2004  - a reference, rows, columns
        raise EvaluationError(NOT_AVAILABLE)
    sheet, bounds = place_of(formula, call.arguments[0])
    rows, columns = sheet.grid.row_count, sheet.grid.column_count
    rect = bounds.within(rows, columns)
    given = [formula.single(node) for node in call.arguments[1:]]
    top, left = rect.start_row + whole(given[0]), rect.start_column + whole(given[1])
    sizes = [*given[2:], None, None]
    height = rect.height if sizes[0] is None else whole(sizes[0])
    width = rect.width if sizes[1] is None else whole(sizes[1])
    found = Bounds(top, top + height, left, left + width)
    if min(top, left, height - 1, width - 1) < 0 or top + height > rows or left + width > columns:
        raise EvaluationError(BAD_REFERENCE)
    return sheet, found


def _indirect(formula: Evaluation, call: Call) -> Found:
    if not 1 <= len(call.arguments) <= 2:  # noqa: PLR2004  - a text, and its notation
        raise EvaluationError(NOT_AVAILABLE)
    wanted, in_a1 = text(formula.single(call.arguments[0])), True
    if len(call.arguments) > 1 and (notation := formula.single(call.arguments[1])) is not None:
        in_a1 = truth(notation)
    title, cells = split_title(wanted)
    sheet = _titled(formula, title)
    if not in_a1:
        return sheet, _r1c1(cells or "")
    bounds = parse_bounds((cells or "").replace("$", ""))
    if bounds:
        return sheet, bounds
    found = named_range(formula.book, wanted, formula.sheet)
    if found is None:
        raise EvaluationError(BAD_REFERENCE)
    return found


def _r1c1(cells: str) -> Bounds:
    match = _R1C1.fullmatch(cells)
    if not match:
        raise NotComputedError("INDIRECT in R1C1 notation but for single absolute cells")
    row, column = int(match[1]), int(match[2])
    return Bounds(row - 1, row, column - 1, column)


def _between(formula: Evaluation, first: Node, second: Node) -> Found:
    """Return the smallest range that has both corners."""
    (sheet, one), (other, two) = place_of(formula, first), place_of(formula, second)
    if isinstance(second, Reference) and second.title is None:
        other = sheet
    if other is not sheet:
        raise EvaluationError(BAD_REFERENCE)
    size = sheet.grid.row_count, sheet.grid.column_count
    a, b = one.within(*size), two.within(*size)
    return sheet, Bounds(
        min(a.start_row, b.start_row),
        max(a.end_row, b.end_row),
        min(a.start_column, b.start_column),
        max(a.end_column, b.end_column),
    )


def _indexed(formula: Evaluation, call: Call) -> Found:
    """Return the cells that INDEX names, as a reference."""
    sheet, bounds = place_of(formula, call.arguments[0])
    rect = bounds.within(sheet.grid.row_count, sheet.grid.column_count)
    numbers = [whole(formula.single(node)) for node in call.arguments[1:]]
    if len(numbers) == 1 and rect.height == 1:
        numbers = [0, *numbers]
    row, column = [*numbers, 0, 0][:2]
    if not (0 <= row <= rect.height and 0 <= column <= rect.width):
        raise EvaluationError(BAD_REFERENCE)
    top, left = rect.start_row + max(row - 1, 0), rect.start_column + max(column - 1, 0)
    bottom, right = top + 1 if row else rect.end_row, left + 1 if column else rect.end_column
    return sheet, Bounds(top, bottom, left, right)
