"""HTTP responses, with no more of a request than its method and its URL."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import requests
from requests.structures import CaseInsensitiveDict

from queued_gspread.google_api.responses import OwnRequest

from .tagged import TaggedType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .encoder import Encoder

__all__ = ["KINDS", "told_request"]

# Credentials in all but name: they stay where they were received.
_SECRET_HEADERS: Final = frozenset({"set-cookie", "set-cookie2", "authorization"})

_NAMES: Final = ("status_code", "reason", "url", "encoding", "elapsed")


def _content(response: requests.Response) -> bytes | None:
    try:
        return response.content
    except (RuntimeError, requests.RequestException):
        return None  # it was a stream, and is already used up or broken


class _Told(requests.PreparedRequest):
    """A request that is not for sending: nothing of the server's is in it."""


def told_request(request: object) -> requests.PreparedRequest | None:
    """Return what may be told of a request: nothing of one that was sent, or cannot be."""
    if not isinstance(request, OwnRequest):
        return None
    told = _Told()
    try:
        told.prepare_method(request.method)
        told.prepare_url(request.endpoint, request.params)
    except (requests.RequestException, TypeError, ValueError, AttributeError):
        return None
    return told


def _place(_: Encoder, request: requests.PreparedRequest) -> Sequence[Any]:
    return (request.method, request.url)


def _encode(encoder: Encoder, value: requests.Response) -> Sequence[Any]:
    headers = [
        [name, encoder.at(name, text)]
        for name, text in value.headers.items()
        if name.lower() not in _SECRET_HEADERS
    ]
    attributes = [encoder.at(name, getattr(value, name)) for name in _NAMES]
    told = encoder.at("request", told_request(value.request))
    return (*attributes, headers, encoder.at("content", _content(value)), told)


def _decode(
    status_code: int,
    reason: str,
    url: str,
    encoding: str | None,
    elapsed: timedelta,
    headers: list[list[str]],
    content: bytes | None,
    request: requests.PreparedRequest | None,
) -> requests.Response:
    response = requests.Response()
    response.status_code = status_code
    response.reason = reason
    response.url = url
    response.encoding = encoding
    response.elapsed = elapsed
    response.headers = CaseInsensitiveDict((name, text) for name, text in headers)
    # Pickle, and everybody who reads the text, would otherwise read from no socket.
    response._content = content  # noqa: SLF001
    response._content_consumed = True  # noqa: SLF001
    response.request = request  # type: ignore[assignment]  # as before it is sent
    return response


def _request(method: str, url: str) -> requests.PreparedRequest:
    request = requests.PreparedRequest()
    request.method, request.url, request.headers = method, url, CaseInsensitiveDict()
    return request


_TEXT: Final[tuple[type, ...]] = (str, type(None))

KINDS: Final = (
    TaggedType(
        "response",
        (requests.Response,),
        _encode,
        (
            (int, type(None)),
            (str, bytes, type(None)),
            _TEXT,
            _TEXT,
            (timedelta,),
            (list,),
            (bytes, type(None)),
            (requests.PreparedRequest, type(None)),
        ),
        _decode,
        inherit=True,
    ),
    TaggedType("request", (_Told,), _place, ((str,), (str,)), _request),
)
