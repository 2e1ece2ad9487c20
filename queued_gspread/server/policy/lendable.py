"""Which requests may go out under another account than the namespace's own. Pure.

What an account may use is another question, which only Google's answers tell: see
:mod:`queued_gspread.server.pacing.lending`.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from google.auth.exceptions import GoogleAuthError

from queued_gspread.google_api.batch_requests import BATCH_REQUESTS
from queued_gspread.google_api.methods import Idempotence
from queued_gspread.google_api.responses import error_in

from .idempotency import json_sent, known_method
from .request import Failure, Response, answer_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .request import Request

__all__ = ["concerns_account", "is_denied", "may_be_lent", "spreadsheet_of"]

_BOOK: Final = re.compile(r"/v4/spreadsheets/([^/:]+)")
_DENIED: Final = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_CELLS: Final = ("rows", "cell")
# Google answers 400 to who may not edit a protected range; another account may.
_PROTECTED: Final = "protected"


def may_be_lent(request: Request) -> bool:
    """Return whether it makes no difference to a request under which account it is sent."""
    method = known_method(request)
    if method is None or not method.lent:
        return False
    return method.idempotent is not Idempotence.BATCH or _is_lent_batch(json_sent(request))


def spreadsheet_of(request: Request) -> str:
    """Return the id of the one spreadsheet that a request is for; '' for none."""
    found = _BOOK.match(request.path)
    return found[1] if found else ""


def is_denied(outcome: Response | Failure) -> bool:
    """Return whether Google says that an account may not do something, or sees no such thing."""
    answer = answer_of(outcome) if isinstance(outcome, Failure) else None
    return getattr(answer, "status_code", None) in _DENIED


def concerns_account(outcome: Response | Failure) -> bool:
    """Return whether a request may have failed only for the account that it was sent under.

    Then it was certainly not applied.
    """
    if not isinstance(outcome, Failure):
        return False
    return (
        is_denied(outcome) or _is_protected(outcome) or isinstance(outcome.error, GoogleAuthError)
    )


def _is_protected(outcome: Failure) -> bool:
    answer = answer_of(outcome)
    if getattr(answer, "status_code", None) != HTTPStatus.BAD_REQUEST:
        return False
    return _PROTECTED in str(error_in(answer).get("message"))


def _is_lent_batch(body: dict[str, Any] | None) -> bool:
    """Return whether a batch may be lent: by its kinds, and if it asks for no spreadsheet back."""
    if (
        body is None
        or body.keys() != {"requests"}
        or not isinstance(body["requests"], list | tuple)
    ):
        return False
    return all(map(_is_lent_part, body["requests"]))


def _is_lent_part(part: Any) -> bool:
    if not isinstance(part, dict) or len(part) != 1:
        return False
    ((kind, about),) = part.items()
    row = BATCH_REQUESTS.get(kind)
    if row is None or not row.lent or not isinstance(about, dict):
        return False
    named = [*_names_in(about), str(about.get("fields", ""))]
    return not any(own in name for name in named for own in row.own_fields)


def _names_in(value: Any) -> Iterator[str]:
    """Yield the names in a request of a batch, but for those in cells: its field mask has them."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield str(name)
            if name not in _CELLS:
                yield from _names_in(below)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _names_in(each)
