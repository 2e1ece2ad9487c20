"""Which requests Google allows under which OAuth scopes, for the server and the emulator alike.

Source: the discovery documents of Sheets v4, Drive v3 and (for the upload of a CSV) Drive v2;
``tests/google_api/test_google_api_scopes.py`` compares each pair of method and scope with them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .paths import path_of
from .responses import made_up_response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from requests import Response

__all__ = ["SHEETS_BEFORE_V4", "allows", "insufficient"]

SHEETS_BEFORE_V4: Final = "https://spreadsheets.google.com/feeds"
"""The scope of the API before v4; Google still takes it for ``spreadsheets``."""

_AUTH: Final = "https://www.googleapis.com/auth/"
_FILE: Final = "drive drive.file"
_WRITE_CELLS: Final = f"{_FILE} spreadsheets"
_READ_FILE: Final = f"{_FILE} drive.meet.readonly drive.readonly"
_READ_METADATA: Final = f"{_FILE} drive.metadata drive.metadata.readonly drive.readonly"
_READ_ALL: Final = f"{_READ_METADATA} drive.appdata drive.meet.readonly drive.photos.readonly"

_SHEETS: Final = {
    f"{_WRITE_CELLS} drive.readonly spreadsheets.readonly": """
        GET {id}
        GET {id}/values/{range}
        GET {id}/values:batchGet
    """,
    _WRITE_CELLS: """
        GET {id}/developerMetadata/{metadata}
        POST
        POST {id}/developerMetadata:search
        POST {id}/sheets/{sheet}:copyTo
        POST {id}/values/{range}:append
        POST {id}/values/{range}:clear
        POST {id}/values:batchClear
        POST {id}/values:batchClearByDataFilter
        POST {id}/values:batchGetByDataFilter
        POST {id}/values:batchUpdate
        POST {id}/values:batchUpdateByDataFilter
        POST {id}:batchUpdate
        POST {id}:getByDataFilter
        PUT {id}/values/{range}
    """,
}

_DRIVE: Final = {
    "drive": """
        DELETE drives/{drive}
        DELETE files/trash
        DELETE teamdrives/{drive}
        GET files/generateCseToken
        PATCH drives/{drive}
        PATCH teamdrives/{drive}
        POST drives
        POST drives/{drive}/hide
        POST drives/{drive}/unhide
        POST teamdrives
    """,
    "drive drive.readonly": """
        GET drives
        GET drives/{drive}
        GET teamdrives
        GET teamdrives/{drive}
    """,
    _FILE: """
        DELETE files/{id}/comments/{comment}
        DELETE files/{id}/comments/{comment}/replies/{reply}
        DELETE files/{id}/permissions/{permission}
        PATCH files/{id}/comments/{comment}
        PATCH files/{id}/comments/{comment}/replies/{reply}
        PATCH files/{id}/permissions/{permission}
        POST files/{id}/accessproposals/{proposal}:resolve
        POST files/{id}/comments
        POST files/{id}/comments/{comment}/replies
        POST files/{id}/permissions
    """,
    f"{_FILE} drive.appdata": """
        DELETE files/{id}
        DELETE files/{id}/revisions/{revision}
        GET files/generateIds
        PATCH files/{id}/revisions/{revision}
        POST files
    """,
    f"{_FILE} drive.appdata drive.photos.readonly": """
        POST files/{id}/copy
    """,
    f"{_FILE} drive.appdata drive.metadata drive.scripts": """
        PATCH files/{id}
    """,
    f"{_FILE} drive.metadata": """
        POST files/{id}/approvals/{approval}:approve
        POST files/{id}/approvals/{approval}:cancel
        POST files/{id}/approvals/{approval}:comment
        POST files/{id}/approvals/{approval}:decline
        POST files/{id}/approvals/{approval}:reassign
        POST files/{id}/approvals:start
        POST files/{id}/modifyLabels
    """,
    f"{_FILE} drive.readonly": """
        POST files/{id}/download
    """,
    _READ_FILE: """
        GET files/{id}/comments
        GET files/{id}/comments/{comment}
        GET files/{id}/comments/{comment}/replies
        GET files/{id}/comments/{comment}/replies/{reply}
        GET files/{id}/export
        GET operations/{operation}
    """,
    _READ_METADATA: """
        GET files/{id}/accessproposals
        GET files/{id}/accessproposals/{proposal}
    """,
    f"{_READ_METADATA} drive.appdata": """
        GET files/{id}/approvals
        GET files/{id}/approvals/{approval}
    """,
    f"{_READ_METADATA} drive.appdata drive.photos.readonly": """
        GET about
    """,
    f"{_READ_METADATA} drive.appdata drive.apps.readonly": """
        GET apps/{app}
    """,
    f"{_READ_METADATA} drive.meet.readonly": """
        GET files/{id}/listLabels
    """,
    f"{_READ_METADATA} drive.meet.readonly drive.photos.readonly": """
        GET files/{id}/permissions
        GET files/{id}/permissions/{permission}
    """,
    "drive.apps.readonly": """
        GET apps
    """,
    _READ_ALL: """
        GET changes
        GET changes/startPageToken
        GET files
        GET files/{id}
        GET files/{id}/revisions
        GET files/{id}/revisions/{revision}
        POST changes/watch
        POST channels/stop
        POST files/{id}/watch
    """,
}

_DRIVE_BEFORE_V3: Final = {
    f"{_FILE} drive.appdata drive.apps.readonly drive.metadata drive.scripts": """
        PUT files/{id}
    """,
}

# It is in no description: what it shows is what files.export does.
_EXPORT_PAGE: Final = {_READ_FILE: "GET {id}/export"}

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


def _rows(
    beginning: str, table: dict[str, str]
) -> Iterator[tuple[int, str, re.Pattern[str], frozenset[str]]]:
    for names, methods in table.items():
        scopes = {_AUTH + name for name in names.split()}
        if "spreadsheets" in names.split():
            scopes.add(SHEETS_BEFORE_V4)
        for line in filter(None, map(str.strip, methods.splitlines())):
            verb, _, path = line.partition(" ")
            pattern = re.compile(beginning + ("/" if path else "") + _PLACEHOLDER.sub(_part, path))
            yield path.count("{"), verb, pattern, frozenset(scopes)


def _part(found: re.Match[str]) -> str:
    return ".+" if found[1] == "range" else "[^/:]+"  # the name of a sheet may have any character


_METHODS: Final = [
    *_rows("/v4/spreadsheets", _SHEETS),
    *_rows("/spreadsheets/d", _EXPORT_PAGE),
    *_rows("(?:(?:/resumable)?/upload)?/drive/v3", _DRIVE),
    *_rows("(?:(?:/resumable)?/upload)?/drive/v2", _DRIVE_BEFORE_V3),
]
# A name in a path, such as files/trash, comes before what would take it for an id.
_METHODS.sort(key=lambda row: row[0])
# The descriptions list them for methods that move content too, but to what they allow no content
# belongs (https://developers.google.com/drive/v2/web/scopes).
_WITHOUT_CONTENT: Final = frozenset(
    _AUTH + name for name in ("drive.metadata", "drive.metadata.readonly", "drive.apps.readonly")
)
_UPLOAD: Final = re.compile("(?:/resumable)?/upload/")
# Nobody knows what else is for, so no scope is enough that leaves anything out.
_FOR_ANYTHING: Final = frozenset({_AUTH + "drive"})


def allows(
    scopes: Iterable[str], method: str, url: str, query: Iterable[tuple[str, str]] | None = ()
) -> bool:
    """Tell whether credentials with these scopes may send a request.

    Args:
        scopes: Theirs.
        method: The HTTP method that Google sees.
        url: The request's, or its path.
        query: The pairs of its query; None if nobody can read it.

    """
    path = path_of(url)
    enough = _enough("GET" if method == "HEAD" else method, path)
    if _UPLOAD.match(path) or query is None or any(map(_asks_for_content, query)):
        enough -= _WITHOUT_CONTENT
    return not enough.isdisjoint(scopes)


def _asks_for_content(pair: tuple[str, str]) -> bool:
    name, value = pair
    return name in ("alt", "$alt") and value.lower() == "media"


def _enough(verb: str, path: str) -> frozenset[str]:
    """Return the scopes of which one is enough for a request."""
    for _, method, pattern, scopes in _METHODS:
        if method == verb and pattern.fullmatch(path):
            return scopes
    return _FOR_ANYTHING


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
