"""What a request's outcome means: it is final, or was not applied, or may have been applied."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import requests
from google.auth.exceptions import (
    ClientCertError,
    GoogleAuthError,
    MutualTLSChannelError,
    RefreshError,
    TransportError,
)
from gspread.exceptions import APIError, GSpreadException
from requests import exceptions as broken
from urllib3 import exceptions as urllib3

from queued_gspread.google_api.responses import error_in, reasons_in

from .expected_answer import is_as_expected
from .nested_errors import nested_errors
from .request import Failure, Response

if TYPE_CHECKING:
    from .request import Request

__all__ = ["NOT_APPLIED", "Verdict", "VerdictKind", "judge"]


class VerdictKind(Enum):
    """What the outcome of a request means."""

    FINAL = auto()
    """The caller gets it: a success, or an error that a retry would not help."""
    REFUSED_QUOTA = auto()
    """Not applied: too many requests."""
    UNAUTHENTICATED = auto()
    """Not applied: the token was refused."""
    NOT_SENT = auto()
    """Not applied: it never left."""
    NOT_LENT = auto()
    """Not applied: an account that lends its quota may not do it; the namespace's own may."""
    UNKNOWN = auto()
    """It may have been applied."""


NOT_APPLIED: Final = (
    VerdictKind.REFUSED_QUOTA,
    VerdictKind.UNAUTHENTICATED,
    VerdictKind.NOT_SENT,
    VerdictKind.NOT_LENT,
)
"""What means that a request was certainly not applied, whatever it is."""


@dataclass(frozen=True)
class Verdict:
    """What an outcome means.

    Attributes:
        kind: What it means.
        retry_after: The seconds to wait, according to the answer.
        why: The reason, for the log; it has no address, no value and no secret.
        of: Whose limit a quota refusal was about: ``user``, ``project``, or '' if unknown.

    """

    kind: VerdictKind
    retry_after: float | None = None
    why: str = ""
    of: str = ""


def judge(
    outcome: Response | Failure, now: float | None = None, request: Request | None = None
) -> Verdict:
    """Return what an outcome means.

    Args:
        outcome: The outcome of a request.
        now: The time, used for a Retry-After if the answer has no Date; by default the clock's.
        request: The request, if its answer is to be checked for its form.

    """
    if isinstance(outcome, Response):
        return _of_answer(outcome.value, now, request)
    answer = getattr(outcome.error, "response", None)
    if isinstance(outcome.error, _RAISED_ANSWERS) and answer is not None:
        return _of_answer(answer, now)
    kind, why = _of_error(outcome.error)
    return Verdict(kind, None, why or type(outcome.error).__name__)


# Answers ----------------------------------------------------------------------------------------

_UNKNOWN_STATUS: Final = frozenset({408, 499})  # 499 is CANCELLED: google/rpc/code.proto
_REFUSED_STATUS: Final = frozenset({501, 505})  # a request that was not understood was not begun
# gspread raises the first, and a hook of the session may raise the second.
_RAISED_ANSWERS: Final = (APIError, requests.HTTPError)
_QUOTA_REASONS: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})


def _of_answer(answer: Any, now: float | None, request: Request | None = None) -> Verdict:
    """Judge by the HTTP status; the body may come from a gateway, so it does not decide.

    A body in Google's form only distinguishes a rate limit from other 403s, and names whose limit.
    """
    status = getattr(answer, "status_code", None)
    if not isinstance(status, int):
        return Verdict(VerdictKind.FINAL, None, "answered")
    after, why = _retry_after(answer, now), f"HTTP {int(status)}"
    if status < HTTPStatus.BAD_REQUEST:
        amiss = _amiss(answer, request)
        return Verdict(VerdictKind.UNKNOWN if amiss else VerdictKind.FINAL, after, amiss or why)
    if status == HTTPStatus.TOO_MANY_REQUESTS or _is_quota(answer, status):
        limit, of = _limit(error_in(answer))
        return Verdict(
            VerdictKind.REFUSED_QUOTA, after, f"{status} ({limit})" if limit else f"{status}", of
        )
    return Verdict(_of_error_status(status), after, why)


