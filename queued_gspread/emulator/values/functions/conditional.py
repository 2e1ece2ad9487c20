"""Functions that use only some of their arguments, and so get them unevaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from queued_gspread.emulator.book.cell import CellError

from .arguments import (
    BAD_NUMBER,
    NOT_AVAILABLE,
    EvaluationError,
    rank,
    scalar,
    sound,
    truth,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queued_gspread.emulator.values.formula import Node

    from .arguments import Argument

    Evaluate: TypeAlias = Callable[[Node], Argument]


def _if(nodes: Sequence[Node], evaluate: Evaluate) -> Argument:
    if truth(evaluate(nodes[0])):
        return evaluate(nodes[1])
    return evaluate(nodes[2]) if len(nodes) > 2 else False  # noqa: PLR2004  - the third one


def _if_error(nodes: Sequence[Node], evaluate: Evaluate) -> Argument:
    return _unless(nodes, evaluate, lambda _: True)


def _if_missing(nodes: Sequence[Node], evaluate: Evaluate) -> Argument:
    return _unless(nodes, evaluate, lambda error: error == NOT_AVAILABLE)


def _unless(
    nodes: Sequence[Node], evaluate: Evaluate, is_caught: Callable[[CellError], bool]
) -> Argument:
    value = scalar(evaluate(nodes[0]))
    if not (isinstance(value, CellError) and is_caught(value)):
        return value
    return evaluate(nodes[1]) if len(nodes) > 1 else None


def _ifs(nodes: Sequence[Node], evaluate: Evaluate) -> Argument:
    if len(nodes) % 2:
        raise EvaluationError(NOT_AVAILABLE)
    for condition, result in zip(nodes[::2], nodes[1::2], strict=True):
        if truth(evaluate(condition)):
            return evaluate(result)
    raise EvaluationError(NOT_AVAILABLE)


def _switch(nodes: Sequence[Node], evaluate: Evaluate) -> Argument:
    wanted = rank(sound(evaluate(nodes[0])))
    for case, result in zip(nodes[1::2], nodes[2::2], strict=False):
        if rank(scalar(evaluate(case))) == wanted:
            return evaluate(result)
    if len(nodes) % 2:
        raise EvaluationError(NOT_AVAILABLE)
    return evaluate(nodes[-1])


def _choose(nodes: Sequence[Node], evaluate: Evaluate) -> Argument:
    index = whole(evaluate(nodes[0]))
    if not 1 <= index < len(nodes):
        raise EvaluationError(BAD_NUMBER)
    return evaluate(nodes[index])


CONDITIONAL: dict[str, tuple[Callable[[Sequence[Node], Evaluate], Argument], int, int | None]] = {
    "IF": (_if, 2, 3),
    "IFERROR": (_if_error, 1, 2),
    "IFNA": (_if_missing, 2, 2),
    "IFS": (_ifs, 2, None),
    "SWITCH": (_switch, 3, None),
    "CHOOSE": (_choose, 2, None),
}
