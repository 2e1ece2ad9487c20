"""Answers in Google's form that Google did not give."""

from __future__ import annotations

import json
from typing import Any

import requests

__all__ = ["empty_response", "made_up_response"]


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
