"""What may be told about an exception: everything but secrets, in some form or other."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, TypeAlias

from queued_gspread.codec.keys import is_key

__all__ = ["clean", "describe", "outline", "scrub"]

_TOKEN: Final = re.compile(r"\b(?P<scheme>Bearer\s+|ya29\.)[\w.~+/=-]{8,}", re.IGNORECASE)
_SECRET_KEYS: Final = frozenset(
    {"authorization", "proxy-authorization", "x-goog-api-key", "cookie", "set-cookie"}
)
_MAX_TEXT: Final = 2000
_MAX_DEPTH: Final = 8

Travels: TypeAlias = Callable[[Any], bool]


def clean(text: str) -> str:
    """Return ``text`` without access tokens."""
    return _TOKEN.sub(r"\g<scheme>***", text)


def describe(value: object) -> str:
    """Return the repr of ``value``, whatever its class makes of it."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - foreign code, and only its text is wanted
        text = object.__repr__(value)
    return clean(text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}...")


def outline(value: object) -> str:
    """Return what can be told about a container whose content must stay here."""
    return f"<{type(value).__module__}.{type(value).__qualname__}>"


def scrub(value: Any, travels: Travels, depth: int = 0) -> Any:
    """Return a copy of ``value`` in which only what travels, and no secret, is left."""
    if isinstance(value, str):
        return value if isinstance(value, Enum) else clean(str.__str__(value))
    if depth > _MAX_DEPTH:
        return outline(value)
    if isinstance(value, Mapping):
        return _scrub_mapping(value, travels, depth + 1)
    for base in (list, tuple):
        if isinstance(value, base):
            return base(scrub(item, travels, depth + 1) for item in value)
    return value if travels(value) else describe(value)


def _scrub_mapping(value: Mapping[Any, Any], travels: Travels, depth: int) -> dict[Any, Any]:
    return {
        key if is_key(key) else describe(key): scrub(item, travels, depth)
        for key, item in value.items()
        if not (isinstance(key, str) and key.lower() in _SECRET_KEYS)
    }
