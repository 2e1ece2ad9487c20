"""A caller's own answer, made from the one that all of them share."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import requests
from gspread.exceptions import APIError

from queued_gspread.google_api.responses import error_in, object_in, refusal
from queued_gspread.server.policy.request import Exchange, Failure, Response, bytes_of, is_read

if TYPE_CHECKING:
    from queued_gspread.server.policy.request import Request

    from .part import Json

__all__ = ["as_alone", "each_as_alone", "json_answered", "own_answer"]


def json_answered(answer: Any) -> Json | None:
    """Return the JSON object that Google answered with success; None if it did not."""
    return object_in(answer) if isinstance(answer, requests.Response) and answer.ok else None


def own_answer(shared: requests.Response, request: Request, body: Json) -> requests.Response:
    """Return the answer to a caller's own request, with a body of its own."""
    return _with_content(shared, request, (json.dumps(body, indent=2) + "\n").encode())


def each_as_alone(exchanges: list[Exchange], *, is_final: bool) -> list[Exchange]:
    """Return what came of a request for each of its calls, as each would have met it alone.

    Args:
        exchanges: Each call's own request, with what came of the one for all.
        is_final: Whether no other attempt would help; then an answer is each call's own already.

    """
    if len(exchanges) <= 1 or (is_final and isinstance(exchanges[0].outcome, Response)):
        return exchanges
    first = exchanges[0].request
    if is_read(first) and all(exchange.request == first for exchange in exchanges):
        return exchanges  # the one for all was each one's own
    return [as_alone(exchange) for exchange in exchanges]


def as_alone(exchange: Exchange) -> Exchange:
    """Return what came of a request for several calls as the one of them would have met it alone.

    It is for what was not split: an error, or an answer that nobody can read. Nothing in it is of
    the others' requests.
    """
    request, outcome = exchange.request, exchange.outcome
    if isinstance(outcome, Response):
        value = outcome.value
        if isinstance(value, requests.Response):
            return Exchange(request, Response(_with_content(value, request, b"")))
        return exchange
    return Exchange(request, Failure(_own_error(outcome.error, request)))


def _own_error(error: Exception, request: Request) -> Exception:
    own = _own_refusal(getattr(error, "response", None), request)
    if type(error) is APIError and own is not None:
        return APIError(refusal(own))
    if isinstance(error, requests.RequestException):
        return _own_trouble(error, request, own)
    return error


def _own_refusal(answer: Any, request: Request) -> requests.Response | None:
    if not isinstance(answer, requests.Response):
        return None
    own = _with_content(answer, request, _own_content(answer))
    own.encoding = answer.encoding
    return own


def _own_content(answer: requests.Response) -> bytes:
    """Return the body of an error, or another one in its place if it may be about others."""
    if _is_of_nobody(answer):
        return bytes_of(answer)
    return json.dumps({"error": {"code": answer.status_code, "message": _UNTOLD}}).encode()


def _is_of_nobody(answer: requests.Response) -> bool:
    error = error_in(answer)
    if not error:
        return _QUOTES_URL.search(unquote(refusal(answer).text)) is None
    if answer.status_code in _OF_ALL:
        return True
    message = error.get("message")
    is_known = isinstance(message, str) and _OF_NOBODY.fullmatch(message) is not None
    return is_known and error.keys() <= {"code", "message", "status"}


# What Google answers before it looks into a request.
_OF_ALL: Final = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS,
)
_QUOTES_URL: Final = re.compile(r"spreadsheets/|ranges=")
_OF_NOBODY: Final = re.compile(
    r"(Internal error encountered|Internal Server Error|Backend Error|Bad Gateway|Gateway Timeout"
    r"|(The )?[Ss]ervice (is )?(currently )?unavailable|Authentication backend unavailable"
    r"|Deadline expired before operation could complete|The operation was cancelled)\.?"
)
_UNTOLD: Final = (
    "an error in answer to a request for several calls; its text may be about another one of them"
)


def _own_trouble(
    error: requests.RequestException, request: Request, answer: requests.Response | None
) -> Exception:
    """Return an error of the connection: urllib3 puts the URL into its text, and into its past."""
    if isinstance(error, requests.JSONDecodeError):
        return requests.JSONDecodeError(error.msg, "", 0)  # it has the whole answer in it
    shared = str(getattr(error.request, "path_url", ""))
    text = str(error).replace(shared, _path_of(request)) if shared else str(error)
    own = type(error).__new__(type(error))
    own.args, own.request, own.response = (text,), None, answer
    return own


def _with_content(shared: requests.Response, request: Request, content: bytes) -> requests.Response:
    own = requests.Response()
    own.status_code, own.reason = shared.status_code, shared.reason
    own.headers = shared.headers.copy()
    own.headers.pop("Content-Length", None)
    own.headers.pop("Content-Encoding", None)
    own.encoding, own.elapsed = "utf-8", shared.elapsed
    own.url = _url_of(request, shared.url)
    own._content = content  # noqa: SLF001 - requests has no constructor
    return own


def _url_of(request: Request, shared: str | None) -> str:
    """Return the URL of a request, at the place to which the shared one went."""
    own, there = _prepared(request), urlsplit(shared or "")
    if not there.netloc or own.url is None:
        return own.url or ""
    base = there.path.partition(_SHEETS)[0] if _SHEETS in there.path else ""
    return f"{there.scheme}://{there.netloc}{base}{own.path_url}"


_SHEETS: Final = "/v4/spreadsheets/"


def _path_of(request: Request) -> str:
    return str(_prepared(request).path_url)


def _prepared(request: Request) -> requests.PreparedRequest:
    prepared = requests.PreparedRequest()
    prepared.prepare_url(request.endpoint, request.params)
    return prepared
