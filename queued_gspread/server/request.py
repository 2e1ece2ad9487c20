"""One request to Google, as data, and what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["CREDENTIALS", "Exchange", "Failure", "Request", "Response", "is_read", "same_request"]

CREDENTIALS: Final = "CREDENTIALS"
"""The method of a request that asks for the server's credentials instead of Google's API;
its endpoint is ``expiry`` or ``refresh``."""


@dataclass(frozen=True, eq=True)
class Request:
    """The arguments of gspread's ``HTTPClient.request``."""

    method: str
    endpoint: str
    params: Any = None
    data: Any = None
    json: Any = None
    files: Any = None
    headers: Any = None


@dataclass(frozen=True)
class Response:
    """What the client's ``request`` returned: a requests.Response, or what a double returns."""

    value: Any


@dataclass(frozen=True)
class Failure:
    """What the client's ``request`` raised."""

    error: Exception


@dataclass(frozen=True)
class Exchange:
    """A request that was sent, and what came of it."""

    request: Request
    outcome: Response | Failure


def is_read(request: Request) -> bool:
    """Tell whether a request changes nothing at Google."""
    return request.method.upper() in ("GET", "HEAD", CREDENTIALS)


def same_request(one: Request, other: Request) -> bool:
    """Tell whether two requests put the same on the wire.

    What cannot be sent at all is compared by its type: requests will say what is wrong with it.
    """
    return one == other or _written(one) == _written(other)


def _written(request: Request) -> str:
    parts = (request.method, request.endpoint, request.params, request.json)
    rest = (repr(request.data), repr(request.files), repr(request.headers))
    return json.dumps([parts, rest], default=lambda value: type(value).__name__)
