"""Which spreadsheet a request reads, and which ones it may change. Pure.

What follows for answers that the server remembers is in
:mod:`queued_gspread.server.sending.remembering`. Where it cannot be told what a request changes, it
may change any spreadsheet: to forget an answer too many costs a request, and one too few a promise.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from .idempotency import json_sent, known_method
from .request import Request, is_read, wire_form

__all__ = ["may_change", "remembered_as"]

_BOOKS: Final = "/v4/spreadsheets"
_COPY_TO: Final = f"{_BOOKS}/{{spreadsheetId}}/sheets/{{sheetId}}:copyTo"
_DESTINATION: Final = "destinationSpreadsheetId"
# They make a new file, and leave those that are there as they are.
_MAKES_NEW: Final = (_BOOKS, "/drive/v3/files", "/drive/v3/files/{fileId}/copy")
# It sets the content of one file. Drive's other writes may be about a folder with many in it.
_CONTENT: Final = "/upload/drive/v2/files/{fileId}"
# Ids as Google makes them: any other text may name the same spreadsheet in another way.
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")


def remembered_as(request: Request) -> tuple[str, bytes] | None:
    """Return the spreadsheet that a request reads, and a digest of the request as it is sent.

    None if its answer is not to be remembered: it writes, is no read of the Sheets API on one
    spreadsheet, is a step of an upsert, or sets headers.
    """
    method = known_method(request) if type(request) is Request else None
    if method is None or method.quota != "read":
        return None
    book, form = _id_at(request.path, 3), wire_form(request)
    if book is None or form is None:
        return None
    return book, hashlib.sha256(form).digest()


def may_change(request: Request) -> frozenset[str] | None:
    """Return the ids of the spreadsheets that a request may change; None if it may be any."""
    if is_read(request):
        return frozenset()
    method = known_method(request)
    if method is None:
        return None
    if method.path in _MAKES_NEW:
        return frozenset()
    if method.path == _CONTENT:
        return _of(_id_at(request.path, 5))
    if not method.path.startswith(f"{_BOOKS}/"):
        return None
    book = _id_at(request.path, 3)
    return _of(book, _destination(request)) if method.path == _COPY_TO else _of(book)


def _of(*ids: str | None) -> frozenset[str] | None:
    known = frozenset(each for each in ids if each is not None)
    return known if None not in ids else None


def _destination(request: Request) -> str | None:
    """Return where a sheet is copied to; None if the body is not just that."""
    body = json_sent(request)
    has_query = bool(request.params) or "?" in str(request.endpoint)
    if has_query or body is None or body.keys() != {_DESTINATION}:
        return None
    book = body[_DESTINATION]
    return book if isinstance(book, str) and _ID.fullmatch(book) else None


def _id_at(path: str, place: int) -> str | None:
    """Return the id in a segment of a path, before the colon of a custom method."""
    found = path.split("/")[place].partition(":")[0]
    return found if _ID.fullmatch(found) else None
