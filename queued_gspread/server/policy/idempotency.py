"""Whether a request is idempotent: a second one changes nothing more and is answered alike.

The rule of each method is in :mod:`queued_gspread.google_api.methods`; here is what the rules
mean. What has no row there is not retried, nor is what cannot be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from queued_gspread.google_api import methods
from queued_gspread.google_api.methods import Idempotence
from queued_gspread.google_api.paths import path_of

from .batch_idempotency import is_idempotent_batch
from .request import CREDENTIALS, Request, method_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["as_text", "is_idempotent", "json_sent", "known_method", "query_of", "url_of"]

Json = dict[str, Any]


def is_idempotent(request: Request) -> bool:
    """Tell whether a request may be retried when nobody knows whether it was applied."""
    verb = method_of(request)
    if verb in ("GET", "HEAD", CREDENTIALS):
        return True
    if request.files or not isinstance(request.data, str | bytes | Mapping | None):
        return False  # a file or a generator has been read to its end
    method = known_method(request)
    if method is None or isinstance(method.idempotent, str):
        return False
    return _RULES[method.idempotent](request)


def known_method(request: Request) -> methods.Method | None:
    """Return the method that a request calls; None if that is not known for certain."""
    path = url_of(request)[0]
    found = methods.find(method_of(request), path)
    # Google is not known to take a range with a slash, that is no escaped one, for one range.
    return found if found and path.count("/") == found.path.count("/") else None


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


def json_sent(request: Request) -> Json | None:
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


def _is_idempotent_batch(request: Request) -> bool:
    return is_idempotent_batch(json_sent(request))


def _sets_metadata(request: Request) -> bool:
    """Judge a PATCH of a file: adding a parent twice is refused, as is taking it away."""
    body, query = json_sent(request), query_of(request)
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

_RULES: Final[dict[Idempotence, Callable[[Request], bool]]] = {
    Idempotence.ALWAYS: lambda _: True,
    Idempotence.BATCH: _is_idempotent_batch,
    Idempotence.METADATA: _sets_metadata,
    Idempotence.CONTENT: _replaces_content,
}
