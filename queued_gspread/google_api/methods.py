"""What Google counts a request as.

Google counts by the method of the API: "Read requests are calls to any method that retrieves data
from a spreadsheet, such as get or search. Write requests are calls to any method that changes a
spreadsheet" (https://developers.google.com/workspace/sheets/api/limits). So three methods that are
called by POST read. The server and the emulator both go by this module.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["OVERRIDE", "READING_POSTS", "kind_of", "reads"]

OVERRIDE: Final = "x-http-method-override"
"""The header that has Google take a POST for a request of another method."""

READING_POSTS: Final = tuple(
    f"/v4/spreadsheets/[^/:]+{method}"
    for method in (":getByDataFilter", "/values:batchGetByDataFilter", "/developerMetadata:search")
)
"""The paths, as regular expressions, of the methods that read although they are called by POST."""

_READS_BY_POST: Final = re.compile("|".join(READING_POSTS))
# What is not known as Drive's has the limits of the Sheets API. Nobody says what the page is
# counted as from which a sheet is exported, but it is not of that API.
_DRIVE: Final = ("/drive/", "/upload/drive/", "/spreadsheets/d/")


def reads(method: str, path: str) -> bool:
    """Tell whether a request changes nothing, by the method that Google sees."""
    return method in ("GET", "HEAD") or (
        method == "POST" and _READS_BY_POST.fullmatch(path) is not None
    )


def kind_of(method: str, path: str) -> str:
    """Return what a request counts as, by the method that Google sees: read, write or drive."""
    if path.startswith(_DRIVE):
        return "drive"
    return "read" if reads(method, path) else "write"
