"""Dates, times and durations as they are typed in the en_US locale."""

from __future__ import annotations

import re
from datetime import date, time
from typing import NamedTuple

from .serial import serial_of

_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?:\s*(?P<half>[aApP][mM]))?"
_ONLY_TIME = re.compile(_TIME, re.ASCII)
_DURATION = re.compile(r"(?P<hours>\d{1,6}):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?", re.ASCII)
_ISO = re.compile(
    rf"(?P<year>\d{{4}})(?P<mark>[-/])(?P<month>\d\d?)(?P=mark)(?P<day>\d\d?)(?: {_TIME})?",
    re.ASCII,
)
_AMERICAN = re.compile(
    r"(?P<month>\d\d?)(?P<mark>[-/])(?P<day>\d\d?)(?:(?P=mark)(?P<year>\d{4}|\d\d))?"
    rf"(?: {_TIME})?",
    re.ASCII,
)
_NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
_NAMED = (
    # January 31, 2024
    re.compile(
        rf"{_NAME} (?P<day>\d\d?)(?:(?P<mark>,?) (?P<year>\d{{4}}))?(?: {_TIME})?", re.ASCII
    ),
    # 31 January 2024, 31-Jan-24
    re.compile(
        rf"(?P<day>\d\d?)(?P<mark>[- ]){_NAME}(?:(?P=mark)(?P<year>\d{{4}}|\d\d))?(?: {_TIME})?",
        re.ASCII,
    ),
    # January 2024
    re.compile(rf"{_NAME}(?P<mark>[- ])(?P<year>\d{{4}})", re.ASCII),
)
_MONTH_NAMES = (
    "january february march april may june july august september october november december"
)
_MONTHS = _MONTH_NAMES.split()
_CENTURY_TURN = 30
_NOON = 12
_HOURS_A_DAY = 24


class Moment(NamedTuple):
    """A typed date or time: its number, and the number format that it brings."""

    serial: float
    kind: str
    pattern: str


def read_moment(text: str, year: int | None = None) -> Moment | None:
    """Return the date, time or duration that a text stands for, if it is one.

    `year` is used for dates that name none; without it, such dates are texts.
    """
    try:
        return _iso(text) or _american(text, year) or _named(text, year) or _time_only(text)
    except ValueError:
        # The digits look like a date but are not a valid day or time of day.
        return None


def _iso(text: str) -> Moment | None:
    match = _ISO.fullmatch(text)
    if not match:
        return None
    mark = match["mark"]
    day = date(int(match["year"]), int(match["month"]), int(match["day"]))
    return _dated(day, mark.join(("yyyy", "mm", "dd")), match)


def _american(text: str, year: int | None) -> Moment | None:
    match = _AMERICAN.fullmatch(text)
    if not match or not (match["year"] or year):
        return None
    shown = ("m", "d", "y" * len(match["year"])) if match["year"] else ("m", "d")
    day = date(_year(match["year"], year), int(match["month"]), int(match["day"]))
    return _dated(day, match["mark"].join(shown), match)


def _named(text: str, year: int | None) -> Moment | None:
    for form in _NAMED:
        match = form.fullmatch(text)
        month = _month(match["name"]) if match else None
        if match and month and (match["year"] or year):
            parts = match.groupdict()
            day = date(_year(parts["year"], year), month, int(parts.get("day") or 1))
            return _dated(day, _named_pattern(match), match)
    return None


def _named_pattern(match: re.Match[str]) -> str:
    parts = match.groupdict()
    name = "mmm" if len(parts["name"]) == 3 else "mmmm"  # noqa: PLR2004  - Jan
    year = "y" * len(parts["year"] or "")
    if "day" not in parts:
        return f"{name}{parts['mark']}{year}"
    if match.start("day") < match.start("name"):
        return parts["mark"].join(filter(None, ("d", name, year)))
    return f"{name} d{parts['mark']} {year}" if year else f"{name} d"


def _month(name: str) -> int | None:
    """Return the month of a name or of its first three letters."""
    low = name.lower()
    fits = (place for place, full in enumerate(_MONTHS, 1) if low in {full, full[:3], full[:4]})
    return next(fits, None)


def _year(digits: str | None, current: int | None) -> int:
    if not digits:
        assert current
        return current
    year = int(digits)
    if len(digits) > 2:  # noqa: PLR2004  - two digits
        return year
    return year + (2000 if year < _CENTURY_TURN else 1900)


def _time_only(text: str) -> Moment | None:
    match = _ONLY_TIME.fullmatch(text)
    if match and int(match["hour"]) < _HOURS_A_DAY:
        return Moment(serial_of(None, _time(match)), "TIME", _time_pattern(match))
    match = _DURATION.fullmatch(text)
    if not match:
        return None
    seconds = int(match["hours"]) * 3600 + int(match["minute"]) * 60 + int(match["second"] or 0)
    return Moment(seconds / 86_400, "TIME", "[h]:mm:ss" if match["second"] else "[h]:mm")


def _dated(day: date, pattern: str, match: re.Match[str]) -> Moment:
    if match.groupdict().get("hour") is None:
        return Moment(serial_of(day), "DATE", pattern)
    both = f"{pattern} {_time_pattern(match)}"
    return Moment(serial_of(day, _time(match)), "DATE_TIME", both)


def _time(match: re.Match[str]) -> time:
    hour = int(match["hour"])
    if match["half"]:
        if not 0 <= hour <= _NOON:
            raise ValueError(hour)
        hour = hour % _NOON + (_NOON if match["half"].lower() == "pm" else 0)
    return time(hour, int(match["minute"]), int(match["second"] or 0))


def _time_pattern(match: re.Match[str]) -> str:
    pattern = "h:mm:ss" if match["second"] else "h:mm"
    return pattern + (" am/pm" if match["half"] else "")
