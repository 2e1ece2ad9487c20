"""Functions that take a LAMBDA, and calls of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.book.not_computed import NotComputedError
from queued_gspread.emulator.values.functions.arguments import (
    NOT_AVAILABLE,
    WRONG_TYPE,
    Area,
    EvaluationError,
    array,
    check_size,
    scalar,
    whole,
)

from .formula import CALL, Call, Name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queued_gspread.emulator.book.cell import Value
    from queued_gspread.emulator.values.functions.arguments import Argument

    from .evaluation import Evaluation
    from .formula import Node

    Applied = Callable[..., Argument]


def _applied(formula: Evaluation, node: Node) -> Applied:
    """Return a function that computes the body of a LAMBDA with values for its names."""
    if not isinstance(node, Call) or node.function != "LAMBDA" or not node.arguments:
        raise NotComputedError("functions that are no LAMBDA on the spot")
    *given, body = node.arguments
    names = [name.name.casefold() for name in given if isinstance(name, Name)]
    if len(names) < len(given):
        raise EvaluationError(WRONG_TYPE)

    def apply(*values: Argument) -> Argument:
        if len(values) != len(names):
            raise EvaluationError(NOT_AVAILABLE)
        before = formula.scope
        formula.scope = {**before, **dict(zip(names, values, strict=True))}
        try:
            return formula.argument(body)
        finally:
            formula.scope = before

    return apply


def _one(found: Argument) -> Value:
    if isinstance(found, Area) and found.height * found.width > 1:
        raise NotComputedError("arrays of arrays")
    return scalar(found)


def _rows(formula: Evaluation, node: Node) -> list[list[Value]]:
    found = formula.argument(node)
    return found.rows() if isinstance(found, Area) else [[found]]


def _called(formula: Evaluation, nodes: Sequence[Node]) -> Argument:
    return _applied(formula, nodes[0])(*(formula.argument(node) for node in nodes[1:]))


def _mapped(formula: Evaluation, nodes: Sequence[Node]) -> Argument:
    apply, blocks = _applied(formula, nodes[-1]), [_rows(formula, node) for node in nodes[:-1]]
    if len({(len(block), len(block[0])) for block in blocks}) > 1:
        raise EvaluationError(WRONG_TYPE)
    return array(
        [
            [_one(apply(*values)) for values in zip(*lines, strict=True)]
            for lines in zip(*blocks, strict=True)
        ]
    )


def _by_row(formula: Evaluation, nodes: Sequence[Node]) -> Argument:
    apply, rows = _applied(formula, nodes[1]), _rows(formula, nodes[0])
    return array([[_one(apply(array([row])))] for row in rows])


def _by_column(formula: Evaluation, nodes: Sequence[Node]) -> Argument:
    apply, rows = _applied(formula, nodes[1]), _rows(formula, nodes[0])
    columns = zip(*rows, strict=True)
    return array([[_one(apply(array([[value] for value in column]))) for column in columns]])


def _reduced(formula: Evaluation, nodes: Sequence[Node]) -> Argument:
    apply, found = _applied(formula, nodes[2]), formula.argument(nodes[0])
    for row in _rows(formula, nodes[1]):
        for value in row:
            found = apply(found, value)
    return found


def _scanned(formula: Evaluation, nodes: Sequence[Node]) -> Argument:
    apply, found = _applied(formula, nodes[2]), formula.argument(nodes[0])
    made: list[list[Value]] = []
    for row in _rows(formula, nodes[1]):
        made.append([])
        for value in row:
            found = _one(apply(found, value))
            made[-1].append(found)
    return array(made)


def _made(formula: Evaluation, nodes: Sequence[Node]) -> Argument:
    rows, columns = (whole(formula.single(node)) for node in nodes[:2])
    if min(rows, columns) < 1:
        raise EvaluationError(WRONG_TYPE)
    check_size(rows, columns)
    apply = _applied(formula, nodes[2])
    return array(
        [
            [_one(apply(row, column)) for column in range(1, columns + 1)]
            for row in range(1, rows + 1)
        ]
    )


LAMBDAS: dict[str, tuple[Callable[[Evaluation, Sequence[Node]], Argument], int, int | None]] = {
    CALL: (_called, 1, None),
    "MAP": (_mapped, 2, None),
    "BYROW": (_by_row, 2, 2),
    "BYCOL": (_by_column, 2, 2),
    "REDUCE": (_reduced, 3, 3),
    "SCAN": (_scanned, 3, 3),
    "MAKEARRAY": (_made, 3, 3),
}
