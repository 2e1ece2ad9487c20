"""The page from which one sheet is exported: docs.google.com/spreadsheets/d/ID/export.

The page belongs to no API and only reads. Google redirects the request to a URL for that one file.
Knowing that URL is enough to fetch it, so credentials do not go there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import requests
from gspread.exceptions import APIError

from .idempotency import query_of

if TYPE_CHECKING:
    from .request import Request

__all__ = ["fetched", "is_export"]

# Matched on the raw text, since two parsers may find two different hosts in one URL.
_PAGE: Final = re.compile(
    r"https://docs\.google\.com/spreadsheets/d/([A-Za-z0-9_-]+)/export(?:\?[^#]*)?"
)
_CONTENT: Final = re.compile(r"https://[a-z0-9-]+\.googleusercontent\.com/[\x21-\x7e]*")


def is_export(request: Request) -> bool:
    """Return whether a request reads that page, and only for the spreadsheet in its path."""
    found = _PAGE.fullmatch(str(request.endpoint))
    if found is None or request.method.upper() != "GET":
        return False
    pairs = query_of(request)
    return pairs is not None and all(value == found[1] for name, value in pairs if name == "id")


def fetched(answer: Any, request: Request, timeout: Any) -> Any:
    """Return the file that the page redirects to; any other answer unchanged.

    Raises:
        APIError: Google refuses it. This is the error that gspread would raise.

    """
    if not (isinstance(answer, requests.Response) and answer.is_redirect and is_export(request)):
        return answer
    place = answer.headers["Location"]
    if not _CONTENT.fullmatch(place):
        return answer
    with requests.Session() as session:  # without the token, and without cookies
        content = session.get(place, timeout=timeout, allow_redirects=False)
    content.url = answer.url
    if not content.ok:
        raise APIError(content)
    return content
