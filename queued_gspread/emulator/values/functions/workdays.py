"""Functions of dates that count working days, weeks and years."""

from __future__ import annotations

import calendar
import math
from datetime import timedelta
from typing import TYPE_CHECKING

from queued_gspread.emulator.values.serial import serial_of

from .arguments import (
    BAD_NUMBER,
    WRONG_TYPE,
    Area,
    EvaluationError,
    Function,
    every,
    number,
    optional,
    scalar,
    truth,
    whole,
)
from .dates import moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from .arguments import Argument

_WEEK = 7
_SATURDAY_SUNDAY = frozenset({5, 6})
# From which day of the week weeks begin, by WEEKNUM's second argument; Monday is 0.
_WEEK_BEGINS = {1: 6, 2: 0, 11: 0, 12: 1, 13: 2, 14: 3, 15: 4, 16: 5, 17: 6}
_ISO = 21
_LATEST_YEARS = 8100
_SINGLE = 11


def _day(argument: Argument) -> date:
    return moment(argument).date()


def _week_number(values: Sequence[Argument]) -> int:
    day, kind = _day(values[0]), math.trunc(optional(values, 1, 1))
    if kind == _ISO:
        return day.isocalendar()[1]
    if kind not in _WEEK_BEGINS:
        raise EvaluationError(BAD_NUMBER)
    first = day.replace(month=1, day=1)
    offset = (first.weekday() - _WEEK_BEGINS[kind]) % _WEEK
    return ((day - first).days + offset) // _WEEK + 1


def _weekend(values: Sequence[Argument], place: int) -> frozenset[int]:
    """Return the days of the week that are free, Monday being 0."""
    given = scalar(values[place]) if len(values) > place else None
    if given is None:
        return _SATURDAY_SUNDAY
    if isinstance(given, str) and len(given) == _WEEK:
        if set(given) <= {"0", "1"} and "0" in given:
            return frozenset(day for day, mark in enumerate(given) if mark == "1")
        raise EvaluationError(WRONG_TYPE)
    kind = whole(given)
    if 1 <= kind <= _WEEK:
        return frozenset({(kind + 4) % _WEEK, (kind + 5) % _WEEK})
    if _SINGLE <= kind < _SINGLE + _WEEK:
        return frozenset({(kind - _SINGLE + 6) % _WEEK})
    raise EvaluationError(BAD_NUMBER)


def _holidays(values: Sequence[Argument], place: int) -> frozenset[date]:
    given = values[place] if len(values) > place else None
    found = every([given]) if isinstance(given, Area) else iter([] if given is None else [given])
    return frozenset(_day(value) for value in found)


def _is_free(day: date, weekend: frozenset[int], holidays: frozenset[date]) -> bool:
    return day.weekday() in weekend or day in holidays


def _counted(values: Sequence[Argument], weekend: frozenset[int], at: int) -> int:
    """Return how many days between two, both included, are neither holidays nor weekends."""
    start, end, holidays = _day(values[0]), _day(values[1]), _holidays(values, at)
    step, span = (1, end - start) if start <= end else (-1, start - end)
    first = min(start, end)
    weeks, rest = divmod(span.days + 1, _WEEK)
    days = weeks * (_WEEK - len(weekend)) + sum(
        (first.weekday() + offset) % _WEEK not in weekend for offset in range(rest)
    )
    last = max(start, end)
    off = sum(first <= day <= last and day.weekday() not in weekend for day in holidays)
    return step * (days - off)


def _moved(values: Sequence[Argument], weekend: frozenset[int], at: int) -> float:
    """Return the working day that is so many after another, or before."""
    day, left, holidays = _day(values[0]), whole(values[1]), _holidays(values, at)
    if abs(left) > _LATEST_YEARS * 366:
        raise EvaluationError(BAD_NUMBER)
    step = timedelta(1 if left > 0 else -1)
    left = abs(left)
    try:
        while left:
            day += step
            left -= not _is_free(day, weekend, holidays)
    except OverflowError:
        raise EvaluationError(BAD_NUMBER) from None
    found = serial_of(day)
    if found < 0:
        raise EvaluationError(BAD_NUMBER)
    return found


