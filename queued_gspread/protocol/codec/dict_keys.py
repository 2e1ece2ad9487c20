"""The keys of dicts that travel.

Numbers hash the same in every process, so an attacker can choose thousands that collide. Building a
dict of them takes minutes, in which no other thread runs. The hashes of text are random.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["MOST_NUMBERS", "TAG", "is_key", "wrong_keys"]

TAG: Final = "~"
"""The key of an object that stands for a value that JSON cannot express."""

MOST_NUMBERS: Final = 100
"""How many keys of one dict may be something other than text."""

_LARGEST: Final = 1 << 63


def is_key(value: object) -> bool:
    """Return whether a dict that travels may have this key: None, text or a 64-bit number."""
    if isinstance(value, int):
        return -_LARGEST <= value < _LARGEST
    return value is None or isinstance(value, (str, float))


def wrong_keys(keys: Collection[Any]) -> str | None:
    """Return what is wrong with the keys of a dict that should travel, if anything."""
    others = [key for key in keys if not isinstance(key, str)]
    if len(others) > MOST_NUMBERS:
        return f"{len(others)} keys that are not text, where {MOST_NUMBERS} may be"
    for key in others:
        if not is_key(key):
            size = ", of more than 64 bits" if isinstance(key, int) else ""
            return f"a key of type {type(key).__qualname__}{size}"
    return None
