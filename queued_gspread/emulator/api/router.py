"""One request in, one answer out: authorisation, routing, and errors as bodies."""

from __future__ import annotations

import contextlib
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

from queued_gspread.emulator.book.not_computed import GapReadError
from queued_gspread.emulator.wire.errors import (
    ApiError,
    InvalidArgumentError,
    api_disabled,
    as_drive,
    drive_unauthenticated,
    failure,
    insufficient_scopes,
    invalid,
    too_deep,
    unauthenticated,
)
from queued_gspread.emulator.wire.field_mask import apply_mask, parse_mask
from queued_gspread.google_api.scopes import allows

from . import drive as drive_api
from . import values as values_api
from .request import Answer, as_json, refusal
from .rights import check_rights
from .routes import APPEND, ROUTES

if TYPE_CHECKING:
    from queued_gspread.emulator.accounts.project import Project
    from queued_gspread.emulator.book.store import Store

    from .request import Json, Request

_LARGEST_BODY = 10_485_760
_log = logging.getLogger(__name__)


def admitted(project: Project, request: Request) -> str:
    """Return the e-mail address of the account that sends a request below /v4, /drive or /upload.

    It is empty for an API key, and noted in the request. Raises ApiError if the account may not do
    this.
    """
    caller = _caller(project, request)
    request.email, request.has_storage = caller, project.has_storage(caller)
    if len(request.content) > _LARGEST_BODY:
        limit = f"exceeds the limit: {_LARGEST_BODY} bytes."
        raise invalid(f"Request payload size {limit}")
    return caller


def answer(store: Store, request: Request) -> Answer:
    """Apply an admitted request and return its answer, even if something goes wrong."""
    try:
        return _route(store, request)
    except InvalidArgumentError as problem:
        return refusal(invalid(str(problem)))
    except ApiError as error:
        return refusal(error if request.on_sheets else as_drive(error))
    except GapReadError as gap:
        status = HTTPStatus.NOT_IMPLEMENTED
        reason = "" if request.on_sheets else "notImplemented"
        return refusal(failure(status, request.on_sheets, reason, str(gap)))
    except RecursionError:
        return refusal(too_deep() if request.on_sheets else as_drive(too_deep()))
    except Exception:  # noqa: BLE001  - a server answers whatever goes wrong in it
        _log.exception("The emulator failed at %s %s", request.method, request.target)
        return refusal(failure(HTTPStatus.INTERNAL_SERVER_ERROR, request.on_sheets))


def is_append(request: Request) -> bool:
    """Whether a request is values.append."""
    return request.method == "POST" and APPEND.fullmatch(request.raw_path) is not None


def find_place(store: Store, request: Request) -> None:
    """Let an append find its place now, although it is applied later.

    An invalid request raises its error only when it is applied.
    """
    match = APPEND.fullmatch(request.raw_path)
    assert match
    store.caller = request.email
    with contextlib.suppress(ApiError, InvalidArgumentError):
        _, book = store.spreadsheet_file(unquote(match["id"]))
        request.place = values_api.append_place(book, unquote_plus(match["range"]))


def _caller(project: Project, request: Request) -> str:
    if not request.token:
        if request.headers.get("x-goog-api-key") or request.query.get("key"):
            _check_enabled(project, request)
            return ""
        raise unauthenticated() if request.on_sheets else drive_unauthenticated()
    bearer = request.headers.get("Authorization", "bearer ").lower().startswith("bearer ")
    holder = project.holder(request.token) if bearer else None
    if holder is None:
        raise unauthenticated() if request.on_sheets else drive_unauthenticated()
    _check_enabled(project, request)
    if not allows(holder.scopes, request.method, request.raw_path, request.pairs):
        raise insufficient_scopes(request.on_sheets)
    return holder.email


def _check_enabled(project: Project, request: Request) -> None:
    # The page of an export, on docs.google.com, belongs to neither.
    is_drives = request.raw_path.startswith(("/drive/", "/upload/drive/"))
    api = "sheets" if request.on_sheets else "drive" if is_drives else ""
    if api in project.disabled_apis:
        raise api_disabled(request.on_sheets)


def _route(store: Store, request: Request) -> Answer:
    for method, pattern, handle in ROUTES:
        match = pattern.fullmatch(request.raw_path) if method == request.method else None
        if match:
            request.parts = {name: unquote_plus(part) for name, part in match.groupdict().items()}
            store.caller = request.email
            check_rights(store, request)
            found = handle(store, request)
            if found is None:
                return Answer(HTTPStatus.NO_CONTENT, b"", "text/html")
            return found if isinstance(found, Answer) else as_json(_masked(request, found))
    drive_api.check_unknown(request.method, request.raw_path)
    page = f"<!DOCTYPE html>\n<title>Error 404 (Not Found)!!1</title>\n<p>{request.method}</p>\n"
    return Answer(HTTPStatus.NOT_FOUND, page.encode(), "text/html; charset=UTF-8")


def _masked(request: Request, found: Json) -> Json:
    """Return the fields of a Sheets answer that `fields` names; Drive's answers have defaults."""
    fields = request.query.get("fields") if request.on_sheets else None
    masked: Json = apply_mask(parse_mask(fields), found) if fields else found
    return masked
