"""What a client sees of a fault: the answer that replaces the true one."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.api.oauth import oauth_error
from queued_gspread.emulator.api.request import Answer, refusal
from queued_gspread.emulator.faults import Ending, ExpiredToken, Html, OAuthRefusal, Reset, Status
from queued_gspread.emulator.limits.quotas import Limit
from queued_gspread.emulator.wire.errors import (
    drive_unauthenticated,
    failure,
    quota_exceeded,
    unauthenticated,
)

if TYPE_CHECKING:
    from queued_gspread.emulator.api.request import Request

    from .fault_rules import To

HTML_TYPE = "text/html; charset=UTF-8"
_PER_USER = 60
_OAUTH = {
    HTTPStatus.INTERNAL_SERVER_ERROR: ("internal_failure", "Backend Error"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("temporarily_unavailable", "Backend Error"),
    HTTPStatus.TOO_MANY_REQUESTS: ("rate_limit_exceeded", "Rate Limit Exceeded"),
}
_PAGE = """<!DOCTYPE html>
<html lang=en>
<meta charset=utf-8>
<title>Error {status} ({phrase})!!1</title>
<p><b>{status}.</b> <ins>That's an error.</ins>
<p>The server encountered a temporary error and could not complete your request.
<p>Please try again in 30 seconds.
"""


def seen(fault: Ending, to: To, request: Request) -> Answer | None:
    """Return the answer that a fault gives to a request, None for a reset connection."""
    if isinstance(fault, Reset):
        return None
    if isinstance(fault, ExpiredToken):
        return refusal(unauthenticated() if request.on_sheets else drive_unauthenticated())
    if isinstance(fault, OAuthRefusal):
        return oauth_error(fault.error, fault.description, fault.status)
    if isinstance(fault, Html):
        return Answer(int(fault.status), _page(fault.status), HTML_TYPE, fault.headers)
    return _of_status(fault, to, request)


def _of_status(fault: Status, to: To, request: Request) -> Answer:
    if isinstance(fault.body, (str, bytes)):
        content = fault.body.encode() if isinstance(fault.body, str) else fault.body
        return Answer(int(fault.status), content, HTML_TYPE, fault.headers)
    body = fault.body if fault.body is not None else _body(fault, to, request)
    return Answer(int(fault.status), json.dumps(body).encode(), headers=fault.headers)


def _body(fault: Status, to: To, request: Request) -> dict[str, Any]:
    if to == "token":
        error, description = _OAUTH.get(HTTPStatus(fault.status), ("server_error", ""))
        return {
            "error": fault.reason or error,
            "error_description": fault.message or description,
        }
    status = HTTPStatus(fault.status)
    if status == HTTPStatus.TOO_MANY_REQUESTS and request.on_sheets and not fault.reason:
        body = quota_exceeded(Limit(request.quota, True, _PER_USER)).body
        if fault.message:
            body["error"]["message"] = fault.message
        return body
    return failure(status, request.on_sheets, fault.reason, fault.message).body


def _page(status: int) -> bytes:
    phrase = HTTPStatus(status).phrase
    return _PAGE.format(status=int(status), phrase=phrase).encode()
