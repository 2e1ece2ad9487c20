"""The values of the header Retry-After."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

TAKES = "seconds from 0, or an HTTP date"


def is_retry_after(value: object) -> bool:
    """Whether it is a valid Retry-After: whole seconds from 0, as a number or text, or a date."""
    if isinstance(value, str):
        return value.isascii() and value.isprintable() and (value.isdecimal() or _is_date(value))
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_date(text: str) -> bool:
    try:
        parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return False
    return True
