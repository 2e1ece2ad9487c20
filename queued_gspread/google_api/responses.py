"""Google's responses: reading them, making synthetic ones, and making APIErrors possible."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import requests

from queued_gspread._interrupts import own

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    "reasons_in",
    "refusal",
]

Json = dict[str, Any]

# Some codecs ignore errors='replace', and a stream may break.
_UNREADABLE: Final = (ValueError, RuntimeError, requests.RequestException)


@dataclass(frozen=True)
class OwnRequest:
    """The caller's own request, as its responses and errors show it.

    The request that was really sent may serve several callers, and has the server's credentials.
    """

    method: str
    endpoint: str
    params: Any = None


def json_in(answer: Any) -> Any:
    """Return the JSON in a response's body; None if there is none, or it is unreadable.

    All reading of Google's response bodies goes through here. No content can make this raise.
    """
    # Refusal.json is only for gspread.
    is_response = isinstance(answer, requests.Response)
    try:
        return requests.Response.json(answer) if is_response else answer.json()
    except own(Exception):  # HTML, arbitrary bytes, nesting too deep, a test double
        return None


def object_in(answer: Any) -> Json | None:
    """Return the JSON object in a response's body; None if there is none, or it is unreadable."""
    body = json_in(answer)
    return body if isinstance(body, dict) else None


def error_in(answer: Any) -> Json:
    """Return the error in a response's body; an empty dict if it has none."""
    error = (object_in(answer) or {}).get("error")
    return error if isinstance(error, dict) else {}


def reasons_in(error: Mapping[str, Any]) -> list[str]:
    """Return the words that Drive has for an error, which say more than its status."""
    listed = error.get("errors")
    parts = listed if isinstance(listed, list) else ()
    found = [part.get("reason") for part in parts if isinstance(part, dict)]
    return [reason for reason in found if isinstance(reason, str)]


class Refusal(requests.Response):
    """An error response that gspread can make an APIError of, whatever its body is.

    gspread takes anything under ``error`` for one of Google's errors. Here a body that is not in
    Google's form counts as not JSON, so that gspread shows its text.
    """

    def json(self, **kwargs: Any) -> Any:
        """Return the body's JSON; raise ValueError if gspread could not show it."""
        body = super().json(**kwargs)
        if not is_error(body):
            raise ValueError("not an error of Google's")
        return body

    @property
    def text(self) -> str:
        """The body as text, even if its headers name an encoding that fails."""
        try:
            return super().text
        except own(*_UNREADABLE):
            return str(self._content or b"", errors="replace")


def is_error(body: Any) -> bool:
    """Return whether a body is one of Google's errors, with everything that gspread shows."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return False
    return isinstance(error.get("code"), int) and isinstance(error.get("message"), str)


def is_plain(response: requests.Response) -> bool:
    """Return whether gspread can make an APIError of a response as it is."""
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
    copy = Refusal()
    vars(copy).update(vars(response))
    return copy


def empty_response() -> requests.Response:
    """Return a successful response with an empty object."""
    response = requests.Response()
    response.status_code = 200
    response.encoding = "utf-8"  # else requests tries to detect it
    response._content = b"{}"  # noqa: SLF001 - requests has no constructor
    return response


def made_up_response(
    status: int, reason: str, error: dict[str, Any], url: str = ""
) -> requests.Response:
    """Return a synthetic error response, for an exception that needs one."""
    response = requests.Response()
    response.status_code = status
    response.reason = reason
    response.url = url
    response.headers["Content-Type"] = "application/json; charset=UTF-8"
    body = json.dumps({"error": {"code": status, **error}})
    response._content = body.encode()  # noqa: SLF001 - requests has no constructor
    return response
