"""Numbers shown by a number format's pattern, in the en_US locale."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from .serial import moment_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

DATE_TYPES = frozenset({"DATE", "TIME", "DATE_TIME"})
_DATE_TOKEN = re.compile(r'"[^"]*"|\\.|am/pm|a/p|y+|m+|d+|h+|s+|.', re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"(?P<int>[#0?,]+)(?P<frac>\.[#0?]*)?(?P<exp>[eE]\+0+)?")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|\[[^\]]*\]|_.')
_DEFAULT_PATTERNS = {
    "NUMBER": "#,##0.00",
    "PERCENT": "0.00%",
    "CURRENCY": '"$"#,##0.00',
    "DATE": "m/d/yyyy",
    "TIME": "h:mm:ss am/pm",
    "DATE_TIME": "m/d/yyyy h:mm:ss",
    "SCIENTIFIC": "0.00E+00",
}
_SIGNIFICANT = 10
_LARGEST_PLAIN = 1e15


def pattern_of(number_format: Mapping[str, str]) -> str:
    """Return a number format's pattern, its type's own where it gives none."""
    kind = number_format.get("type", "")
    return number_format.get("pattern") or _DEFAULT_PATTERNS.get(kind, "")


def show_number(number: float, number_format: Mapping[str, str]) -> str:
    """Return a number as a cell with this format shows it."""
    kind, pattern = number_format.get("type", ""), pattern_of(number_format)
    if not pattern or pattern.lower() == "general" or kind == "TEXT":
        return show_plain(number)
    if kind in DATE_TYPES:
        return _show_moment(moment_of(number), pattern)
    return _show_by_pattern(number, pattern)


def show_plain(number: float) -> str:
    """Return a number as Google's "Automatic" format shows it: up to 10 significant digits."""
    if number == int(number) and abs(number) < _LARGEST_PLAIN:
        return str(int(number))
    if abs(number) >= _LARGEST_PLAIN:
        mantissa, exponent = f"{number:.5E}".split("E")
        return f"{mantissa.rstrip('0').rstrip('.')}E{exponent}"
    digits = max(_SIGNIFICANT - len(str(int(abs(number)))), 0)
    if abs(number) < 1:
        digits = _SIGNIFICANT
    shown = f"{number:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if shown in {"", "-0"} else shown


def _show_by_pattern(number: float, pattern: str) -> str:
    sections = pattern.split(";")
    if number < 0 and len(sections) > 1:
        return _fill(-number, sections[1])
    sign = "-" if number < 0 else ""
    return sign + _fill(abs(number), sections[0])


def _fill(number: float, pattern: str) -> str:
    literals: list[str] = []

    def keep(match: re.Match[str]) -> str:
        literals.append(match[1] or match[2] or "")
        return "\0"

    bare = _LITERAL.sub(keep, pattern)
    number *= 100 ** bare.count("%")
    shown = _NUMBER.sub(lambda match: _digits(number, match), bare, count=1)
    for literal in literals:
        shown = shown.replace("\0", literal, 1)
    return shown


def _digits(number: float, match: re.Match[str]) -> str:
    fraction = (match["frac"] or ".")[1:]
    if match["exp"]:
        mantissa, exponent = f"{number:.{len(fraction)}E}".split("E")
        width = len(match["exp"]) - 2
        return f"{mantissa}E{exponent[0]}{abs(int(exponent)):0{width}d}"
    shown = _rounded(number, len(fraction))
    whole, _, decimals = shown.partition(".")
    shortest = fraction.rfind("0") + 1
    while len(decimals) > shortest and decimals.endswith("0"):
        decimals = decimals[:-1]
    whole = whole.zfill(match["int"].count("0")) if whole != "0" or "0" in match["int"] else ""
    if "," in match["int"]:
        whole = f"{int(whole or 0):,}"
    return whole + ("." + decimals if decimals else "")


def _rounded(number: float, places: int) -> str:
    exact = Decimal(repr(number)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{exact:f}"


def _show_moment(moment: datetime, pattern: str) -> str:
    tokens = _DATE_TOKEN.findall(pattern)
    twelve = any(token.lower() in {"am/pm", "a/p"} for token in tokens)
    shown, after_hours = [], False
    for place, token in enumerate(tokens):
        low = token.lower()
        if low in {"m", "mm"} and (after_hours or _seconds_follow(tokens[place + 1 :])):
            low = low.replace("m", "n")
        if low[0] in "yndhsm" and low != "am/pm":
            after_hours = low[0] == "h"
        shown.append(_date_part(moment, low, token, twelve))
    return "".join(shown)


def _seconds_follow(tokens: list[str]) -> bool:
    letters = (token[0].lower() for token in tokens if token[0].isalpha())
    return next(letters, "") == "s"


def _date_part(moment: datetime, low: str, token: str, twelve: bool) -> str:
    hour = (moment.hour % 12 or 12) if twelve else moment.hour
    parts = {
        "yyyy": f"{moment.year:04d}",
        "yy": f"{moment.year % 100:02d}",
        "mmmm": f"{moment:%B}",
        "mmm": f"{moment:%b}",
        "mm": f"{moment.month:02d}",
        "m": str(moment.month),
        "dddd": f"{moment:%A}",
        "ddd": f"{moment:%a}",
        "dd": f"{moment.day:02d}",
        "d": str(moment.day),
        "hh": f"{hour:02d}",
        "h": str(hour),
        "nn": f"{moment.minute:02d}",
        "n": str(moment.minute),
        "ss": f"{moment.second:02d}",
        "s": str(moment.second),
        "am/pm": f"{moment:%p}",
        "a/p": f"{moment:%p}"[:1],
    }
    return parts.get(low, token.strip('"').removeprefix("\\") if len(token) > 1 else token)
