"""The path of a URL as it is put on the wire: it says whose quota and whose lane a request is."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from requests.exceptions import InvalidURL
from requests.utils import unquote_unreserved

__all__ = ["path_of"]

_UNREADABLE: Final = ""


def path_of(url: str) -> str:
    """Return a URL's path as requests sends it, where needless escapes are undone.

    Dot segments stay: the server refuses them. An unreadable URL has no path.
    """
    try:
        path = urlsplit(url).path
    except ValueError:
        return _UNREADABLE
    try:
        return unquote_unreserved(path) if "%" in path else path
    except InvalidURL:
        return path  # requests sends each "%" of it as "%25"