def _amiss(answer: Any, request: Request | None) -> str:
    """Return what is wrong with an answer that has a success status; '' if nothing is."""
    if _is_cut_off(answer):
        return "answer cut off"
    is_wanted = request is None or is_as_expected(answer, request)
    return "" if is_wanted else "answer not readable"


def _of_error_status(status: int) -> VerdictKind:
    if status == HTTPStatus.UNAUTHORIZED:
        return VerdictKind.UNAUTHENTICATED
    if status in _UNKNOWN_STATUS:
        return VerdictKind.UNKNOWN
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in _REFUSED_STATUS:
        return VerdictKind.UNKNOWN
    return VerdictKind.FINAL


def _is_cut_off(answer: Any) -> bool:
    """Return whether less came than was announced: urllib3 1.26 does not raise for that."""
    left = getattr(getattr(answer, "raw", None), "length_remaining", None)
    return isinstance(left, int) and left > 0 and bool(getattr(answer, "_content_consumed", False))


def _parts(error: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = error.get(name)
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []


def _is_quota(answer: Any, status: int) -> bool:
    """Return whether an answer is a 403 for a rate limit, which passes.

    The domain ``usageLimits`` has permanent refusals too, so the reason decides:
    https://developers.google.com/workspace/drive/api/guides/handle-errors
    """
    if status != HTTPStatus.FORBIDDEN:
        return False
    return not _QUOTA_REASONS.isdisjoint(reasons_in(error_in(answer)))


def _limit(error: dict[str, Any]) -> tuple[str, str]:
    """Return the name of the limit, and whose it is."""
    message = error.get("message")
    said = re.search(r"limit '([\w .,-]{1,80})'", message if isinstance(message, str) else "")
    names = [said[1]] if said else []
    for detail in _parts(error, "details"):
        about = detail.get("metadata")
        named = about.get("quota_limit") if isinstance(about, dict) else None
        if isinstance(named, str) and re.fullmatch(r"[\w .,-]{1,80}", named):
            names.append(named)
    if names:
        is_users = any("peruser" in name.replace(" ", "").lower() for name in names)
        return names[0], "user" if is_users else "project"
    known = [reason for reason in reasons_in(error) if reason in _QUOTA_REASONS]
    # Google's documentation has used rateLimitExceeded for both project and user limits.
    return (known[0] if known else ""), "user" if "userRateLimitExceeded" in known else ""


def _retry_after(answer: Any, now: float | None) -> float | None:
    """Return the seconds of a Retry-After: a number, or a date relative to the answer's own."""
    said = _header(answer, "retry-after")
    if not said:
        return None
    if re.fullmatch(r"[0-9]{1,9}", said):
        return float(said)
    until = _moment(said)
    if until is None:
        return None
    since = _moment(_header(answer, "date"))
    if since is None:
        since = time.time() if now is None else now
    return max(0.0, until - since)


def _header(answer: Any, name: str) -> str:
    try:
        found = {str(key).lower(): value for key, value in answer.headers.items()}
        return str(found.get(name, "")).strip()
    except Exception:  # noqa: BLE001 - a double may have no headers, or no text in them
        return ""


def _moment(text: str) -> float | None:
    try:
        found = parsedate_to_datetime(text)
        zone = found.tzinfo or timezone.utc
        return datetime.timestamp(found.replace(tzinfo=zone))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


# Errors -----------------------------------------------------------------------------------------

_Kinds = type[BaseException] | tuple[type[BaseException], ...]

_ERRORS: Final[tuple[tuple[_Kinds, VerdictKind, str], ...]] = (
    (ssl.SSLCertVerificationError, VerdictKind.FINAL, "certificate not accepted"),
    ((ClientCertError, MutualTLSChannelError), VerdictKind.FINAL, ""),
    # requests has one class for a header that cannot be sent and for one that came.
    ((requests.JSONDecodeError, urllib3.InvalidHeader), VerdictKind.UNKNOWN, "answer not readable"),
    (
        (
            broken.InvalidURL,
            broken.MissingSchema,
            broken.InvalidSchema,
            broken.InvalidHeader,
            broken.InvalidJSONError,
            urllib3.LocationValueError,
            http.client.InvalidURL,
        ),
        VerdictKind.FINAL,
        "",
    ),
    (urllib3.ClosedPoolError, VerdictKind.NOT_SENT, "connection pool closed"),
    (urllib3.EmptyPoolError, VerdictKind.NOT_SENT, "no connection free"),
    (socket.gaierror, VerdictKind.NOT_SENT, "host not found"),
    (ConnectionRefusedError, VerdictKind.NOT_SENT, "connection refused"),
    (urllib3.NewConnectionError, VerdictKind.NOT_SENT, "no connection"),
    (
        (broken.ConnectTimeout, urllib3.ConnectTimeoutError),
        VerdictKind.NOT_SENT,
        "no connection in time",
    ),
    (http.client.RemoteDisconnected, VerdictKind.UNKNOWN, "connection closed without an answer"),
    (ConnectionError, VerdictKind.UNKNOWN, "connection reset"),
    (
        (broken.Timeout, urllib3.TimeoutError, TimeoutError),
        VerdictKind.UNKNOWN,
        "no answer in time",
    ),
    ((broken.SSLError, urllib3.SSLError, ssl.SSLError), VerdictKind.UNKNOWN, "TLS failed"),
    (
        (broken.ContentDecodingError, urllib3.DecodeError),
        VerdictKind.UNKNOWN,
        "answer not readable",
    ),
    (
        (broken.ChunkedEncodingError, urllib3.IncompleteRead, http.client.IncompleteRead),
        VerdictKind.UNKNOWN,
        "answer cut off",
    ),
    (
        (
            broken.ConnectionError,
            broken.RetryError,
            urllib3.HTTPError,
            http.client.HTTPException,
        ),
        VerdictKind.UNKNOWN,
        "connection broken",
    ),
)
"""What an error means if one of these types is nested in it; the first match counts."""


def _of_error(error: BaseException) -> tuple[VerdictKind, str]:
    if isinstance(error, GSpreadException):
        return VerdictKind.FINAL, ""  # checked first: some of ours are ConnectionErrors too
    if isinstance(error, GoogleAuthError):
        return _of_credentials(error)
    inside = list(nested_errors(error))
    refused = _tunnel_refused(inside)
    if refused:
        # A proxy that wants a password will want it next time too.
        passes = refused >= HTTPStatus.INTERNAL_SERVER_ERROR
        kind = VerdictKind.NOT_SENT if passes else VerdictKind.FINAL
        return kind, f"proxy answered {refused}"
    return _first(inside) or (VerdictKind.FINAL, "")


def _of_credentials(error: GoogleAuthError) -> tuple[VerdictKind, str]:
    """Judge why google-auth got no token; without one, no request was sent."""
    kind, why = _first(list(nested_errors(error))) or (None, type(error).__name__)
    if kind is not VerdictKind.FINAL and _passes(error):
        return VerdictKind.NOT_SENT, f"no token: {why}"
    return VerdictKind.FINAL, why


def _passes(error: GoogleAuthError) -> bool:
    if isinstance(error, TransportError):
        return True
    # google-auth does not take a 502 with an HTML page for transient.
    page = re.search(r"<title>[^<]*\b50[0234]\b", str(error.args[:1]), re.IGNORECASE)
    return isinstance(error, RefreshError) and (bool(error.retryable) or page is not None)


def _first(inside: list[BaseException]) -> tuple[VerdictKind, str] | None:
    for kinds, kind, why in _ERRORS:
        if any(isinstance(part, kinds) or _is_mismatch(part, kinds) for part in inside):
            return kind, why
    return None


def _is_mismatch(part: BaseException, kinds: _Kinds) -> bool:
    """Return whether a certificate is for another host; urllib3 has its own class for that."""
    return kinds is ssl.SSLCertVerificationError and type(part).__name__ == "CertificateError"


def _tunnel_refused(inside: list[BaseException]) -> int:
    """Return the status with which a proxy refused a tunnel; nothing was sent through it."""
    for part in inside:
        if type(part) is OSError:  # as http.client raises it
            found = re.match(r"Tunnel connection failed: (\d{3})", str(part))
            if found:
                return int(found[1])
    return 0
