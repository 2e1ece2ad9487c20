"""One request to Google, as data, and its outcome."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from queued_gspread.google_api import methods
from queued_gspread.google_api.paths import path_of
from queued_gspread.google_api.prepared import prepared
from queued_gspread.google_api.responses import OwnRequest

__all__ = [
    "CREDENTIALS",
    "Exchange",
    "Failure",
    "Recalled",
    "RecordedExchange",
    "Request",
    "RequestDigest",
    "Response",
    "answer_of",
    "bytes_of",
    "check_sendable",
    "is_read",
    "tell_request",
    "wire_form",
]

CREDENTIALS: Final = "CREDENTIALS"
"""The method of a request that goes to the server's credentials instead of Google's API; its
endpoint is ``expiry`` or ``refresh``."""


@dataclass(frozen=True, eq=True)
class Request:
    """The arguments of gspread's ``HTTPClient.request``.

    What follows from them is worked out when it is first asked for, and once.
    """

    method: str
    endpoint: str
    params: Any = None
    data: Any = None
    json: Any = None
    files: Any = None
    headers: Any = None

    @cached_property
    def verb(self) -> str:
        """The HTTP method that Google will see; '' if that is uncertain."""
        verb = str(self.method).upper()
        if not self.headers:
            return verb
        if not isinstance(self.headers, Mapping):
            return ""
        headers = {str(name).lower(): value for name, value in self.headers.items()}
        override = headers.get(methods.OVERRIDE)
        if override is None:
            return verb
        # google-api-python-client sends a GET with a long URL this way.
        return "GET" if (verb, str(override).upper()) == ("POST", "GET") else ""

    @cached_property
    def path(self) -> str:
        """The path as it is sent on the wire."""
        return path_of(str(self.endpoint))

    @cached_property
    def called(self) -> methods.Method | None:
        """The method of Google's API that it calls; None if it is unknown."""
        return methods.find(self.verb, self.path)


def check_sendable(request: Request) -> None:
    """Raise what the requests library would, in the caller's call, for an unsendable request."""
    prepared(
        request.method,
        request.endpoint,
        request.params,
        request.data,
        request.json,
        request.files,
        request.headers,
    )


@dataclass(frozen=True)
class RequestDigest:
    """What a server remembers of a request that another server has sent.

    Attributes:
        method: The request's method.
        endpoint: Scheme, host and path, without anything that may be secret.
        digest: A hash of everything that was put on the wire; '' if it was not stored.

    """

    method: str
    endpoint: str
    digest: str = ""

    @classmethod
    def of(cls, request: Request) -> RequestDigest:
        """Return the digest of a request."""
        digest = hashlib.sha256(_written(request).encode("utf-8", "surrogatepass")).hexdigest()
        return replace(cls.place_of(request), digest=digest)

    @classmethod
    def place_of(cls, request: Request) -> RequestDigest:
        """Return where a request goes, without a digest of its content."""
        parts = urlsplit(str(request.endpoint))
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        return cls(str(request.method), place)


@dataclass(frozen=True)
class Response:
    """What the client's ``request`` returned: a requests.Response, or a test double's value."""

    value: Any


@dataclass(frozen=True)
class Failure:
    """What the client's ``request`` raised."""

    error: Exception


@dataclass(frozen=True)
class Exchange:
    """A request that was sent, and its outcome."""

    request: Request
    outcome: Response | Failure

    @property
    def sent(self) -> RequestDigest:
        """What the next server must remember of the request."""
        return RequestDigest.of(self.request)

    def answers(self, request: Request) -> bool:
        """Return whether this is the exchange of the given request, by what is on the wire.

        Values that cannot be sent are compared by type: requests will reject them anyway.
        """
        return self.request == request or _written(self.request) == _written(request)


@dataclass(frozen=True)
class Recalled(Exchange):
    """A request that was not sent, as its answer was remembered.

    Attributes:
        until: The moment from which on the answer is too old for its call.

    """

    until: float


@dataclass(frozen=True)
class RecordedExchange:
    """The digest of a request, such as one that an earlier server sent, and its outcome."""

    sent: RequestDigest
    outcome: Response | Failure

    @classmethod
    def of(cls, exchange: Exchange | RecordedExchange) -> RecordedExchange:
        """Return the record of an exchange whose request may still be changed."""
        return cls(exchange.sent, exchange.outcome)

    def answers(self, request: Request) -> bool:
        """Return whether this is the exchange of the given request, as far as it is recorded."""
        if not self.sent.digest:
            return self.sent == RequestDigest.place_of(request)
        return self.sent.digest == RequestDigest.of(request).digest


def answer_of(outcome: Response | Failure) -> Any:
    """Return Google's answer, returned or raised; None if there was none."""
    if isinstance(outcome, Response):
        return outcome.value
    return getattr(outcome.error, "response", None)


def tell_request(request: Request, error: object, answer: object = None) -> None:
    """Put the caller's own request on an error and an answer, in place of what was sent."""
    if request.method == CREDENTIALS:
        return
    own = OwnRequest(str(request.method), str(request.endpoint), request.params)
    if isinstance(error, requests.RequestException):
        error.request = own  # type: ignore[assignment]  # only these fields are sent to the caller
    if isinstance(answer, requests.Response):
        answer.request = own  # type: ignore[assignment]  # the same


def bytes_of(answer: Any) -> bytes:
    """Return the bytes of an answer; empty if they cannot be read."""
    try:
        content = answer.content if isinstance(answer, requests.Response) else b""
    except (RuntimeError, requests.RequestException):
        return b""  # it was still a stream, which broke
    return content or b""


def is_read(request: Request) -> bool:
    """Return whether a request changes nothing at Google."""
    return request.verb == CREDENTIALS or methods.reads(request.verb, request.path)


def wire_form(request: Request) -> bytes | None:
    """Return what is equal for requests that are certainly the same bytes when they are sent.

    None for one that cannot be sent, or that sets headers or gives its body otherwise than as JSON.
    """
    if request.data or request.files or request.headers:
        return None
    parts = (str(request.method).upper(), request.endpoint, request.params, request.json)
    try:
        return json.dumps(parts, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        return None


def _written(request: Request) -> str:
    parts = (request.method, request.endpoint, request.params, request.json)
    rest = (repr(request.data), repr(request.files), repr(request.headers))
    try:
        return json.dumps([parts, rest], default=lambda value: type(value).__name__)
    except (TypeError, ValueError, RecursionError):
        return repr([parts, rest])  # a key that is no text, say
