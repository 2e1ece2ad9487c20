"""The numbers among a server's keyword arguments: checked, and named in errors."""

from __future__ import annotations

from queued_gspread.settings import checked_count, checked_seconds

__all__ = ["count", "seconds"]


def count(**given: int) -> int:
    """Return the one keyword argument, a whole number of 0 or more."""
    ((name, value),) = given.items()
    return checked_count(value, f"{name}={value!r}")


def seconds(*, zero: bool = False, **given: float) -> float:
    """Return the one keyword argument, a number of seconds above 0; or 0, if that may be."""
    ((name, value),) = given.items()
    return checked_seconds(value, f"{name}={value!r}", zero=zero)
