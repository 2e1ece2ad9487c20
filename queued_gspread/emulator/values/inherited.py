"""The number format that a formula brings to a cell without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .formula import Call, Constant, Name, Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .formula import Node

    FormatAt = Callable[[Reference | Name], Mapping[str, str]]

_NONE: Mapping[str, str] = {}
_DATE = {"type": "DATE", "pattern": "m/d/yyyy"}
_MOMENT = {"type": "DATE_TIME", "pattern": "m/d/yyyy h:mm:ss"}
_BY_FUNCTION: dict[str, Mapping[str, str]] = {
    "TODAY": _DATE,
    "DATE": _DATE,
    "EDATE": _DATE,
    "EOMONTH": _DATE,
    "TO_DATE": _DATE,
    "WORKDAY": _DATE,
    "WORKDAY.INTL": _DATE,
    "TO_DOLLARS": {"type": "CURRENCY", "pattern": '"$"#,##0.00'},
    "NOW": _MOMENT,
    "EPOCHTODATE": _MOMENT,
    "TIME": {"type": "TIME", "pattern": "h:mm:ss am/pm"},
    "TO_PERCENT": {"type": "PERCENT", "pattern": "0.00%"},
}
# From which argument on the first that has a format decides.
_PASSING_ON = {
    **dict.fromkeys(("+", "unary -", "unary +", "SUM", "AVERAGE", "MIN", "MAX", "MEDIAN"), 0),
    **dict.fromkeys(("LARGE", "SMALL", "ABS", "ROUND", "ROUNDUP", "ROUNDDOWN", "INDEX"), 0),
    **dict.fromkeys(("IFERROR", "IFNA", "SUMIFS", "AVERAGEIFS", "MAXIFS", "MINIFS"), 0),
    **dict.fromkeys(("IF", "IFS", "SWITCH", "CHOOSE"), 1),
    "XLOOKUP": 2,
}
_MOMENTS = {"DATE", "DATE_TIME", "TIME"}


def inherited_format(
    node: Node, format_at: Callable[[Reference | Name], Mapping[str, str]]
) -> Mapping[str, str]:
    """Return the format of a formula's result, empty for none.

    `format_at` gives the format of the first cell of a reference. A sum has the format of what is
    added; a product or a quotient with money in it is money.
    """
    if isinstance(node, Constant):
        return _NONE
    if isinstance(node, (Reference, Name)):
        return format_at(node)
    if node.function in _BY_FUNCTION:
        return _BY_FUNCTION[node.function]
    if node.function == "-":
        return _difference(node, format_at)
    if node.function in {"*", "/"}:
        return _product(node, format_at)
    start = _PASSING_ON.get(node.function)
    return _NONE if start is None else _first(node.arguments[start:], format_at)


def _first(nodes: tuple[Node, ...], format_at: FormatAt) -> Mapping[str, str]:
    found = (inherited_format(node, format_at) for node in nodes)
    return next((each for each in found if each), _NONE)


def _difference(call: Call, format_at: FormatAt) -> Mapping[str, str]:
    left, right = (inherited_format(node, format_at) for node in call.arguments)
    # Days between two dates are a plain number.
    if left.get("type") in _MOMENTS and right.get("type") in _MOMENTS:
        return _NONE
    return left or right


def _product(call: Call, format_at: FormatAt) -> Mapping[str, str]:
    kinds = [inherited_format(node, format_at) for node in call.arguments]
    money = [each for each in kinds if each.get("type") == "CURRENCY"]
    return money[0] if len(money) == 1 else _NONE
