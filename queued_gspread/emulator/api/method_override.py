"""A POST that stands for a request of another method, as one with a long URL is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from queued_gspread.google_api.methods import OVERRIDE

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORM = "application/x-www-form-urlencoded"


def seen(
    method: str, headers: Mapping[str, str], content: bytes
) -> tuple[str, list[tuple[str, str]], bytes]:
    """Return the method that Google sees, what the body adds to the query, and the body itself."""
    override = headers.get(OVERRIDE, "")
    if method != "POST" or not override:
        return method, [], content
    if not headers.get("Content-Type", "").startswith(_FORM):
        return override.upper(), [], content
    query = parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True)
    return override.upper(), query, b""
