"""Values in Redis that anyone may have written: what cannot be read counts as not there. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, TypeVar

from queued_gspread.broker.connection.client import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["finite", "is_number", "loaded", "number_in", "options_in", "shown", "typed", "whole"]

_LONGEST: Final = 200
_MOST: Final = 1e15

T = TypeVar("T")


def loaded(text: Any) -> Any:
    """Return what is there as JSON; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def options_in(found: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the options of which the values can be shown."""
    return {
        shown(name): shown(value) if isinstance(value, str) else value
        for name, value in found.items()
        if value is None or isinstance(value, (bool, str)) or is_number(value)
    }


def typed(cls: type[T], found: Mapping[str, Any]) -> T:
    """Return a dataclass of what has the right types; its defaults take the place of the rest."""
    kinds = {"str": str, "int": int, "bool": bool}
    right: dict[str, Any] = {}
    for each in fields(cls):  # type: ignore[arg-type]  # only dataclasses come here
        value: Any = found.get(each.name)
        name = str(each.type)
        if name.startswith("float"):
            if is_number(value):
                right[each.name] = float(value)
        elif name in kinds and type(value) is kinds[name]:
            right[each.name] = shown(value) if isinstance(value, str) else value
        elif name not in kinds and value is not None:
            right[each.name] = value
    return cls(**right)


def shown(text: Any) -> str:
    """Return a text that can be shown on one line, by any writer."""
    line = str(text)[:_LONGEST]
    if line.isprintable():
        return line
    return "".join(sign if sign.isprintable() else "?" for sign in line)


def is_number(value: Any) -> bool:
    """Return whether it is a number that can be counted with: none below 0, and none too large."""
    is_one = isinstance(value, (int, float)) and not isinstance(value, bool)
    # Neither NaN nor infinite, and compared as it is: a whole number may be too large for a float.
    return is_one and 0 <= value <= _MOST


def finite(value: Any) -> float:
    """Return a number; 0 for what is none."""
    return float(value) if is_number(value) else 0.0


def number_in(value: Any) -> float:
    """Return a number.

    Raises:
        ValueError: It is none.

    """
    if not is_number(value):
        raise ValueError(value)
    return float(value)


def whole(text: bytes) -> int:
    """Return a count; 0 for what is none."""
    digits = as_text(text)
    return int(digits) if re.fullmatch(r"\d{1,15}", digits) else 0