def _days_360(values: Sequence[Argument]) -> int:
    """Return the days between two dates in a year of twelve months of 30 days."""
    start, end = _day(values[0]), _day(values[1])
    european = len(values) > 2 and values[2] is not None and truth(values[2])  # noqa: PLR2004  - the third
    return _in_360(start, end, european)


def _in_360(start: date, end: date, european: bool) -> int:
    first, last = min(start.day, 30), end.day
    if european:
        last = min(last, 30)
    else:
        if _ends_february(start):
            first = 30
        if last == 31 and first == 30:  # noqa: PLR2004  - a month's last days
            last = 30
    months = (end.year - start.year) * 12 + end.month - start.month
    return months * 30 + last - first


def _ends_february(day: date) -> bool:
    return day.month == 2 and day.day == calendar.monthrange(day.year, 2)[1]  # noqa: PLR2004  - it


def _year_fraction(values: Sequence[Argument]) -> float:
    start, end = sorted((_day(values[0]), _day(values[1])))
    basis = math.trunc(optional(values, 2, 0))
    days = (end - start).days
    if basis == 0:
        if _ends_february(start) and _ends_february(end):
            end = end.replace(day=28)
            return (_in_360(start.replace(day=28), end, european=False)) / 360
        return _in_360(start, end, european=False) / 360
    if basis == 1:
        return days / _average_year(start, end)
    if basis == 2:  # noqa: PLR2004  - a basis
        return days / 360
    if basis == 3:  # noqa: PLR2004  - a basis
        return days / 365
    if basis == 4:  # noqa: PLR2004  - a basis
        return _in_360(start, end, european=True) / 360
    raise EvaluationError(BAD_NUMBER)


def _average_year(start: date, end: date) -> float:
    """Return how long the years between two dates are on average."""
    within_one = (end.year, end.month, end.day) <= (start.year + 1, start.month, start.day)
    if not within_one:
        years = range(start.year, end.year + 1)
        return sum(365 + calendar.isleap(year) for year in years) / len(years)
    if start.year == end.year:
        return 365 + calendar.isleap(start.year)
    before = calendar.isleap(start.year) and (start.month, start.day) <= (2, 29)
    after = calendar.isleap(end.year) and (end.month, end.day) >= (2, 29)
    return 366 if before or after else 365


def _from_epoch(values: Sequence[Argument]) -> float:
    """Return the date of a Unix time in seconds, milliseconds or microseconds."""
    unit = math.trunc(optional(values, 1, 1))
    scale = {1: 1, 2: 1_000, 3: 1_000_000}.get(unit)
    stamp = number(values[0])
    if scale is None or stamp < 0:
        raise EvaluationError(BAD_NUMBER)
    return 25569 + stamp / scale / 86400


WORKDAYS: dict[str, Function] = {
    "WEEKNUM": Function(_week_number, 1, 2),
    "ISOWEEKNUM": Function(lambda values: _day(values[0]).isocalendar()[1]),
    "NETWORKDAYS": Function(lambda values: _counted(values, _SATURDAY_SUNDAY, 2), 2, 3),
    "NETWORKDAYS.INTL": Function(lambda values: _counted(values, _weekend(values, 2), 3), 2, 4),
    "WORKDAY": Function(lambda values: _moved(values, _SATURDAY_SUNDAY, 2), 2, 3),
    "WORKDAY.INTL": Function(lambda values: _moved(values, _weekend(values, 2), 3), 2, 4),
    "DAYS360": Function(_days_360, 2, 3),
    "YEARFRAC": Function(_year_fraction, 2, 3),
    "EPOCHTODATE": Function(_from_epoch, 1, 2),
}
