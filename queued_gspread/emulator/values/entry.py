"""What becomes of a value that is written: as it is (RAW), or as if typed (USER_ENTERED)."""

from __future__ import annotations

import re
from datetime import date, time
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from .serial import serial_of

if TYPE_CHECKING:
    from queued_gspread.emulator.cell import Cell, Scalar

_NUMBER = re.compile(
    r"(?P<open>\()?(?P<sign>[-+])?(?P<dollar>\$)?(?P<inner>[-+])?"
    r"(?P<whole>\d{1,3}(?:,\d{3})+|\d+)?(?P<fraction>\.\d*)?(?P<exponent>[eE][-+]?\d+)?"
    r"\s*(?P<percent>%)?(?P<close>\))?",
    re.ASCII,
)
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?:\s*(?P<half>[aApP][mM]))?"
_ONLY_TIME = re.compile(_TIME, re.ASCII)
_ISO = re.compile(
    rf"(?P<year>\d{{4}})(?P<mark>[-/])(?P<month>\d\d?)(?P=mark)(?P<day>\d\d?)(?: {_TIME})?",
    re.ASCII,
)
_AMERICAN = re.compile(
    r"(?P<month>\d\d?)(?P<mark>[-/])(?P<day>\d\d?)(?:(?P=mark)(?P<year>\d{4}|\d\d))?"
    rf"(?: {_TIME})?",
    re.ASCII,
)
_MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS = {name: place for place, name in enumerate(_MONTH_NAMES.split(), 1)}
_NAMED = re.compile(r"(?P<name>[A-Za-z]{3,9})\.? (?P<day>\d\d?), (?P<year>\d{4})", re.ASCII)
_CENTURY_TURN = 30
_NOON = 12


class Entry(NamedTuple):
    """What an input is understood as; kind and pattern are its number format, if it brings one."""

    value: Scalar = None
    formula: str | None = None
    kind: str = ""
    pattern: str = ""


def write(cell: Cell, raw: Scalar, option: str) -> Cell | None:
    """Return a cell after a value was written into it; an empty string empties it."""
    if raw == "" and isinstance(raw, str):
        return cell.changed(value=None, formula=None)
    if option != "USER_ENTERED" or not isinstance(raw, str):
        return cell.changed(value=raw, formula=None)
    if cell.number_format.get("type") == "TEXT" and not raw.startswith("="):
        return cell.changed(value=raw, formula=None)
    entry = understand(raw)
    changes: dict[str, Any] = {"value": entry.value, "formula": entry.formula}
    if entry.pattern and not cell.number_format:
        number_format = {"type": entry.kind, "pattern": entry.pattern}
        changes["format"] = {**(cell.format or {}), "numberFormat": number_format}
    return cell.changed(**changes)


def understand(text: str) -> Entry:
    """Return what a typed text stands for, in the en_US locale."""
    if text.startswith("'"):
        return Entry(text[1:] or None)
    if text.startswith("=") and len(text) > 1:
        return Entry(formula=text)
    bare = text.strip()
    if bare.upper() in {"TRUE", "FALSE"}:
        return Entry(bare.upper() == "TRUE")
    return _number(bare) or _moment(bare) or Entry(text)


def _number(text: str) -> Entry | None:
    match = _NUMBER.fullmatch(text)
    if not match or not (match["whole"] or (match["fraction"] or "") > "."):
        return None
    if bool(match["open"]) != bool(match["close"]) or (match["sign"] and match["inner"]):
        return None
    digits = (match["whole"] or "").replace(",", "") + (match["fraction"] or "")
    value = float(digits + (match["exponent"] or ""))
    if not isfinite(value):
        return None
    negative = match["open"] or "-" in {match["sign"], match["inner"]}
    value = -value if negative else value
    kind, pattern = _number_format(match)
    if match["percent"]:
        value /= 100
    return Entry(_tidy(value), None, kind, pattern)


def _number_format(match: re.Match[str]) -> tuple[str, str]:
    decimals = ".00" if (match["fraction"] or "") > "." else ""
    if match["percent"]:
        return "PERCENT", f"0{decimals}%"
    if match["dollar"]:
        return "CURRENCY", f'"$"#,##0{decimals}'
    if match["exponent"]:
        return "SCIENTIFIC", "0.00E+00"
    if "," in (match["whole"] or ""):
        return "NUMBER", f"#,##0{decimals}"
    return "", ""


def _tidy(value: float) -> float:
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _moment(text: str) -> Entry | None:
    try:
        return _iso(text) or _american(text) or _named(text) or _time_only(text)
    except ValueError:
        # The digits have a date's form but name no day or no time of day.
        return None


def _iso(text: str) -> Entry | None:
    match = _ISO.fullmatch(text)
    if not match:
        return None
    mark = match["mark"]
    day = date(int(match["year"]), int(match["month"]), int(match["day"]))
    return _dated(day, f"yyyy{mark}mm{mark}dd" if mark == "-" else "yyyy/mm/dd", match)


def _american(text: str) -> Entry | None:
    match = _AMERICAN.fullmatch(text)
    if not match or not match["year"]:
        # Without a year the day is in the current one, which no test can know.
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:  # noqa: PLR2004  - two digits
        year += 2000 if year < _CENTURY_TURN else 1900
    mark = match["mark"]
    pattern = mark.join(("m", "d", "y" * len(match["year"])))
    return _dated(date(year, int(match["month"]), int(match["day"])), pattern, match)


def _named(text: str) -> Entry | None:
    match = _NAMED.fullmatch(text)
    month = _MONTHS.get(match["name"][:3].lower()) if match else None
    if not match or not month:
        return None
    day = date(int(match["year"]), month, int(match["day"]))
    pattern = "mmm d, yyyy" if len(match["name"]) == 3 else "mmmm d, yyyy"  # noqa: PLR2004  - Jan
    return Entry(serial_of(day), None, "DATE", pattern)


def _time_only(text: str) -> Entry | None:
    match = _ONLY_TIME.fullmatch(text)
    return (
        Entry(serial_of(None, _time(match)), None, "TIME", _time_pattern(match)) if match else None
    )


def _dated(day: date, pattern: str, match: re.Match[str]) -> Entry:
    if match["hour"] is None:
        return Entry(serial_of(day), None, "DATE", pattern)
    both = f"{pattern} {_time_pattern(match)}"
    return Entry(serial_of(day, _time(match)), None, "DATE_TIME", both)


def _time(match: re.Match[str]) -> time:
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % _NOON + (_NOON if match["half"].lower() == "pm" else 0)
    return time(hour, int(match["minute"]), int(match["second"] or 0))


def _time_pattern(match: re.Match[str]) -> str:
    pattern = "h:mm:ss" if match["second"] else "h:mm"
    return pattern + (" am/pm" if match["half"] else "")
