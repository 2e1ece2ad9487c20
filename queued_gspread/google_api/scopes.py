"""Which requests Google allows under which OAuth scopes, for the server and the emulator alike.

Source: the discovery documents of Sheets v4, Drive v3 and (for the upload of a CSV) Drive v2;
``tests/google_api/test_google_api_scopes.py`` compares each pair of method and scope with them.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from .methods import METHODS, find
from .paths import path_of
from .responses import made_up_response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from requests import Response

__all__ = [
    "SHEETS_BEFORE_V4",
    "allows",
    "enough_for",
    "full_scope",
    "insufficient",
    "known_scopes",
    "short_scope",
]

SHEETS_BEFORE_V4: Final = "https://spreadsheets.google.com/feeds"
"""The scope of the API before v4; Google still takes it for ``spreadsheets``."""

_AUTH: Final = "https://www.googleapis.com/auth/"
# The discovery documents list these for methods that transfer content too, but they do not grant
# access to content (https://developers.google.com/drive/v2/web/scopes).
_WITHOUT_CONTENT: Final = frozenset(
    _AUTH + name for name in ("drive.metadata", "drive.metadata.readonly", "drive.apps.readonly")
)
_UPLOAD: Final = re.compile("(?:/resumable)?/upload(?=/drive/)")
# For an unknown method, only the scope that covers everything is enough.
_FOR_ANYTHING: Final = "drive"


def allows(
    scopes: Iterable[str], method: str, url: str, query: Iterable[tuple[str, str]] | None = ()
) -> bool:
    """Return whether credentials with these scopes may send a request.

    Args:
        scopes: The credentials' scopes.
        method: The HTTP method that Google sees.
        url: The request's URL, or its path.
        query: The pairs of its query; None if it is unreadable.

    """
    return not enough_for(method, url, query).isdisjoint(scopes)


def enough_for(
    method: str, url: str, query: Iterable[tuple[str, str]] | None = ()
) -> frozenset[str]:
    """Return the scopes of which each is enough for a request; see :func:`allows`."""
    path = path_of(url)
    upload = _UPLOAD.match(path)
    verb = "GET" if method == "HEAD" else method
    called = find(verb, path[upload.end() :] if upload else path)
    enough = _urls(called.scopes if called else _FOR_ANYTHING)
    if upload or query is None or any(map(_asks_for_content, query)):
        enough -= _WITHOUT_CONTENT
    return enough


@cache
def known_scopes() -> frozenset[str]:
    """Return the short names of all scopes of Sheets and Drive."""
    return frozenset(name for method in METHODS for name in method.scopes.split())


def full_scope(name: str) -> str:
    """Return a scope as Google spells it."""
    return _AUTH + name


def short_scope(scope: str) -> str:
    """Return a scope's short name, if it has one."""
    return scope.removeprefix(_AUTH)


@cache
def _urls(names: str) -> frozenset[str]:
    urls = {_AUTH + name for name in names.split()}
    if _AUTH + "spreadsheets" in urls:
        urls.add(SHEETS_BEFORE_V4)
    return frozenset(urls)


def _asks_for_content(pair: tuple[str, str]) -> bool:
    name, value = pair
    return name in ("alt", "$alt") and value.lower() == "media"


def insufficient(endpoint: str) -> Response:
    """Return Google's answer to a request that the scopes do not allow."""
    return made_up_response(403, "Forbidden", _INSUFFICIENT, endpoint)


_INSUFFICIENT: Final = {
    "message": "Request had insufficient authentication scopes.",
    "status": "PERMISSION_DENIED",
    "details": [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "domain": "googleapis.com",
        }
    ],
}
