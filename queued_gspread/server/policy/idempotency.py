"""Whether a request may be sent twice when nobody knows whether the first was applied.

It may if the second changes nothing more and is answered alike. What is in no table here is not
repeated, nor is what cannot be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from queued_gspread.google_api.methods import READING_POSTS
from queued_gspread.google_api.paths import path_of

from .batch_idempotency import is_idempotent_batch
from .request import CREDENTIALS, Request, method_of

__all__ = [
    "ROUTES",
    "Route",
    "as_text",
    "body_of",
    "is_idempotent",
    "query_of",
    "route",
    "route_of",
    "url_of",
]

Json = dict[str, Any]


@dataclass(frozen=True)
class Route:
    """A method and a path of Google's, and what a request to it does.

    Attributes:
        method: In capitals.
        path: A regular expression.
        answer: Whether it may be repeated.
        what: What it does, in a word; '' for what changes nothing.

    """

    method: str
    path: str
    answer: bool | Callable[[Request], bool]
    what: str = ""


def is_idempotent(request: Request) -> bool:
    """Tell whether a request may be sent again when nobody knows whether it was applied."""
    method = method_of(request)
    if method in ("GET", "HEAD", CREDENTIALS):
        return True
    if request.files or not isinstance(request.data, str | bytes | Mapping | None):
        return False  # a file or a generator has been read to its end
    found = route_of(request)
    if found is None:
        return False
    return found.answer if isinstance(found.answer, bool) else found.answer(request)


def route_of(request: Request) -> Route | None:
    """Return what the table says of a request; None if it does not know it."""
    return route(method_of(request), url_of(request)[0])


def route(method: str, path: str) -> Route | None:
    """Return what the table says of a method and a path; None if it does not know them."""
    for known in ROUTES:
        if known.method == method and re.fullmatch(known.path, path):
            return known
    return None


def url_of(request: Request) -> tuple[str, str]:
    """Return the path and the query of its endpoint; nothing where that cannot be read."""
    try:
        parts = urlsplit(request.endpoint)
    except (ValueError, AttributeError, TypeError):
        return "", ""
    return path_of(str(request.endpoint)), str(parts.query)


def query_of(request: Request) -> list[tuple[str, str]] | None:
    """Return the pairs of the query as sent, of the endpoint and the params; None if unreadable."""
    params = request.params or ()
    pairs = parse_qsl(url_of(request)[1], keep_blank_values=True)
    if isinstance(params, str | bytes):
        return pairs + parse_qsl(as_text(params), keep_blank_values=True)
    if isinstance(params, Mapping):
        params = list(params.items())
    if not isinstance(params, list | tuple):
        return None
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in params):  # noqa: PLR2004 - a pair
        return None
    # requests takes lists apart, and has urllib do so with what is in them.
    given = ((name, value) for name, values in params for value in _each(values))
    sent = ((name, each) for name, value in given if value is not None for each in _each(value))
    return pairs + [(as_text(name), as_text(value)) for name, value in sent]


def _each(values: Any) -> Iterable[Any]:
    """Return the values of a parameter, which are sent one by one."""
    is_one = isinstance(values, str | bytes) or not isinstance(values, Iterable)
    return [values] if is_one else values


def as_text(value: Any) -> str:
    """Return a name or a value of a parameter as it is sent."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str.__str__(value) if isinstance(value, str) else str(value)


def body_of(request: Request) -> Json | None:
    """Return the JSON object that is sent; None if it is none or cannot be read."""
    body = request.json
    if request.data:  # requests sends this one, if both are given
        if not isinstance(request.data, str | bytes):
            return None
        try:
            body = json.loads(request.data, object_pairs_hook=_distinct)
        except (ValueError, RecursionError):
            return None
    return body if isinstance(body, dict) else None


def _distinct(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice: which one Google takes is not known")
    return found


def _batch(request: Request) -> bool:
    """Judge a ``spreadsheets:batchUpdate``."""
    return is_idempotent_batch(body_of(request))


def _renames(request: Request) -> bool:
    """Judge a PATCH of a file: adding a parent twice is refused, as is taking it away."""
    body, query = body_of(request), query_of(request)
    if body is None or query is None:
        return False
    known = {"appProperties", "description", "name", "properties", "starred", "trashed"}
    return body.keys() <= known and {name for name, _ in query} <= _COMMON_PARAMS


def _replaces_content(request: Request) -> bool:
    """Judge an upload in place of a file's content; other types of upload carry metadata."""
    query = query_of(request)
    if query is None or not isinstance(request.data, str | bytes):
        return False
    known = _COMMON_PARAMS | {"convert", "newRevision", "uploadType"}
    types = [value for name, value in query if name == "uploadType"]
    return types == ["media"] and {name for name, _ in query} <= known


_COMMON_PARAMS: Final = frozenset(
    {"alt", "fields", "key", "prettyPrint", "quotaUser", "supportsAllDrives", "supportsTeamDrives"}
)

_SHEETS: Final = "/v4/spreadsheets"
_ONE: Final = f"{_SHEETS}/[^/:]+"
_RANGE: Final = f"{_ONE}/values/[^/]+"  # may have a colon in it: the last one begins the verb
_FILES: Final = "/drive/v3/files"
_FILE: Final = f"{_FILES}/[^/:]+"

ROUTES: Final = (
    Route("POST", _SHEETS, False, "create"),
    Route("POST", f"{_ONE}:batchUpdate", _batch, "batch"),
    *(Route("POST", path, True) for path in READING_POSTS),
    Route("POST", f"{_ONE}/sheets/[0-9]+:copyTo", False, "copy sheet"),
    Route("PUT", _RANGE, True, "values"),
    Route("POST", f"{_RANGE}:append", False, "append"),
    Route("POST", f"{_RANGE}:clear", True, "values"),
    Route("POST", f"{_ONE}/values:batchClear", True, "values"),
    Route("POST", f"{_ONE}/values:batchUpdate", True, "values"),
    # Values are neither places nor metadata: the filters select the same cells again.
    Route("POST", f"{_ONE}/values:batchClearByDataFilter", True, "values"),
    Route("POST", f"{_ONE}/values:batchUpdateByDataFilter", True, "values"),
    Route("POST", _FILES, False, "make file"),
    Route("POST", f"{_FILE}/copy", False, "copy file"),
    Route("POST", f"{_FILE}/comments", False, "comment"),
    Route("POST", f"{_FILE}/permissions", False, "share"),  # sends another mail
    Route("PATCH", _FILE, _renames, "change file"),
    # Who takes a right from himself is refused the second time; an owner to be gets a mail.
    Route("PATCH", f"{_FILE}/permissions/[^/:]+", False, "change share"),
    Route("DELETE", _FILE, False, "delete file"),  # a second one answers 404
    Route("DELETE", f"{_FILE}/permissions/[^/:]+", False, "unshare"),  # as does this
    Route("PUT", "/upload/drive/v2/files/[^/:]+", _replaces_content, "upload"),
)
"""Google's methods and paths that are known, reads aside; the first that fits counts."""
