"""Make each caller's own answer from the one that all of them share."""

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
    """Return the answer to a caller's own request, with its own body."""
    return _with_content(shared, request, (json.dumps(body, indent=2) + "\n").encode())


def each_as_alone(exchanges: list[Exchange], *, is_final: bool) -> list[Exchange]:
    """Return each call's own exchange, as if its request had been sent alone.

    Args:
        exchanges: Each call's own request, with the outcome of the merged one.
        is_final: Whether no other attempt would help; then an answer is each call's own already.

    """
    if len(exchanges) <= 1 or (is_final and isinstance(exchanges[0].outcome, Response)):
        return exchanges
    first = exchanges[0].request
    if is_read(first) and all(exchange.request == first for exchange in exchanges):
        return exchanges  # the merged request was the same as each call's own
    return [as_alone(exchange) for exchange in exchanges]


def as_alone(exchange: Exchange) -> Exchange:
    """Return one call's exchange as if its request had been sent alone.

    This is for outcomes that were not split: an error, or an answer that cannot be read. The result
    contains nothing of the other calls' requests.
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
    """Return the body of an error, or a substitute if it may be about other calls' requests."""
    if _is_general(answer):
        return bytes_of(answer)
    return json.dumps({"error": {"code": answer.status_code, "message": _WITHHELD}}).encode()


def _is_general(answer: requests.Response) -> bool:
    """Return whether an error says nothing about any one request."""
    error = error_in(answer)
    if not error:
        return _QUOTES_URL.search(unquote(refusal(answer).text)) is None
    if answer.status_code in _GENERAL_STATUSES:
        return True
    message = error.get("message")
    is_known = isinstance(message, str) and _GENERAL_MESSAGE.fullmatch(message) is not None
    return is_known and error.keys() <= {"code", "message", "status"}


# Google answers these before it looks into a request.
_GENERAL_STATUSES: Final = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS,
)
_QUOTES_URL: Final = re.compile(r"spreadsheets/|ranges=")
_GENERAL_MESSAGE: Final = re.compile(
    r"(Internal error encountered|Internal Server Error|Backend Error|Bad Gateway|Gateway Timeout"
    r"|(The )?[Ss]ervice (is )?(currently )?unavailable|Authentication backend unavailable"
    r"|Deadline expired before operation could complete|The operation was cancelled)\.?"
)
_WITHHELD: Final = (
    "an error in answer to a request for several calls; its text may be about another one of them"
)


def _own_trouble(
    error: requests.RequestException, request: Request, answer: requests.Response | None
) -> Exception:
    """Copy an error of the connection without the shared URL, its causes or the shared answer.

    urllib3 puts the URL into an error's text and into the errors that it was raised from.
    """
    if isinstance(error, requests.JSONDecodeError):
        return requests.JSONDecodeError(error.msg, "", 0)  # error.doc holds the whole answer
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
    """Return the URL of a request, at the host and base path to which the shared one went."""
    own, sent_to = _prepared(request), urlsplit(shared or "")
    if not sent_to.netloc or own.url is None:
        return own.url or ""
    base = sent_to.path.partition(_SHEETS)[0] if _SHEETS in sent_to.path else ""
    return f"{sent_to.scheme}://{sent_to.netloc}{base}{own.path_url}"


_SHEETS: Final = "/v4/spreadsheets/"


def _path_of(request: Request) -> str:
    return str(_prepared(request).path_url)


def _prepared(request: Request) -> requests.PreparedRequest:
    prepared = requests.PreparedRequest()
    prepared.prepare_url(request.endpoint, request.params)
    return prepared
