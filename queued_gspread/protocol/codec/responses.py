"""HTTP responses; of their requests, only the method and the URL travel."""

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

__all__ = ["KINDS", "shown_request"]

# As good as credentials: they stay where they were received.
_SECRET_HEADERS: Final = frozenset({"set-cookie", "set-cookie2", "authorization"})

_NAMES: Final = ("status_code", "reason", "url", "encoding", "elapsed")


def _content(response: requests.Response) -> bytes | None:
    try:
        return response.content
    except (RuntimeError, requests.RequestException):
        return None  # a stream that is used up or broken


class _Shown(requests.PreparedRequest):
    """A request that is not for sending: it contains nothing of the server's."""


def shown_request(request: object) -> requests.PreparedRequest | None:
    """Return the caller's own request as it may be shown; None for any other, or an invalid one."""
    if not isinstance(request, OwnRequest):
        return None
    shown = _Shown()
    try:
        shown.prepare_method(request.method)
        shown.prepare_url(request.endpoint, request.params)
    except (requests.RequestException, TypeError, ValueError, AttributeError):
        return None
    return shown


def _place(_: Encoder, request: requests.PreparedRequest) -> Sequence[Any]:
    return (request.method, request.url)


def _encode(encoder: Encoder, value: requests.Response) -> Sequence[Any]:
    headers = [
        [name, encoder.at(name, text)]
        for name, text in value.headers.items()
        if name.lower() not in _SECRET_HEADERS
    ]
    attributes = [encoder.at(name, getattr(value, name)) for name in _NAMES]
    request = encoder.at("request", shown_request(value.request))
    return (*attributes, headers, encoder.at("content", _content(value)), request)


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
    # Otherwise pickle, and reading the text, would try to read from a missing socket.
    response._content = content  # noqa: SLF001
    response._content_consumed = True  # noqa: SLF001
    response.request = request  # type: ignore[assignment]  # None, as before sending
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
    TaggedType("request", (_Shown,), _place, ((str,), (str,)), _request),
)
