"""Answers of Google's, and in Google's form: made up, read, and fit for an APIError."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import requests

from queued_gspread._interrupts import own

__all__ = [
    "OwnRequest",
    "Refusal",
    "empty_response",
    "error_in",
    "is_error",
    "is_plain",
    "json_in",
    "made_up_response",
    "object_in",
    "refusal",
]

Json = dict[str, Any]

# There are codecs that do not replace what they cannot decode, and streams that break.
_UNREADABLE: Final = (ValueError, RuntimeError, requests.RequestException)


@dataclass(frozen=True)
class OwnRequest:
    """What answers and errors tell a caller of the request that led to them: the caller's own.

    What was sent may have been for several callers, and has the server's credentials in it.
    """

    method: str
    endpoint: str
    params: Any = None


def json_in(answer: Any) -> Any:
    """Return the JSON in an answer's body; None if there is none that can be read.

    All that reads a body of Google's goes through here. Nothing that a body contains can raise.
    """
    # A refusal's own way to read is for gspread alone.
    is_response = isinstance(answer, requests.Response)
    try:
        return requests.Response.json(answer) if is_response else answer.json()
    except own(Exception):  # HTML, bytes of any kind, a nest too deep, a test double
        return None


def object_in(answer: Any) -> Json | None:
    """Return the JSON object in an answer's body; None if there is none that can be read."""
    body = json_in(answer)
    return body if isinstance(body, dict) else None


def error_in(answer: Any) -> Json:
    """Return the error in an answer's body; an empty one if it has none."""
    error = (object_in(answer) or {}).get("error")
    return error if isinstance(error, dict) else {}


class Refusal(requests.Response):
    """A response with an error from which gspread can make an APIError, whatever its body is.

    gspread takes whatever stands under ``error`` for an error of Google's. Here a body without
    Google's form is no JSON, and so gspread shows its text.
    """

    def json(self, **kwargs: Any) -> Any:
        """Return the body's JSON; raise ValueError if gspread could not show it."""
        body = super().json(**kwargs)
        if not is_error(body):
            raise ValueError("not an error of Google's")
        return body

    @property
    def text(self) -> str:
        """The body as text, whatever encoding its headers name."""
        try:
            return super().text
        except own(*_UNREADABLE):
            return str(self._content or b"", errors="replace")


def is_error(body: Any) -> bool:
    """Tell whether a body has Google's error, with all that gspread shows of it."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return False
    return isinstance(error.get("code"), int) and isinstance(error.get("message"), str)


def is_plain(response: requests.Response) -> bool:
    """Tell whether gspread can make an APIError of a response without help."""
    body = json_in(response)
    if isinstance(body, dict) and "error" in body:
        return is_error(body)
    try:
        return isinstance(response.text, str)
    except own(*_UNREADABLE):
        return False


def refusal(response: requests.Response) -> requests.Response:
    """Return a response from which an APIError can be made, whatever its body is."""
    if isinstance(response, Refusal):
        return response
    made = Refusal()
    vars(made).update(vars(response))
    return made


def empty_response() -> requests.Response:
    """Return an answer in which all went well, and that holds nothing."""
    response = requests.Response()
    response.status_code = 200
    response.encoding = "utf-8"  # else requests tries to find it out
    response._content = b"{}"  # noqa: SLF001 - requests has no constructor
    return response


def made_up_response(
    status: int, reason: str, error: dict[str, Any], url: str = ""
) -> requests.Response:
    """Return a response with an error body, for an exception that carries one."""
    response = requests.Response()
    response.status_code = status
    response.reason = reason
    response.url = url
    response.headers["Content-Type"] = "application/json; charset=UTF-8"
    body = json.dumps({"error": {"code": status, **error}})
    response._content = body.encode()  # noqa: SLF001 - requests has no constructor
    return response
