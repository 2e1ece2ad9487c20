"""The differences from plain gspread that are meant, each with the docs' sentence for it."""

from __future__ import annotations

import enum
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import gspread
from gspread import utils

from queued_gspread import errors

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MEANT", "SENTENCES", "SUBCLASSES", "as_base_classes", "by_design", "is_changed"]


class Meant(NamedTuple):
    """A difference that is meant."""

    sentence: str
    """What the docs say of it, word for word."""
    holds: Callable[[Any, Any, Any], bool]
    """Tells of a call, and of what was seen of it both ways, whether it is that difference."""


def _is_refused(call, first, second):
    return isinstance(second.error, errors.CallRefusedError) and not second.requests


def _has_no_such_timeout(call, first, second):
    return isinstance(second.error, TypeError) and str(second.error).startswith("set_timeout(")


def _has_long_label(call, first, second):
    return isinstance(second.error, gspread.exceptions.IncorrectCellLabel)


def _is_read_whole(call, first, second):
    whole = (str, bytes, dict, type(None))
    return call.name in ("import_csv", "request") and not all(
        isinstance(value, whole) for value in second.given
    )


def _has_objects(call, first, second):
    both = [seen.error for seen in (first, second)]
    if None in both or type(both[0]) is not type(both[1]):
        return False
    told = _as_told(both[0].args) == _as_told(both[1].args)
    return told and _has_object(both[0].args) and first.requests == second.requests


def _has_object(value):
    if isinstance(value, (gspread.Worksheet, gspread.Spreadsheet, gspread.ValueRange)):
        return True
    if isinstance(value, dict):
        return any(map(_has_object, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_has_object, value))


def _as_told(value):
    """Return an exception's arguments with what stands for gspread's objects in them."""
    if isinstance(value, (gspread.Worksheet, gspread.Spreadsheet)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return [_as_told(part) for part in value]
    if isinstance(value, dict):
        return {name: _as_told(part) for name, part in value.items()}
    return value


def _is_changed_in_place(call, first, second):
    given = any("_properties" in value.name for value in (*call.args, *dict(call.kwargs).values()))
    return given and replace(first, properties=None) == replace(second, properties=None)


def _shows_class(call, first, second):
    shown = [repr(replace(seen, error=None)) for seen in (first, second)]
    return shown[1].replace("queued_gspread.proxy.", "gspread.") == shown[0]


MEANT = [
    Meant(
        "a spreadsheet's id, or a header, a method, a path, a parameter or a body of "
        "`http_client.request`, could be read as another request's or another account's",
        _is_refused,
    ),
    Meant(
        "It takes a number of seconds or a pair of them; anything else is a `TypeError` at the "
        "next call.",
        _has_no_such_timeout,
    ),
    Meant("a cell's label is longer than any that Google has", _has_long_label),
    Meant(
        "A request's body that is not text, bytes or a `dict` is read whole before it is sent.",
        _is_read_whole,
    ),
    Meant(
        "If an exception has a spreadsheet or a worksheet among its arguments, it arrives as text, "
        "and a `ValueRange` as a list.",
        _has_objects,
    ),
    Meant("but `type(sheet)` and `sheet.__class__` are ours", _shows_class),
    Meant(
        "**Arguments are not changed in place**, where gspread does that to some.",
        _is_changed_in_place,
    ),
]
# Whether it is this one is found out by another call, whose arguments are of the base classes.
SUBCLASSES = (
    "An argument whose class derives from `str`, `int`, `float`, `list`, `tuple` or `dict` arrives "
    "as what it is in JSON."
)
SENTENCES = [*(meant.sentence for meant in MEANT), SUBCLASSES]


def by_design(call: Any, first: Any, second: Any) -> str | None:
    """Return the docs' sentence for what differs between the two ways of a call, if any."""
    return next((meant.sentence for meant in MEANT if meant.holds(call, first, second)), None)


_GSPREADS = tuple(
    found
    for found in vars(utils).values()
    if isinstance(found, type) and issubclass(found, enum.Enum)
)


def as_base_classes(value: Any) -> Any:
    """Return arguments as they arrive: what is of a class below Python's own is of Python's."""
    if isinstance(value, (*_GSPREADS, bool, gspread.ValueRange)):
        return value
    if isinstance(value, gspread.Cell):
        return gspread.Cell(*map(as_base_classes, (value.row, value.col, value.value)))
    for base, plain in ((str, str.__str__), (int, int.__index__), (float, float.__float__)):
        if isinstance(value, base):
            return plain(value)
    if isinstance(value, dict):
        return {as_base_classes(name): as_base_classes(part) for name, part in value.items()}
    for base in (list, tuple):
        if isinstance(value, base):
            return base(map(as_base_classes, base.__iter__(value)))
    return value


def is_changed(value: Any) -> bool:
    """Tell whether :func:`as_base_classes` makes something else of a value."""
    if isinstance(value, gspread.Cell):
        return any(map(is_changed, (value.row, value.col, value.value)))
    if type(value) in (list, tuple, dict):
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        return any(map(is_changed, parts))
    return type(as_base_classes(value)) is not type(value)
