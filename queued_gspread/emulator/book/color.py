"""Colours as the API stores them: eight bits a channel, as 32-bit floats, zeros left out."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]
_CHANNELS = ("red", "green", "blue")
_STEPS = 255
_SHORTEST, _EXACT = 6, 10


def stored_color(color: Json) -> Json:
    """Return a colour as it comes back: a channel is between none and all of it."""
    shares = {name: min(max(color.get(name) or 0, 0), 1) for name in _CHANNELS}
    return _color({n: int(_as_single(_as_single(part) * _STEPS)) for n, part in shares.items()})


def color_of(code: int) -> Json:
    """Return the colour of a code such as 0xFF6D01."""
    return _color(dict(zip(_CHANNELS, code.to_bytes(3, "big"), strict=True)))


def _color(levels: Mapping[str, int]) -> Json:
    return {name: _single(level / _STEPS) for name, level in levels.items() if level}


def _single(value: float) -> float:
    """Return the shortest decimal that is the same 32-bit float."""
    exact = _as_single(value)
    for digits in range(_SHORTEST, _EXACT):
        shortest = float(f"{exact:.{digits}g}")
        if _as_single(shortest) == exact:
            break
    return int(shortest) if shortest.is_integer() else shortest


def _as_single(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def with_color_styles(value: Any) -> Any:
    """Return a format with its colours stored and each named once more as a ColorStyle."""
    if not isinstance(value, dict):
        return value
    found: Json = {}
    for name, part in value.items():
        if name == "rgbColor" or _is_color(name):
            found[name] = stored_color(part or {})
        else:
            found[name] = with_color_styles(part)
    for name in list(found):
        if _is_color(name):
            found.setdefault(name + "Style", {"rgbColor": dict(found[name])})
        if name.endswith("ColorStyle") and "rgbColor" in found[name]:
            found.setdefault(name.removesuffix("Style"), dict(found[name]["rgbColor"]))
    return found


def _is_color(name: str) -> bool:
    """Whether a field is a Color; a ColorStyle's `themeColor` is the name of one."""
    return name.lower().endswith("color") and name not in {"rgbColor", "themeColor"}
