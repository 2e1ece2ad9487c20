"""A caller's own answer, made from the one that all of them share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from queued_gspread.server.request import Request

    from .part import Json

__all__ = ["body_of", "own_answer"]


def body_of(answer: Any) -> Json | None:
    """Return the JSON object that Google answered; None if it is none."""
    if not isinstance(answer, requests.Response) or not answer.ok:
        return None
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def own_answer(shared: requests.Response, request: Request, body: Json) -> requests.Response:
    """Return the answer to a caller's own request, with a body of its own."""
    own = requests.Response()
    own.status_code, own.reason = shared.status_code, shared.reason
    own.headers = shared.headers.copy()
    own.headers.pop("Content-Length", None)
    own.headers.pop("Content-Encoding", None)
    own.encoding, own.elapsed = "utf-8", shared.elapsed
    prepared = requests.PreparedRequest()
    prepared.prepare_url(request.endpoint, request.params)
    own.url = prepared.url or ""
    text = json.dumps(body, indent=2) + "\n"
    own._content = text.encode()  # noqa: SLF001 - requests has no constructor
    return own
