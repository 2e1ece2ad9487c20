"""The keys of dicts that travel.

Numbers have the same hashes in every process, so somebody may choose thousands that fall together.
To make a dict of them takes minutes, in which no other thread runs. The hashes of text are random.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["MOST_NUMBERS", "TAG", "is_key", "wrong_keys"]

TAG: Final = "~"
"""The key of an object that stands for a value JSON has no word for."""

MOST_NUMBERS: Final = 100
"""How many keys of one dict may be something else than text."""

_LARGEST: Final = 1 << 63


def is_key(value: object) -> bool:
    """Tell whether a dict that travels may have such a key: text, or a number of usual size."""
    if isinstance(value, int):
        return -_LARGEST <= value < _LARGEST
    return value is None or isinstance(value, (str, float))


def wrong_keys(keys: Collection[Any]) -> str | None:
    """Say what keeps keys from being those of a dict that travels, if anything."""
    others = [key for key in keys if not isinstance(key, str)]
    if len(others) > MOST_NUMBERS:
        return f"{len(others)} keys that are not text, where {MOST_NUMBERS} may be"
    for key in others:
        if not is_key(key):
            size = ", of more than 64 bits" if isinstance(key, int) else ""
            return f"a key of type {type(key).__qualname__}{size}"
    return None
