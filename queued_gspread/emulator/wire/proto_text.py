"""JSON values in protocol buffers' text format, in which Google's errors quote them."""

from __future__ import annotations

import math
from typing import Any

_INDENT = "  "


def proto_text(value: Any) -> str:
    """Return a value as the fields of a google.protobuf.Value, line by line."""
    return "".join(line + "\n" for line in _lines(value))


def _lines(value: Any) -> list[str]:
    if isinstance(value, list):
        inner = [line for item in value for line in _block("values", _lines(item))]
        return _block("list_value", inner)
    if isinstance(value, dict):
        entries = (
            _block("fields", [f"key: {_quoted(key)}", *_block("value", _lines(item))])
            for key, item in value.items()
        )
        return _block("struct_value", [line for entry in entries for line in entry])
    return [_plain(value)]


def _block(name: str, lines: list[str]) -> list[str]:
    return [f"{name} {{", *(_INDENT + line for line in lines), "}"]


def _plain(value: Any) -> str:
    if value is None:
        return "null_value: NULL_VALUE"
    if isinstance(value, bool):
        return f"bool_value: {str(value).lower()}"
    if isinstance(value, str):
        return f"string_value: {_quoted(value)}"
    return f"number_value: {_as_float(value)!r}"


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
