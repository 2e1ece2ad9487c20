"""Errors of the token endpoint: whether they are transient, and what of them may be shown.

google-auth puts whole answers into its errors, and requests puts the request there: an HTML page,
an ID token, the signed assertion. None of that may reach a log or a caller.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError

from queued_gspread.protocol.codec.scrub import clean_token_answer
from queued_gspread.server.policy.nested_errors import nested_errors
from queued_gspread.server.policy.request import Failure
from queued_gspread.server.policy.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TokenRequest", "cleaned", "connection_trouble", "passes", "shown", "told_of"]

_PASSING: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
_OAUTH: Final = ("error", "error_description", "error_subtype", "error_uri")
"""RFC 6749, section 5.2; the subtype is Google's."""

_PAGE: Final = re.compile(r"<(!doctype|html|head|body|title)\b", re.IGNORECASE)
_OUTPUT: Final = re.compile(r"(Executable exited with non-zero return code \S+).*", re.DOTALL)
_LONGEST: Final = 300
_MOST_DIGITS: Final = 9


class TokenRequest:
    """A google-auth transport that raises TransportError for every transient failure.

    google-auth itself does not take a 502 for transient, and retries other failures on its own,
    with its own pauses.

    Args:
        request: google-auth's own transport.

    """

    def __init__(self, request: Callable[..., Any]) -> None:
        self._request = request

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request; return google-auth's response."""
        response = self._request(*args, **kwargs)
        status = int(response.status)
        if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise TransportError(f"the token endpoint answered HTTP {status}")
        if kwargs.get("method") != "POST":
            return response
        found = _read(response.data)
        if status < HTTPStatus.BAD_REQUEST and not _is_grant(found):
            # A captive portal or a proxy answered instead of the token endpoint.
            raise TransportError(f"the token endpoint answered HTTP {status} without a token")
        if not isinstance(found, (dict, str)):
            raise RefreshError(f"the token endpoint answered HTTP {status} without OAuth's error")
        return response


def passes(error: BaseException) -> bool:
    """Return whether a failure is transient: the same credentials may get a token later."""
    for part in nested_errors(error):
        if isinstance(part, TransportError):
            return not _is_refusal(part)
    return bool(getattr(error, "retryable", False))


def _is_refusal(error: TransportError) -> bool:
    """Return whether a machine's metadata server has refused; google-auth adds its response."""
    status = getattr(error.args[-1], "status", None) if error.args else None
    return isinstance(status, int) and HTTPStatus.BAD_REQUEST <= status not in _PASSING


def cleaned(error: Exception) -> Exception:
    """Return google-auth's own error without secrets, causes and traceback."""
    if not isinstance(error, GoogleAuthError):
        error = RefreshError(f"{type(error).__name__}: {error}")
    error.args = tuple(_clean(part) for part in error.args)
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def connection_trouble(error: Exception) -> str:
    """Return why the token endpoint could not be reached, in words; '' if it answered."""
    why = judge(Failure(error)).why.removeprefix("no token: ")
    return "" if why == type(error).__name__ else why


def shown(error: Exception) -> str:
    """Return an error's type and text in one short line, without secrets."""
    return f"{type(error).__name__}: {told_of(error)}"


def told_of(error: Exception) -> str:
    """Return an error's text in one short line, without secrets."""
    text = str(_clean(error.args[0])) if error.args else ""
    return " ".join(f"{text}{_reason_of_iam(error)}".split())


def _reason_of_iam(error: Exception) -> str:
    """Return what IAM Credentials says, which google-auth only has as the second argument."""
    answer = error.args[1] if len(error.args) > 1 else None
    refusal = _iam_refusal(answer) if isinstance(answer, str) else None
    return f": {_clean(refusal['message'])}" if refusal and "message" in refusal else ""


def _clean(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _clean(part[name]) for name in _OAUTH if name in part}
    if isinstance(part, (bool, int, float)) or part is None:
        return part
    if isinstance(part, Exception) and part.args:
        part = part.args[0]
    text = str(part)
    if _PAGE.search(text):
        return "the token endpoint answered with a page of HTML"
    if (refusal := _iam_refusal(text)) is not None:
        text = json.dumps({"error": refusal}, ensure_ascii=False)
    # What a program of an external account has put out may be anything.
    return clean_token_answer(_OUTPUT.sub(r"\1", text))[:_LONGEST]


def _iam_refusal(text: str) -> dict[str, Any] | None:
    """Return the error in an answer of IAM Credentials; None if it is something else."""
    try:
        error = json.loads(text)["error"]
        return {name: error[name] for name in ("code", "message", "status") if name in error}
    except (ValueError, RecursionError, LookupError, TypeError):
        return None


def _read(data: Any) -> Any:
    """Return the JSON of an answer, or its text if it is not JSON; None if it is unreadable."""
    try:
        text = data.decode() if isinstance(data, bytes) else data
        return json.loads(text)
    except UnicodeDecodeError:
        return None
    except ValueError:
        return text
    except (TypeError, RecursionError):
        return None


def _is_grant(found: Any) -> bool:
    """Return whether google-auth can use an answer's token, if it has one, and its lifetime."""
    if not isinstance(found, dict):
        return False
    # google-auth reports a missing token itself, but would take an empty one.
    token = found.get("access_token", "missing")
    if not (isinstance(token, str) and token):
        return False
    expires = found.get("expires_in")
    if expires is None:
        return True
    if isinstance(expires, str):
        return expires.isascii() and expires.isdigit() and len(expires) < _MOST_DIGITS
    return isinstance(expires, (int, float)) and 0 <= expires < 10**_MOST_DIGITS
