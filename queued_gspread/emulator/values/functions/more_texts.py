"""Functions of texts that name, number, encode and recognise them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import quote

from queued_gspread.emulator.book.not_computed import NotComputedError
from queued_gspread.emulator.values.patterns import show_number

from .arguments import (
    BAD_NUMBER,
    EvaluationError,
    Function,
    is_number,
    number,
    optional,
    scalar,
    sound,
    text,
    truth,
)
from .numeric import NUMERIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.emulator.book.cell import Value

    from .arguments import Argument

_MOST_DECIMALS = 127
_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_URL = re.compile(
    r"(?:(?:https?|ftp|mailto|gopher|telnet|aim):(?://)?)?[\w.-]+\.[A-Za-z]{2,}(?::\d+)?(?:[/?#]\S*)?",
    re.IGNORECASE,
)


def _clean(values: Sequence[Argument]) -> str:
    return "".join(mark for mark in text(values[0]) if unicodedata.category(mark) != "Cc")


def _with_decimals(values: Sequence[Argument], before: str, grouped: bool) -> str:
    decimals = int(optional(values, 1, 2))
    if abs(decimals) > _MOST_DECIMALS:
        raise EvaluationError(BAD_NUMBER)
    rounded = number(NUMERIC["ROUND"].compute([number(values[0]), decimals]))
    pattern = ("#,##0" if grouped else "0") + ("." + "0" * decimals if decimals > 0 else "")
    shown = show_number(abs(rounded), {"type": "NUMBER", "pattern": pattern})
    if rounded < 0 and before:
        raise NotComputedError("DOLLAR of a negative number")
    return f"-{shown}" if rounded < 0 else before + shown


def _fixed(values: Sequence[Argument]) -> str:
    plain = len(values) > 2 and values[2] is not None and truth(values[2])  # noqa: PLR2004  - the third
    return _with_decimals(values, "", grouped=not plain)


def _pure(values: Sequence[Argument]) -> Value:
    value = sound(values[0])
    return number(value) if is_number(value) else value


def _matches(pattern: re.Pattern[str], values: Sequence[Argument]) -> bool:
    value = scalar(values[0])
    return isinstance(value, str) and pattern.fullmatch(value) is not None


MORE_TEXTS: dict[str, Function] = {
    "CLEAN": Function(_clean),
    "FIXED": Function(_fixed, 1, 3),
    "DOLLAR": Function(lambda values: _with_decimals(values, "$", grouped=True), 1, 2),
    "ENCODEURL": Function(lambda values: quote(text(values[0]), safe="-_.~")),
    "TO_PURE_NUMBER": Function(_pure),
    "TO_DOLLARS": Function(_pure),
    "ISEMAIL": Function(lambda values: _matches(_EMAIL, values)),
    "ISURL": Function(lambda values: _matches(_URL, values)),
}
