"""Whether a request is idempotent: a second one changes nothing more and gets the same answer.

The rule for each method is in :mod:`queued_gspread.google_api.methods`; this module applies it.
A write that has no row there, or cannot be read, counts as non-idempotent. What follows from that
after a failure is decided in :mod:`queued_gspread.server.sending.sender`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from queued_gspread.google_api.methods import Idempotence, Method

from .batch_idempotency import is_idempotent_batch
from .request import CREDENTIALS, Request

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["as_text", "is_idempotent", "json_sent", "known_method", "query_of"]

Json = dict[str, Any]


def is_idempotent(request: Request) -> bool:
    """Return whether a request may be retried when it is unknown whether it was applied."""
    if request.verb in ("GET", "HEAD", CREDENTIALS):
        return True
    if request.files or not isinstance(request.data, str | bytes | Mapping | None):
        return False  # the first attempt has used up a file or a generator
    method = known_method(request)
    if method is None or isinstance(method.idempotent, str):
        return False
    return method.idempotent is Idempotence.ALWAYS or _RULES[method.idempotent](request)


def known_method(request: Request) -> Method | None:
    """Return the method that a request calls; None if that is uncertain."""
    found = request.called
    # Whether Google takes a range with an unescaped slash for one range is not known.
    return found if found and request.path.count("/") == found.path.count("/") else None


def query_of(request: Request) -> list[tuple[str, str]] | None:
    """Return the query as sent, from the endpoint and the params; None if unreadable."""
    params = request.params or ()
    pairs = parse_qsl(_query_in_url(request), keep_blank_values=True)
    if isinstance(params, str | bytes):
        return pairs + parse_qsl(as_text(params), keep_blank_values=True)
    if isinstance(params, Mapping):
        params = list(params.items())
    if not isinstance(params, list | tuple):
        return None
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in params):  # noqa: PLR2004 - a pair
        return None
    # requests flattens lists, and has urllib flatten the lists within them.
    given = ((name, value) for name, values in params for value in _each(values))
    sent = ((name, each) for name, value in given if value is not None for each in _each(value))
    return pairs + [(as_text(name), as_text(value)) for name, value in sent]


def _query_in_url(request: Request) -> str:
    try:
        return str(urlsplit(request.endpoint).query)
    except (ValueError, AttributeError, TypeError):
        return ""


def _each(values: Any) -> Iterable[Any]:
    """Return the values of a parameter, each of which is sent as a pair of its own."""
    is_one = isinstance(values, str | bytes) or not isinstance(values, Iterable)
    return [values] if is_one else values


def as_text(value: Any) -> str:
    """Return a parameter's name or value as it is sent."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str.__str__(value) if isinstance(value, str) else str(value)


def json_sent(request: Request) -> Json | None:
    """Return the JSON object in a request's body; None if there is none, or it is unreadable."""
    body = request.json
    if request.data:  # requests prefers it when both are given
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
    """Judge a PATCH of a file: adding or removing a parent a second time is refused."""
    body, query = json_sent(request), query_of(request)
    if body is None or query is None:
        return False
    known = {"appProperties", "description", "name", "properties", "starred", "trashed"}
    return body.keys() <= known and {name for name, _ in query} <= _COMMON_PARAMS


def _replaces_content(request: Request) -> bool:
    """Judge an upload that replaces a file's content; other upload types carry metadata."""
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
    Idempotence.BATCH: _is_idempotent_batch,
    Idempotence.METADATA: _sets_metadata,
    Idempotence.CONTENT: _replaces_content,
}
