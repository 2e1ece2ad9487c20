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

from .idempotency import json_sent, known_method, query_of
from .request import Failure, Response, answer_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .request import Request

__all__ = [
    "concerns_account",
    "is_denied",
    "may_be_lent",
    "shows_right_to_write",
    "spreadsheet_of",
]

_BOOK: Final = re.compile(r"/v4/spreadsheets/([^/:]+)")
_DENIED: Final = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_CELLS: Final = ("rows", "cell")
# Google answers 400 to who may not edit a protected range; another account may. Names that it
# repeats, such as a sheet's, have no article.
_PROTECTED: Final = re.compile(r"\b(an?|the|this|that|any|is|are) protected\b", re.IGNORECASE)
# Parameters of all of Google's APIs that name a project or a user, beside the account.
_WHOSE: Final = frozenset({"key", "quotauser", "userip"})


def may_be_lent(request: Request) -> bool:
    """Return whether it makes no difference to a request under which account it is sent."""
    method = known_method(request)
    if method is None or not method.lent or not _is_anyones(request):
        return False
    return method.idempotent is not Idempotence.BATCH or _is_lent_batch(json_sent(request))


def shows_right_to_write(request: Request) -> bool:
    """Return whether an account that has made a write with success may make any that is lent.

    To copy a sheet, or to comment, takes less than to edit; and what changes nothing may take less.
    """
    body = json_sent(request) or {}
    return may_be_lent(request) and all(each != [] for each in body.values())


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
    return _PROTECTED.search(str(error_in(answer).get("message"))) is not None


def _is_anyones(request: Request) -> bool:
    """Return whether nothing but its place and its body tells whose a request is, and what for."""
    query = query_of(request)
    if request.headers or query is None or ".." in request.path:
        return False
    return all(_plain(name.lstrip("$")) not in _WHOSE for name, _ in query)


def _plain(name: str) -> str:
    """Return a name without what Google's JSON leaves open: ``chip_runs`` for ``chipRuns``."""
    return name.replace("_", "").lower()


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
    named = [_plain(name) for name in (*_names_in(about), str(about.get("fields", "")))]
    return not any(_plain(own) in name for name in named for own in row.own_fields)


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
