"""What the answer to a request has to be where all went well: JSON, a file, or nothing. Pure.

A status of success alone does not say that Google has answered: a gateway's page, or half of an
answer, comes with one too.
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

from .idempotency import is_idempotent, query_of, url_of
from .request import bytes_of, method_of

if TYPE_CHECKING:
    from .request import Request

__all__ = ["ExpectedAnswer", "expected_by", "is_as_expected"]


class ExpectedAnswer(Enum):
    """What the answer to a request has to be."""

    OBJECT = auto()
    """A JSON object, as Google's APIs answer."""
    FILE = auto()
    """Bytes of any kind, possibly none."""
    NOTHING = auto()
    """Nothing, or an object that nobody reads."""
    ANYTHING = auto()
    """It is not known."""


_APIS: Final = re.compile(
    r"/v4/spreadsheets(?:[/:].*)?|(?:/upload)?/drive/v[23]/files(?:/.*)?|/spreadsheets/d/[^/]+/export"
)
_EXPORT: Final = re.compile(r"/(?:drive/v[23]/files|spreadsheets/d)/[^/]+/export")
# Besides a deletion, what Google answers without content.
_RESOLVE: Final = re.compile(r"/drive/v[23]/files/[^/]+/accessproposals/[^/]+:resolve")
_WITHOUT_CONTENT: Final = (
    HTTPStatus.NO_CONTENT,
    HTTPStatus.RESET_CONTENT,
    HTTPStatus.NOT_MODIFIED,
)
# Parameters that have Google answer in another form, and the values that do not.
_FORMS: Final = {
    "alt": "json",
    "$alt": "json",
    "callback": "",
    "$callback": "",
    "uploadType": "media",
}


def expected_by(request: Request) -> ExpectedAnswer:
    """Return what the answer to a request has to be."""
    path, method, query = url_of(request)[0], method_of(request), query_of(request)
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
    """Tell whether an answer with a status of success is what a request asks for.

    What a double returns is taken as it is, and so is a redirect of what is idempotent: nothing
    was done, and another attempt would be redirected too.
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


# A larger body is not read here: that takes memory, for which its turn may not have come.
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
        # requests would put other signs in the place of what it cannot decode.
        return isinstance(json.loads(content.decode()) if is_utf8 else json_in(answer), dict)
    except (ValueError, RecursionError):
        return False


def _check_utf8(content: bytes) -> None:
    """Raise ValueError if bytes are no UTF-8: the text of all of them would take memory, too."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), _MOST_READ):
        decoder.decode(content[start : start + _MOST_READ])
    decoder.decode(b"", final=True)


def _is_whole(content: bytes) -> bool:
    """Tell whether an object is closed at its end, as one that was cut off anywhere is not.

    It takes less time than reading the object would, and little memory.
    """
    content = content.strip()
    if content[:1] != b"{" or content[-1:] != b"}":
        return False
    plain = content.replace(rb"\\", b"").replace(rb"\"", b"")
    # Of two quotes side by side, one ends a text and one begins the next, or both are of one.
    marks = _QUOTED.sub(b"", plain.translate(None, _OTHERS).replace(b'""', b""))
    return all(marks.count(a) == marks.count(b) for a, b in (b"{}", b"[]"))
