"""Texts and numbers whose class spells them differently from their plain value.

gspread puts ids, ranges and numbers into URLs by ``%`` and ``format()``, which ask the class, and
into JSON by their value. So a member of a ``(str, Enum)`` is ``Sheet.ORDERS`` in one place and
``the-id`` in another, depending on gspread's code and on the version of Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["has_own_spelling"]

_PLAIN: Final[dict[type, Callable[[Any], Any]]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
}
_USUAL: Final = frozenset({*_PLAIN, bool, list, dict, tuple, type(None)})


def has_own_spelling(value: object) -> bool:
    """Return whether a text or a number is spelled differently from its plain value."""
    cls = type(value)
    if cls in _USUAL or cls.__module__ == "gspread.utils":  # its enums are known
        return False
    for base, plain in _PLAIN.items():
        if issubclass(cls, base):
            try:
                return {str(value), format(value)} != {str(plain(value))}
            except Exception:  # noqa: BLE001 - foreign code: let gspread meet it
                return True
    return False
