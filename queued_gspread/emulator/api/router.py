"""One request in, one answer out: authorisation, routing, and errors as bodies."""

from __future__ import annotations

import contextlib
import json
import logging
import re
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from queued_gspread.emulator.book.not_computed import GapReadError
from queued_gspread.emulator.book.store import SPREADSHEET_TYPE
from queued_gspread.emulator.wire.errors import (
    ApiError,
    drive_unauthenticated,
    failure,
    insufficient_scopes,
    invalid,
    too_deep,
    unauthenticated,
)
from queued_gspread.emulator.wire.field_mask import apply_mask, parse_mask
from queued_gspread.emulator.wire.messages import checked_message
from queued_gspread.emulator.wire.payload import parsed_payload
from queued_gspread.emulator.wire.response_fields import check_fields
from queued_gspread.emulator.wire.schema import check_body, check_parameters
from queued_gspread.google_api.methods import kind_of
from queued_gspread.google_api.scopes import allows

from . import data_filters as data_filter_api
from . import drive as drive_api
from . import sharing as sharing_api
from . import spreadsheets as spreadsheets_api
from . import values as values_api
from .method_override import seen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from queued_gspread.emulator.accounts.project import Project
    from queued_gspread.emulator.book.store import Store

    from .data_filters import Method
    from .values import Place

Json = dict[str, Any]
JSON_TYPE = "application/json; charset=UTF-8"
_LARGEST_BODY = 10_485_760
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """A response: its status, its body and the body's type."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Request:
    """A request as the methods see it; parts are the named groups of the path's pattern.

    `place` is where an append goes if that was found before the append itself.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes
    parts: dict[str, str] = field(default_factory=dict)
    place: Place | None = None

    def __post_init__(self) -> None:
        """Split the target; the path stays percent-encoded until it is routed."""
        split = urlsplit(self.target)
        self.raw_path = split.path
        self.method, query, self.content = seen(self.method, self.headers, self.content)
        self.pairs = parse_qsl(split.query, keep_blank_values=True) + query
        self.query = dict(self.pairs)

    @property
    def path(self) -> str:
        """The path without percent-encoding."""
        return unquote(self.raw_path)

    @property
    def on_sheets(self) -> bool:
        """Whether it is for the Sheets API, not for the Drive API."""
        return self.raw_path.startswith("/v4/")

    @property
    def quota(self) -> str:
        """What it counts as: `read`, `write` or `drive`."""
        return kind_of(self.method, self.raw_path)

    @property
    def token(self) -> str:
        """Its access token; empty if it has none."""
        return self.headers.get("Authorization", "").partition(" ")[2].strip()

    @property
    def ranges(self) -> list[str]:
        """All `ranges` of the query, in order."""
        return [value for name, value in self.pairs if name == "ranges"]

    @property
    def json(self) -> Json:
        """The body; an empty object if there is none."""
        return parsed_payload(self.content)


def admitted(project: Project, request: Request) -> str:
    """Return the e-mail address of the account that sends a request below /v4, /drive or /upload.

    It is empty for an API key. Raises ApiError if the account may not do this.
    """
    caller = _caller(project, request)
    if len(request.content) > _LARGEST_BODY:
        limit = f"exceeds the limit: {_LARGEST_BODY} bytes."
        raise invalid(f"Request payload size {limit}")
    return caller


def answer(store: Store, request: Request) -> Answer:
    """Apply an admitted request and return its answer, even if something goes wrong."""
    try:
        return _route(store, request)
    except ApiError as error:
        return refusal(error)
    except GapReadError as gap:
        status = HTTPStatus.NOT_IMPLEMENTED
        reason = "" if request.on_sheets else "notImplemented"
        return refusal(failure(status, request.on_sheets, reason, str(gap)))
    except RecursionError:
        return refusal(too_deep())
    except Exception:  # noqa: BLE001  - a server answers whatever goes wrong in it
        _log.exception("The emulator failed at %s %s", request.method, request.target)
        return refusal(failure(HTTPStatus.INTERNAL_SERVER_ERROR, request.on_sheets))


def is_append(request: Request) -> bool:
    """Whether a request is values.append."""
    return request.method == "POST" and _APPEND.fullmatch(request.raw_path) is not None


def find_place(store: Store, request: Request) -> None:
    """Let an append find its place now, although it is applied later.

    An invalid request raises its error only when it is applied.
    """
    match = _APPEND.fullmatch(request.raw_path)
    assert match
    with contextlib.suppress(ApiError):
        _, book = store.spreadsheet_file(unquote(match["id"]))
        request.place = values_api.append_place(book, unquote(match["range"]))


