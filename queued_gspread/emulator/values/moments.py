"""Dates, times and durations shown by a pattern: `yyyy-mm-dd`, `h:mm am/pm`, `[h]:mm:ss`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .serial import moment_of

if TYPE_CHECKING:
    from datetime import datetime

_TOKEN = re.compile(
    r'"[^"]*"|\\.|[_*].|\[(?:h+|m+|s+)\]|\[[^\]]*\]|am/pm|a/p|y+|m+|d+|h+|s+|\.0+|.',
    re.IGNORECASE | re.DOTALL,
)
_LITERAL = re.compile(r'"[^"]*"|\\.|[_*].|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE | re.DOTALL)
_SECONDS_A_DAY = 86_400
_UNITS = {"h": 3600, "m": 60, "s": 1}


def literal(mark: str) -> str:
    """Return what is shown of a currency, of a character's width, or of what fills a cell.

    A currency stands before the number of its locale: `[$€-407]`. A width is shown as one space,
    and so is `* `, which fills a cell with spaces.
    """
    if mark[0] == "[":
        return mark[2:-1].partition("-")[0] if mark.startswith("[$") else ""
    return " " if mark[0] == "_" or mark == "* " else ""


def is_moment_pattern(pattern: str) -> bool:
    """Whether a pattern shows a date or a time, by the letters in it that are no literals."""
    return re.search(r"[ymdhs]", _LITERAL.sub("", pattern), re.IGNORECASE) is not None


def show_moment(number: float, pattern: str) -> str:
    """Return a number as the date, the time or the duration that a pattern shows."""
    tokens = _TOKEN.findall(pattern)
    digits = max((len(token) - 1 for token in tokens if token.startswith(".0")), default=0)
    elapsed = any(_is_elapsed(token) for token in tokens)
    sign = "-" if elapsed and number < 0 else ""
    total = round((abs(number) if elapsed else number) * _SECONDS_A_DAY, digits)
    moment = moment_of(total / _SECONDS_A_DAY)
    twelve = any(token.lower() in {"am/pm", "a/p"} for token in tokens)
    shown, last = [sign], ""
    for place, token in enumerate(tokens):
        low = token.lower()
        if low in {"m", "mm"} and (last == "h" or _seconds_follow(tokens[place + 1 :])):
            low = low.replace("m", "n")
        letter = low.strip("[")[:1]
        if letter in set("yndhsm") and low != "am/pm":
            last = letter
        if _is_elapsed(token):
            shown.append(f"{int(total // _UNITS[last]):0{len(token) - 2}d}")
        elif low.startswith(".0"):
            shown.append(f"{total % 1:.{len(token) - 1}f}"[1:])
        else:
            shown.append(_part(moment, low, token, twelve))
    return "".join(shown)


def _is_elapsed(token: str) -> bool:
    return token[0] == "[" and len(token) > 2 and token[1].lower() in _UNITS  # noqa: PLR2004  - [h]


def _seconds_follow(tokens: list[str]) -> bool:
    letters = (token.strip("[")[0].lower() for token in tokens if token.strip("[")[:1].isalpha())
    return next(letters, "") == "s"


def _part(moment: datetime, low: str, token: str, twelve: bool) -> str:
    if token[0] in '"\\':
        return token[1:-1] if token[0] == '"' else token[1:]
    if len(token) > 1 and token[0] in "[_*":
        return literal(token)
    hour = (moment.hour % 12 or 12) if twelve else moment.hour
    parts = {
        "yy": f"{moment.year % 100:02d}",
        "mmm": f"{moment:%b}",
        "mm": f"{moment.month:02d}",
        "m": str(moment.month),
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
        "a/p": f"{moment:%p}"[:1].lower() if token.islower() else f"{moment:%p}"[:1],
    }
    return parts.get(low) or _longer(moment, low, token)


def _longer(moment: datetime, low: str, token: str) -> str:
    """Return what a token longer than any known one shows, else the token itself."""
    if low[0] == "y":
        return f"{moment.year:04d}"
    if low[0] == "m":
        return f"{moment:%B}"[:1] if low == "mmmmm" else f"{moment:%B}"
    return f"{moment:%A}" if low[0] == "d" else token
