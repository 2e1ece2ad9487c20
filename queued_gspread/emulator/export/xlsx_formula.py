"""Formulas as Excel reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from queued_gspread.emulator.values.formula import (
    ARRAY,
    FormulaSyntaxError,
    UnsupportedSyntaxError,
    functions_in,
    parse,
)
from queued_gspread.emulator.values.references import renamed_formula

if TYPE_CHECKING:
    from collections.abc import Mapping

_LAST_ROW = 1_048_576
_QUOTED = r"""(?P<quoted>"(?:[^"]|"")*"|'(?:[^']|'')*')"""
_FOREIGN = re.compile(
    _QUOTED + r"|(?P<mark>;)"
    r"|(?<![\w.$])(?P<open>\$?[A-Za-z]{1,3}\$?[1-9]\d*:\$?[A-Za-z]{1,3})(?![\w$(.])"
)


def excel_formula(formula: str, renamed: Mapping[str, str]) -> str | None:
    """Return a formula for a workbook with new sheet titles; None if it is not a valid formula.

    Excel accepts no `;` between arguments and no range with an open end: `A2:A` goes to its last
    row. A formula that it cannot read would make it refuse the whole file.
    """
    try:
        tree = parse(formula)
    except (FormulaSyntaxError, UnsupportedSyntaxError, RecursionError):
        return None
    if ARRAY in functions_in(tree):
        return None
    for old, new in renamed.items():
        formula = renamed_formula(formula, old, new)
    return _FOREIGN.sub(_translated, formula)


def _translated(match: re.Match[str]) -> str:
    if match["quoted"]:
        return match[0]
    return "," if match["mark"] else f"{match['open']}{_LAST_ROW}"
