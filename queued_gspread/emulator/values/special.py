"""Functions that depend on more than values: on references, the time, chance, or names."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from queued_gspread.emulator.book.not_computed import NotComputedError
from queued_gspread.emulator.values.functions.arguments import (
    BAD_NUMBER,
    NOT_AVAILABLE,
    WRONG_TYPE,
    Area,
    EvaluationError,
    array,
    check_size,
    number,
    sound,
    whole,
)

from .formula import Call, Name, Reference
from .functions import FUNCTIONS
from .lambdas import LAMBDAS
from .place import REFERRING, place_of
from .serial import serial_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queued_gspread.emulator.book.a1 import Rect
    from queued_gspread.emulator.book.cell import Value
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.values.functions.arguments import Argument

    from .evaluation import Evaluation
    from .formula import Node

_SUBTOTALS = ["AVERAGE", "COUNT", "COUNTA", "MAX", "MIN", "PRODUCT", "STDEV", "STDEVP", "SUM"]
_SUBTOTALS += ["VAR", "VARP"]
# Codes above this one leave out hidden rows.
_VISIBLE_ONLY = 100


class Special(NamedTuple):
    """A function over nodes in a formula, and how many of them it takes."""

    compute: Callable[[Evaluation, Sequence[Node]], Argument]
    least: int = 1
    most: int | None = 1


def _now(formula: Evaluation, _: Sequence[Node]) -> Value:
    now = formula.book.now()
    return serial_of(now.date(), now.time())


def _today(formula: Evaluation, nodes: Sequence[Node]) -> Value:
    return math.floor(number(_now(formula, nodes)))


def _rect(formula: Evaluation, node: Node) -> tuple[Sheet, Rect]:
    sheet, bounds = place_of(formula, node)
    return sheet, bounds.within(sheet.grid.row_count, sheet.grid.column_count)


def _row(formula: Evaluation, nodes: Sequence[Node]) -> Argument:
    if not nodes:
        return formula.row + 1
    rows = range(*_rect(formula, nodes[0])[1][:2])
    return array([[row + 1] for row in rows]) if formula.takes_arrays else rows.start + 1


def _column(formula: Evaluation, nodes: Sequence[Node]) -> Argument:
    if not nodes:
        return formula.column + 1
    columns = range(*_rect(formula, nodes[0])[1][2:])
    return array([[place + 1 for place in columns]]) if formula.takes_arrays else columns.start + 1


def _is_reference(formula: Evaluation, nodes: Sequence[Node]) -> bool:
    node = nodes[0]
    if isinstance(node, (Reference, Name)) or (
        isinstance(node, Call) and node.function in REFERRING
    ):
        try:
            place_of(formula, node)
        except EvaluationError:
            return False
        return True
    return False


def _formula_of(formula: Evaluation, node: Node) -> str | None:
    sheet, rect = _rect(formula, node)
    return sheet.grid.get(rect.start_row, rect.start_column).formula


def _is_formula(formula: Evaluation, nodes: Sequence[Node]) -> bool:
    return _formula_of(formula, nodes[0]) is not None


def _formula_text(formula: Evaluation, nodes: Sequence[Node]) -> str:
    found = _formula_of(formula, nodes[0])
    if found is None:
        raise EvaluationError(NOT_AVAILABLE)
    return found


def _sheets(formula: Evaluation, _: Sequence[Node]) -> int:
    return len(formula.book.sheets)


def _array_formula(formula: Evaluation, nodes: Sequence[Node]) -> Argument:
    with formula.arrays():
        found = formula.argument(nodes[0])
    if isinstance(found, Area):
        found.place = None
    return found


def _let(formula: Evaluation, nodes: Sequence[Node]) -> Argument:
    """Compute the last node, in which each name stands for the value that follows it."""
    if len(nodes) % 2 == 0:
        raise EvaluationError(NOT_AVAILABLE)
    before = formula.scope
    formula.scope = dict(before)
    try:
        for name, value in zip(nodes[:-1:2], nodes[1:-1:2], strict=True):
            if not isinstance(name, Name):
                raise EvaluationError(WRONG_TYPE)
            formula.scope[name.name.casefold()] = formula.argument(value)
        return formula.argument(nodes[-1])
    finally:
        formula.scope = before


def _random(formula: Evaluation, _: Sequence[Node]) -> float:
    return formula.book.chance()


def _random_between(formula: Evaluation, nodes: Sequence[Node]) -> int:
    low, high = (number(formula.single(node)) for node in nodes)
    low, high = math.ceil(low), math.floor(high)
    if low > high:
        raise EvaluationError(BAD_NUMBER)
    return low + math.floor(formula.book.chance() * (high - low + 1))


def _random_array(formula: Evaluation, nodes: Sequence[Node]) -> Argument:
    rows, columns = [*(whole(formula.single(node)) for node in nodes), 1, 1][:2]
    if min(rows, columns) < 1:
        raise EvaluationError(BAD_NUMBER)
    check_size(rows, columns)
    return array([[formula.book.chance() for _ in range(columns)] for _ in range(rows)])


def _subtotal(formula: Evaluation, nodes: Sequence[Node]) -> Argument:
    code = whole(sound(formula.single(nodes[0])))
    kind = code - _VISIBLE_ONLY if code > _VISIBLE_ONLY else code
    if not 1 <= kind <= len(_SUBTOTALS):
        raise EvaluationError(WRONG_TYPE)
    chosen = [_counted(formula, node, code > _VISIBLE_ONLY) for node in nodes[1:]]
    return FUNCTIONS[_SUBTOTALS[kind - 1]].compute(chosen)


def _counted(formula: Evaluation, node: Node, visible_only: bool) -> Area:
    """Return the values of a range that are not subtotals themselves, as one column."""
    sheet, rect = _rect(formula, node)
    if (sheet.basic_filter or {}).keys() & {"criteria", "filterSpecs"}:
        raise NotComputedError("SUBTOTAL in a sheet with a filter that hides rows")
    area = formula.cells.area(*place_of(formula, node))
    hidden = sheet.dimensions["ROWS"]
    found: list[Value] = [
        area.at(row - rect.start_row, column - rect.start_column)
        for row in range(rect.start_row, rect.end_row)
        if not (visible_only and hidden.get(row, {}).get("hiddenByUser"))
        for column in range(rect.start_column, rect.end_column)
        if "SUBTOTAL(" not in (sheet.grid.get(row, column).formula or "").upper()
    ]
    return Area([found], len(found))


SPECIAL: dict[str, Special] = {
    "TODAY": Special(_today, 0, 0),
    "NOW": Special(_now, 0, 0),
    "ROW": Special(_row, 0, 1),
    "COLUMN": Special(_column, 0, 1),
    "ISREF": Special(_is_reference),
    "ISFORMULA": Special(_is_formula),
    "FORMULATEXT": Special(_formula_text),
    "SHEETS": Special(_sheets, 0, 0),
    "ARRAYFORMULA": Special(_array_formula),
    "LET": Special(_let, 3, None),
    "RAND": Special(_random, 0, 0),
    "RANDBETWEEN": Special(_random_between, 2, 2),
    "RANDARRAY": Special(_random_array, 0, 2),
    "SUBTOTAL": Special(_subtotal, 2, None),
    **{name: Special(*lambda_taking) for name, lambda_taking in LAMBDAS.items()},
}
