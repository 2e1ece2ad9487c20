"""The path of a URL as sent on the wire, which decides a request's quota and lane."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from requests.utils import unquote_unreserved

__all__ = ["path_of"]

# If a path has one of these, requests sends each of its "%" as "%25".
_BROKEN_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")


def path_of(url: str) -> str:
    """Return a URL's path as requests sends it, with needless escapes undone.

    Dot segments stay, since the server refuses them. An unreadable URL has no path.
    """
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    if "%" not in path or _BROKEN_ESCAPE.search(path):
        return path
    return unquote_unreserved(path)
