"""Texts that anyone may have written, as they can be shown."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["shown"]

_LONGEST: Final = 200


def shown(text: Any) -> str:
    """Return a text that can be shown on one line, whoever has written it."""
    line = str(text)[:_LONGEST]
    if line.isprintable():
        return line
    return "".join(sign if sign.isprintable() else "?" for sign in line)
