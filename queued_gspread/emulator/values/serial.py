"""Dates as spreadsheets count them: days since 30 December 1899, times as fractions."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  - a spreadsheet's dates have no zone
_SECONDS_A_DAY = 86_400


def serial_of(day: date | None, moment: time | None = None) -> float:
    """Return the number for a day, a time of day, or both; whole for a day alone."""
    days = (day - _EPOCH.date()).days if day else 0
    if moment is None:
        return days
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6
    return days + seconds / _SECONDS_A_DAY


def moment_of(number: float) -> datetime:
    """Return the date and time that a number stands for, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=round(number * _SECONDS_A_DAY * 1000))
