"""JSON text to and from bytes: the one place that knows which JSON library is used.

The text is UTF-8 in which a lone surrogate is encoded like any other character (Python's
``surrogatepass``): an escape would not do, since two escapes in a row would come back as one
character.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

from queued_gspread._interrupts import own

__all__ = ["Hook", "decoder", "fits", "pack", "unpack"]

Hook: TypeAlias = Callable[[list[tuple[str, Any]]], Any]

# Cycles are found while the tree is built, so checking for them again would be waste.
_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
).encode


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def decoder(hook: Hook | None = None) -> json.JSONDecoder:
    """Return a decoder that calls ``hook`` with the pairs of every JSON object."""
    return json.JSONDecoder(object_pairs_hook=hook, parse_constant=_refuse_constant)


def pack(tree: Any, /) -> bytes:
    """Encode a tree of JSON values; raise ValueError if a number has no JSON form."""
    return _encode(tree).encode("utf-8", "surrogatepass")


def fits(tree: Any, /) -> bool:
    """Return whether every number in ``tree`` has a JSON form."""
    try:
        _encode(tree)
    except own(ValueError):
        return False
    return True


def unpack(data: bytes, reader: json.JSONDecoder, /) -> Any:
    """Decode one JSON document; raise ValueError or RecursionError if it is not one."""
    return reader.decode(data.decode("utf-8", "surrogatepass"))
