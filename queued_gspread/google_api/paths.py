"""The path of a URL as it is put on the wire: it says whose quota and whose lane a request is."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from requests.utils import unquote_unreserved

__all__ = ["path_of"]

# requests sends each "%" of a path with such a one as "%25".
_BROKEN_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")


def path_of(url: str) -> str:
    """Return a URL's path as requests sends it, where needless escapes are undone.

    Dot segments stay: the server refuses them. An unreadable URL has no path.
    """
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    if "%" not in path or _BROKEN_ESCAPE.search(path):
        return path
    return unquote_unreserved(path)