def refusal(error: ApiError, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an error as an answer."""
    answered = as_json(error.body, error.status)
    return replace(answered, headers=headers) if headers else answered


def as_json(body: Any, status: int = HTTPStatus.OK) -> Answer:
    """Return an answer whose body is JSON."""
    # An error quotes the request, lone surrogates included.
    return Answer(int(status), json.dumps(body, ensure_ascii=False).encode(errors="replace"))


def _caller(project: Project, request: Request) -> str:
    if not request.token:
        if request.headers.get("x-goog-api-key") or request.query.get("key"):
            return ""
        raise unauthenticated() if request.on_sheets else drive_unauthenticated()
    bearer = request.headers.get("Authorization", "").lower().startswith("bearer ")
    holder = project.holder(request.token) if bearer else None
    if holder is None:
        raise unauthenticated() if request.on_sheets else drive_unauthenticated()
    if not allows(holder.scopes, request.method, request.raw_path, request.pairs):
        raise insufficient_scopes(request.on_sheets)
    return holder.email


def _route(store: Store, request: Request) -> Answer:
    for method, pattern, handle in _ROUTES:
        match = pattern.fullmatch(request.raw_path) if method == request.method else None
        if match:
            request.parts = {name: unquote(part) for name, part in match.groupdict().items()}
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


def _checked(request: Request, method: str) -> Json:
    """Return the body of a request to the Sheets API whose names are all known."""
    check_parameters(method, request.query)
    check_fields(method, request.query.get("fields", ""))
    body = request.json
    check_body(method, body)
    return body


def _create_spreadsheet(store: Store, request: Request) -> Json:
    body = checked_message(_checked(request, "create"))
    title = (body.get("properties") or {}).get("title") or "Untitled spreadsheet"
    file = store.create(title, SPREADSHEET_TYPE)
    assert file.book
    try:
        spreadsheets_api.fill_new(file.book, body, store.ids, store.email)
    except BaseException:
        del store.files[file.file_id]
        raise
    return spreadsheets_api.get(file.book, [], False, request.query.get("fields"))


def _get_spreadsheet(store: Store, request: Request) -> Json:
    _checked(request, "get")
    _, book = store.spreadsheet_file(request.parts["id"])
    with_data = request.query.get("includeGridData", "").lower() == "true"
    return spreadsheets_api.get(book, request.ranges, with_data, request.query.get("fields"))


def _batch_update(store: Store, request: Request) -> Json:
    body = _checked(request, "batchUpdate")
    file, book = store.spreadsheet_file(request.parts["id"])
    found = spreadsheets_api.batch_update(book, body, store.ids, store.email)
    store.touch(file)
    return found


def _copy_to(store: Store, request: Request) -> Json:
    body = _checked(request, "sheets.copyTo")
    _, book = store.spreadsheet_file(request.parts["id"])
    wanted = checked_message(body).get("destinationSpreadsheetId", "")
    file, target = store.spreadsheet_file(wanted)
    found = spreadsheets_api.copy_to(book, int(request.parts["sheet"]), target, store.ids)
    store.touch(file)
    return found


def _values_get(store: Store, request: Request) -> Json:
    _checked(request, "values.get")
    _, book = store.spreadsheet_file(request.parts["id"])
    return values_api.get(book, request.parts["range"], request.query)


def _values_batch_get(store: Store, request: Request) -> Json:
    _checked(request, "values.batchGet")
    _, book = store.spreadsheet_file(request.parts["id"])
    return values_api.batch_get(book, request.ranges, request.query)


def _values_update(store: Store, request: Request) -> Json:
    body = _checked(request, "values.update")
    file, book = store.spreadsheet_file(request.parts["id"])
    found = values_api.update(book, request.parts["range"], request.query, body)
    store.touch(file)
    return found


def _values_append(store: Store, request: Request) -> Json:
    body = _checked(request, "values.append")
    file, book = store.spreadsheet_file(request.parts["id"])
    found = values_api.append(book, request.parts["range"], request.query, body, request.place)
    store.touch(file)
    return found


def _values_clear(store: Store, request: Request) -> Json:
    _checked(request, "values.clear")
    file, book = store.spreadsheet_file(request.parts["id"])
    found = values_api.clear(book, request.parts["range"])
    store.touch(file)
    return found


def _values_batch_update(store: Store, request: Request) -> Json:
    body = _checked(request, "values.batchUpdate")
    file, book = store.spreadsheet_file(request.parts["id"])
    found = values_api.batch_update(book, body)
    store.touch(file)
    return found


def _values_batch_clear(store: Store, request: Request) -> Json:
    body = _checked(request, "values.batchClear")
    file, book = store.spreadsheet_file(request.parts["id"])
    found = values_api.batch_clear(book, body)
    store.touch(file)
    return found


def _handler(method: Method) -> Callable[[Store, Request], Json]:
    """Return the function that answers a method on a spreadsheet."""

    def handle(store: Store, request: Request) -> Json:
        body = _checked(request, method.name)
        file, book = store.spreadsheet_file(request.parts["id"])
        found = method.answer(book, body, {**request.query, **request.parts})
        if method.changes:
            store.touch(file)
        return found

    return handle


def _by(export: Callable[..., tuple[bytes, str]]) -> Callable[[Store, Request], Answer]:
    return lambda s, r: Answer(HTTPStatus.OK, *export(s, r.parts["id"], r.query))


def _drive_body(request: Request) -> Json:
    return drive_api.checked_body(request.json)


def _permission_update(store: Store, request: Request) -> Json:
    which, body = request.parts["permission"], _drive_body(request)
    return sharing_api.update_permission(store, request.parts["id"], which, request.query, body)


_SHEETS, _FILES = "/v4/spreadsheets", "/drive/v3/files"
_SHEET, _VALUES = _SHEETS + "/(?P<id>[^/:]+)", _SHEETS + "/(?P<id>[^/:]+)/values"
_FILE = _FILES + "/(?!(?:generateIds|generateCseToken|trash)$)(?P<id>[^/]+)"
_PERMISSION = _FILE + "/permissions/(?P<permission>[^/]+)"
_APPEND = re.compile(_VALUES + "/(?P<range>.+):append")
_TABLE: list[tuple[str, str, Callable[[Store, Request], Answer | Json | None]]] = [
    ("GET", _SHEET, _get_spreadsheet),
    ("POST", _SHEETS, _create_spreadsheet),
    ("POST", _SHEET + ":batchUpdate", _batch_update),
    ("POST", _SHEET + "/sheets/(?P<sheet>[0-9]{1,10}):copyTo", _copy_to),
    ("GET", _VALUES + "/(?P<range>.+)", _values_get),
    ("PUT", _VALUES + "/(?P<range>.+)", _values_update),
    ("POST", _APPEND.pattern, _values_append),
    ("POST", _VALUES + "/(?P<range>.+):clear", _values_clear),
    ("GET", _VALUES + ":batchGet", _values_batch_get),
    ("POST", _VALUES + ":batchUpdate", _values_batch_update),
    ("POST", _VALUES + ":batchClear", _values_batch_clear),
    *((m.verb, _SHEET + m.path, _handler(m)) for m in data_filter_api.METHODS),
    ("GET", _FILES, lambda s, r: drive_api.list_files(s, r.query)),
    ("POST", _FILES, lambda s, r: drive_api.create(s, r.query, _drive_body(r))),
    ("GET", _FILE, lambda s, r: drive_api.get(s, r.parts["id"], r.query)),
    ("PATCH", _FILE, lambda s, r: drive_api.update(s, r.parts["id"], r.query, _drive_body(r))),
    ("DELETE", _FILE, lambda s, r: drive_api.delete(s, r.parts["id"])),
    (
        "POST",
        _FILE + "/copy",
        lambda s, r: drive_api.copy(s, r.parts["id"], r.query, _drive_body(r)),
    ),
    ("GET", _FILE + "/export", _by(drive_api.export)),
    ("GET", "/spreadsheets/d/(?P<id>[^/]+)/export", _by(drive_api.export_page)),
    (
        "GET",
        _FILE + "/permissions",
        lambda s, r: sharing_api.list_permissions(s, r.parts["id"], r.query),
    ),
    (
        "POST",
        _FILE + "/permissions",
        lambda s, r: sharing_api.create_permission(s, r.parts["id"], r.query, _drive_body(r)),
    ),
    (
        "GET",
        _PERMISSION,
        lambda s, r: sharing_api.get_permission(s, r.parts["id"], r.parts["permission"], r.query),
    ),
    ("PATCH", _PERMISSION, _permission_update),
    (
        "DELETE",
        _PERMISSION,
        lambda s, r: sharing_api.delete_permission(s, r.parts["id"], r.parts["permission"]),
    ),
    (
        "GET",
        _FILE + "/comments",
        lambda s, r: sharing_api.list_comments(s, r.parts["id"], r.query),
    ),
    (
        "POST",
        _FILE + "/comments",
        lambda s, r: sharing_api.create_comment(s, r.parts["id"], r.query, _drive_body(r)),
    ),
    (
        "PUT",
        "/upload/drive/v2/files/(?P<id>[^/]+)",
        lambda s, r: drive_api.upload_v2(s, r.parts["id"], r.content),
    ),
]
_ROUTES = [(method, re.compile(pattern), handle) for method, pattern, handle in _TABLE]
