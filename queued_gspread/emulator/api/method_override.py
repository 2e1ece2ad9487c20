"""A POST that overrides its method, as is usual for a GET with a long URL."""

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
    """Return the method as Google sees it, the additional query from the body, and the body."""
    override = headers.get(OVERRIDE, "")
    if method != "POST" or not override:
        return method, [], content
    if not headers.get("Content-Type", "").startswith(_FORM):
        return override.upper(), [], content
    query = parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True)
    return override.upper(), query, b""
