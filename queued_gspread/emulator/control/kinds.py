"""The kinds of values that settings and faults take, as JSON carries them."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from queued_gspread.emulator.limits.retry_after import TAKES, is_retry_after
from queued_gspread.web.fields import Kind

# Far beyond any sensible value, and far below any that arithmetic cannot handle.
_MOST = 10**9
_FIRST_FINAL = 200
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
_STATUSES = {int(status) for status in HTTPStatus if status >= _FIRST_FINAL}


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any, least: float = -_MOST) -> bool:
    numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    return numeric and least <= value <= _MOST


def _is_span(value: Any) -> bool:
    if not isinstance(value, list):
        return _is_number(value, 0)
    pair = len(value) == 2 and all(_is_number(bound, 0) for bound in value)  # noqa: PLR2004 - a pair
    return pair and value[0] <= value[1]


def _is_pattern(value: Any) -> bool:
    try:
        return isinstance(value, str) and re.compile(value) is not None
    except (re.error, OverflowError, RecursionError):
        return False


def _is_header_value(value: Any) -> bool:
    return isinstance(value, str) and _HEADER_VALUE.fullmatch(value) is not None


def _are_headers(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _HEADER_NAME.fullmatch(name) and _is_header_value(text) for name, text in value.items()
    )


def within(least: int, most: int) -> Kind:
    """Return the kind of whole numbers from one to another."""
    takes = f"a whole number from {least} to {most}"
    return Kind(takes, lambda value: _is_whole(value) and least <= value <= most, "number")


def choice(*words: str) -> Kind:
    """Return the kind of these words."""
    takes = "one of " + ", ".join(words)
    return Kind(takes, lambda value: isinstance(value, str) and value in words, "choice", words)


def or_null(kind: Kind) -> Kind:
    """Return a kind to which null belongs as well."""
    takes = f"{kind.takes}, or null"
    return Kind(takes, lambda value: value is None or kind.fits(value), kind.form, kind.choices)


FLAG = Kind("true or false", lambda value: isinstance(value, bool), "flag")
TEXT = Kind("text", lambda value: isinstance(value, str), "text")
FILE_ID = Kind("a spreadsheet's id", lambda value: isinstance(value, str) and value != "", "text")
COUNT = Kind(
    "a whole number from 0", lambda value: _is_whole(value) and _is_number(value, 0), "number"
)
SECONDS = Kind("seconds from 0", lambda value: _is_number(value, 0), "number")
LENGTH = Kind("seconds above 0", lambda value: _is_number(value, 0) and value > 0, "number")
OFFSET = Kind("seconds", _is_number, "number")
SPAN = Kind("seconds from 0, or [lowest, highest]", _is_span, "seconds")
PROBABILITY = Kind(
    "a number from 0 to 1", lambda value: _is_number(value, 0) and value <= 1, "number"
)
SHARE = Kind(
    'a number from 0 to 1, or "random"',
    lambda value: value == "random" or PROBABILITY.fits(value),
    "value",
)
STATUS = Kind(
    "an HTTP status from 200", lambda value: _is_whole(value) and value in _STATUSES, "number"
)
PATTERN = Kind("a regular expression", _is_pattern, "text")
HEADERS = Kind("an object of header names and texts without line breaks", _are_headers, "value")
BODY = Kind("an object or text", lambda value: isinstance(value, (dict, str)), "value")
RETRY_AFTER = or_null(Kind(TAKES, is_retry_after, "value"))
