"""What a call may put on the wire: only requests that everyone on the way reads alike.

The requests of all calls share connections and the server's token. So a request must have a single
reading: its path names its spreadsheet literally, and only the requests library frames it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import parse_qsl, urlsplit

from queued_gspread.errors import CallRefusedError
from queued_gspread.google_api.methods import OVERRIDE
from queued_gspread.google_api.paths import path_of

from .idempotency import as_text

if TYPE_CHECKING:
    from .request import Request

__all__ = ["HEADERS", "METHODS", "inspect"]

METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
"""The methods that Google's APIs have."""

HEADERS: Final = frozenset(
    {
        "accept",
        "accept-language",
        "cache-control",
        "content-type",
        "user-agent",
        "x-goog-api-client",
        "x-goog-drive-resource-keys",
        "x-goog-fieldmask",
        "x-goog-request-params",
        "x-goog-request-reason",
        "x-goog-user-project",
        OVERRIDE,
    }
)
"""The headers that a call may set: none that frames a request, routes it or authenticates it."""

_WITHOUT_BODY: Final = ("DELETE", "GET", "HEAD")
# For other objects, requests takes the number of items for the number of bytes.
_MEASURED: Final = (str, bytes, Mapping, list, tuple, type(None))
# Parameters that make Google treat a request as another one, or as another account's.
_STEERING: Final = re.compile(r"\$http.*|\$?(access|bearer|oauth)_token", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[\t\x20-\x7e]*")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_HIDDEN_SLASH: Final = re.compile(r"\\|%2f|%5c", re.IGNORECASE)
# A sheet's name may have slashes; it is part of the last segment.
_BEFORE_RANGE: Final = re.compile(r"(/v4/spreadsheets/[^/]+/values/)[^/]*")
_SHOWN: Final = 80


def inspect(request: Request) -> None:
    """Check a call's request before it is sent.

    Raises:
        CallRefusedError: It must not be sent; the text says why.

    """
    method = request.method.upper()
    if method not in METHODS:
        _refuse(f"the HTTP method {_cut(request.method)}", f"take one of {', '.join(METHODS)}")
    _inspect_url(str(request.endpoint))
    _inspect_params(request)
    _inspect_headers(request)
    _inspect_body(request, method)


def _inspect_url(url: str) -> None:
    if _CONTROL.search(url):
        _refuse_url(url, "it has control characters in it")
    path = path_of(url)
    segments = path.split("/")
    if "." in segments or ".." in segments or "//" in path:
        _refuse_url(url, 'its path has ".", ".." or nothing between two slashes')
    found = _BEFORE_RANGE.fullmatch(path)
    if _HIDDEN_SLASH.search(found[1] if found else path):
        _refuse_url(url, "its path has an escaped slash, or a backslash")
    if segments[1:2] == ["batch"]:
        _refuse_url(url, "send what is in the batch one by one: the quota counts it")


def _refuse_url(url: str, why: str) -> NoReturn:
    _refuse(f"the URL {_cut(re.split('[?#]', url)[0])}", why)  # a key may stand in the rest


def _inspect_params(request: Request) -> None:
    params = request.params
    if not isinstance(params, _MEASURED):
        _refuse(f"params of type {type(params).__name__}", "take a dict")
    names = _names_in(params)
    if in_url := urlsplit(str(request.endpoint)).query:
        names += _names_in(in_url)
    for name in names:
        if _STEERING.fullmatch(name):
            _refuse(f"the parameter {_cut(name)}", "say it by the method, and by the account")


def _names_in(params: Any) -> list[str]:
    """Return the names of parameters, in any form that requests accepts."""
    if isinstance(params, (str, bytes)):
        return [name for name, _ in parse_qsl(as_text(params), keep_blank_values=True)]
    if isinstance(params, Mapping):
        return list(map(as_text, params))
    pairs = params or ()
    if not all(isinstance(pair, (list, tuple)) and pair for pair in pairs):
        _refuse("params that are no pairs", "take a dict")
    return [as_text(name) for name, *_ in pairs]


def _inspect_headers(request: Request) -> None:
    headers = request.headers
    if headers is None:
        return
    if not isinstance(headers, Mapping):
        _refuse(f"headers of type {type(headers).__name__}", "take a dict")
    for name, value in headers.items():
        if not (isinstance(name, str) and name.isascii() and name.lower() in HEADERS):
            allowed = ", ".join(sorted(HEADERS))
            _refuse(f"the header {_cut(name)}", f"a call may set {allowed} alone")
        if not (isinstance(value, str) and _PLAIN.fullmatch(value)):
            _refuse(f"the value of the header {_cut(name)}", "take ASCII text on one line")
    if not request.verb:
        _refuse(f"the header {OVERRIDE!r}", "it may say GET, of a POST, and nothing else")


def _inspect_body(request: Request, method: str) -> None:
    if not isinstance(request.data, _MEASURED):
        _refuse(f"data of type {type(request.data).__name__}", "take bytes, text or a dict")
    has_body = bool(request.data or request.files) or request.json is not None
    if has_body and method in _WITHOUT_BODY:
        _refuse(f"a {method} with a body", "leave data, json and files out")


def _refuse(what: str, why: str) -> NoReturn:
    raise CallRefusedError(f"{what} is refused: {why}")


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
