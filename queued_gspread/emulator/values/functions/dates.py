"""Functions of dates and times, which are numbers: days since 30 December 1899."""

from __future__ import annotations

import calendar
import math
from datetime import date
from typing import TYPE_CHECKING

from queued_gspread.emulator.values.serial import moment_of, serial_of

from .arguments import BAD_NUMBER, EvaluationError, Function, number, text, whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .arguments import Argument

_SECONDS_A_DAY = 86_400
_MONTHS = 12
_OLD_YEARS = 1900
_LATEST = 2_958_465
# How many days after a week's first the days are numbered from, by WEEKDAY's second argument.
_WEEK_STARTS = {1: (6, 1), 2: (0, 1), 3: (0, 0)}


def moment(argument: Argument) -> datetime:
    """Return the date and time that a number stands for."""
    serial = number(argument)
    if not 0 <= serial <= _LATEST + 1:
        raise EvaluationError(BAD_NUMBER)
    return moment_of(serial)


def _part(name: str) -> Function:
    return Function(lambda values: int(getattr(moment(values[0]), name)))


def _date(values: Sequence[Argument]) -> float:
    year, month, day = (whole(value) for value in values)
    return _serial(year + _OLD_YEARS if 0 <= year < _OLD_YEARS else year, month, day)


def _serial(year: int, month: int, day: int) -> float:
    """Return a day's number; a month or a day too many goes on into the next."""
    year, month = year + (month - 1) // _MONTHS, (month - 1) % _MONTHS + 1
    try:
        found = serial_of(date(year, month, 1)) + day - 1
    except (ValueError, OverflowError):
        raise EvaluationError(BAD_NUMBER) from None
    if not 0 <= found <= _LATEST:
        raise EvaluationError(BAD_NUMBER)
    return found


def _time(values: Sequence[Argument]) -> float:
    hours, minutes, seconds = (whole(value) for value in values)
    total = hours * 3600 + minutes * 60 + seconds
    if total < 0:
        raise EvaluationError(BAD_NUMBER)
    return total % _SECONDS_A_DAY / _SECONDS_A_DAY


def _weekday(values: Sequence[Argument]) -> int:
    kind = whole(values[1]) if len(values) > 1 else 1
    if kind not in _WEEK_STARTS:
        raise EvaluationError(BAD_NUMBER)
    first, lowest = _WEEK_STARTS[kind]
    return (moment(values[0]).weekday() - first) % 7 + lowest


def _months_on(values: Sequence[Argument]) -> float:
    start, months = moment(values[0]), whole(values[1])
    year, month = _month(start, months)
    return _serial(year, month, min(start.day, calendar.monthrange(year, month)[1]))


def _month_end(values: Sequence[Argument]) -> float:
    year, month = _month(moment(values[0]), whole(values[1]))
    return _serial(year, month, calendar.monthrange(year, month)[1])


def _month(start: datetime, months: int) -> tuple[int, int]:
    years, month = divmod(start.month - 1 + months, _MONTHS)
    if not _OLD_YEARS - 1 <= start.year + years <= date.max.year:
        raise EvaluationError(BAD_NUMBER)
    return start.year + years, month + 1


def _difference(values: Sequence[Argument]) -> int:
    start, end, unit = moment(values[0]), moment(values[1]), text(values[2]).upper()
    if end < start:
        raise EvaluationError(BAD_NUMBER)
    if unit == "D":
        return (end.date() - start.date()).days
    months = (end.year - start.year) * _MONTHS + end.month - start.month - (end.day < start.day)
    if unit in {"M", "Y", "YM"}:
        return {"M": months, "Y": months // _MONTHS, "YM": months % _MONTHS}[unit]
    if unit == "MD":
        return _days_since(start, months, end)
    if unit == "YD":
        return _days_since(start, months // _MONTHS * _MONTHS, end)
    raise EvaluationError(BAD_NUMBER)


def _days_since(start: datetime, months: int, end: datetime) -> int:
    """Return the days from so many months after a date to another."""
    year, month = _month(start, months)
    return math.floor(serial_of(end.date()) - _serial(year, month, start.day))


def _days(values: Sequence[Argument]) -> int:
    return math.floor(number(values[0])) - math.floor(number(values[1]))


DATES: dict[str, Function] = {
    "DATE": Function(_date, 3, 3),
    "TIME": Function(_time, 3, 3),
    "DATEVALUE": Function(lambda values: math.floor(number(values[0]))),
    "TIMEVALUE": Function(lambda values: number(values[0]) % 1),
    "YEAR": _part("year"),
    "MONTH": _part("month"),
    "DAY": _part("day"),
    "HOUR": _part("hour"),
    "MINUTE": _part("minute"),
    "SECOND": _part("second"),
    "WEEKDAY": Function(_weekday, 1, 2),
    "EDATE": Function(_months_on, 2, 2),
    "EOMONTH": Function(_month_end, 2, 2),
    "DAYS": Function(_days, 2, 2),
    "DATEDIF": Function(_difference, 3, 3),
    "TO_DATE": Function(lambda values: number(values[0])),
    "TO_PERCENT": Function(lambda values: number(values[0])),
}
