"""Which requests Google allows under which OAuth scopes.

Source: the "Authorization scopes" of each method at
https://developers.google.com/workspace/sheets/api/reference/rest and
https://developers.google.com/workspace/drive/api/reference/rest/v3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .responses import made_up_response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from requests import Response

__all__ = ["allows", "insufficient"]

_AUTH: Final = "https://www.googleapis.com/auth/"
_BOTH: Final = frozenset({_AUTH + "drive", _AUTH + "drive.file"})
_READ_BOTH: Final = _BOTH | {_AUTH + "drive.readonly"}
# The scope of the API before v4; Google still takes it for Sheets.
_SHEETS: Final = _BOTH | {_AUTH + "spreadsheets", "https://spreadsheets.google.com/feeds"}
_READ_SHEETS: Final = _SHEETS | _READ_BOTH | {_AUTH + "spreadsheets.readonly"}
_READ_DRIVE: Final = _READ_BOTH | {_AUTH + "drive.metadata", _AUTH + "drive.metadata.readonly"}

_ENOUGH: Final = {
    ("sheets", "read"): _READ_SHEETS,
    ("sheets", "write"): _SHEETS,
    ("drive", "read"): _READ_DRIVE,
    ("drive", "write"): _BOTH,
}


def allows(scopes: Iterable[str], method: str, endpoint: str) -> bool:
    """Tell whether credentials with these scopes may send a request."""
    service = "sheets" if urlsplit(endpoint).hostname == "sheets.googleapis.com" else "drive"
    access = "read" if method.upper() == "GET" else "write"
    return not _ENOUGH[service, access].isdisjoint(scopes)


def insufficient(endpoint: str) -> Response:
    """Return Google's answer to a request that its scopes do not allow."""
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
