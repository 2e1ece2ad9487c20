"""What a successful answer to a request must be: JSON, a file, or nothing. Pure.

A success status alone does not prove that Google answered: a gateway's page, or half an answer,
can have one too.
"""

from __future__ import annotations

import codecs
import json
import re
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import requests

from queued_gspread.google_api.responses import json_in

from .idempotency import is_idempotent, query_of
from .request import bytes_of

if TYPE_CHECKING:
    from .request import Request

__all__ = ["ExpectedAnswer", "expected_by", "is_as_expected"]


class ExpectedAnswer(Enum):
    """What the answer to a request must be."""

    OBJECT = auto()
    """A JSON object, as Google's APIs answer."""
    FILE = auto()
    """Bytes of any kind, possibly none."""
    NOTHING = auto()
    """No body. A JSON object passes too; it is not read."""
    ANYTHING = auto()
    """Unknown, so anything passes."""


_APIS: Final = re.compile(
    r"/v4/spreadsheets(?:[/:].*)?|(?:/upload)?/drive/v[23]/files(?:/.*)?|/spreadsheets/d/[^/]+/export"
)
_EXPORT: Final = re.compile(r"/(?:drive/v[23]/files|spreadsheets/d)/[^/]+/export")
# The one method besides deletions that Google answers without content.
_RESOLVE: Final = re.compile(r"/drive/v[23]/files/[^/]+/accessproposals/[^/]+:resolve")
_WITHOUT_CONTENT: Final = (
    HTTPStatus.NO_CONTENT,
    HTTPStatus.RESET_CONTENT,
    HTTPStatus.NOT_MODIFIED,
)
# Parameters that change the form of Google's answer, each with the value that does not.
_FORMS: Final = {
    "alt": "json",
    "$alt": "json",
    "callback": "",
    "$callback": "",
    "uploadType": "media",
}


def expected_by(request: Request) -> ExpectedAnswer:
    """Return what the answer to a request must be."""
    path, method, query = request.path, request.verb, query_of(request)
    if query is None or method in ("", "HEAD") or not _APIS.fullmatch(path):
        return ExpectedAnswer.ANYTHING
    if method == "DELETE" or _RESOLVE.fullmatch(path):
        return ExpectedAnswer.NOTHING
    if _EXPORT.fullmatch(path) or ("alt", "media") in query:
        return ExpectedAnswer.FILE
    if any(_FORMS.get(name, value) != value for name, value in query):
        return ExpectedAnswer.ANYTHING
    return ExpectedAnswer.OBJECT


def is_as_expected(answer: Any, request: Request) -> bool:
    """Return whether an answer with a success status is what the request asks for.

    A test double's answer passes as it is. So does the redirect of an idempotent request: nothing
    was done, and a retry would be redirected too.
    """
    if not isinstance(answer, requests.Response) or _is_object(answer):
        return True
    if answer.is_redirect and is_idempotent(request):
        return True
    wanted = expected_by(request)
    if wanted is ExpectedAnswer.FILE:
        return answer.status_code not in _WITHOUT_CONTENT
    if wanted is ExpectedAnswer.NOTHING:
        return not bytes_of(answer).strip()
    return wanted is ExpectedAnswer.ANYTHING


# A larger body is not parsed here: that takes memory, and its turn for memory may not have come.
_MOST_READ: Final = 100_000
_MARKS: Final = b'"{}[]'
_OTHERS: Final = bytes(set(range(256)) - set(_MARKS))
_QUOTED: Final = re.compile(rb'"[^"]*(?:"|\Z)')


def _is_object(answer: requests.Response) -> bool:
    content = bytes_of(answer)
    is_utf8 = (answer.encoding or "utf-8").lower() in ("utf-8", "utf8")
    try:
        if len(content) > _MOST_READ:
            is_whole = _is_whole(content)
            if is_whole and is_utf8:
                _check_utf8(content)
            return is_whole
        # Decoded here, since requests would replace what it cannot decode.
        return isinstance(json.loads(content.decode()) if is_utf8 else json_in(answer), dict)
    except (ValueError, RecursionError):
        return False


def _check_utf8(content: bytes) -> None:
    """Raise ValueError if the bytes are not UTF-8; in pieces, since the whole text takes memory."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), _MOST_READ):
        decoder.decode(content[start : start + _MOST_READ])
    decoder.decode(b"", final=True)


def _is_whole(content: bytes) -> bool:
    """Return whether a JSON object is closed at its end, which one that was cut off is not.

    This is faster than parsing the object, and needs little memory.
    """
    content = content.strip()
    if content[:1] != b"{" or content[-1:] != b"}":
        return False
    plain = content.replace(rb"\\", b"").replace(rb"\"", b"")
    # Two adjacent quotes end one string and begin the next, or are an empty string.
    marks = _QUOTED.sub(b"", plain.translate(None, _OTHERS).replace(b'""', b""))
    return all(marks.count(a) == marks.count(b) for a, b in (b"{}", b"[]"))
