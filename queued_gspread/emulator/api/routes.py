"""The emulator's methods: the path of each, and what answers it."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.store import SPREADSHEET_TYPE, may_change
from queued_gspread.emulator.wire.errors import sheets_forbidden
from queued_gspread.emulator.wire.messages import check_mask, read_body, read_query

from . import about as about_api
from . import data_filters as data_filter_api
from . import drive as drive_api
from . import sharing as sharing_api
from . import spreadsheets as spreadsheets_api
from . import values as values_api
from .request import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from queued_gspread.emulator.book.spreadsheet import Spreadsheet
    from queued_gspread.emulator.book.store import Store

    from .data_filters import Method
    from .request import Json, Request

    Handler: TypeAlias = Callable[[Store, Request], "Answer | Json | None"]


def _read(request: Request, method: str) -> tuple[Json, Json]:
    """Return the parameters and the body of a request to a method of the Sheets API."""
    options = read_query(method, request.query)
    check_mask(method, options.get("fields", ""))
    return options, read_body(method, request.json)


def _create_spreadsheet(store: Store, request: Request) -> Json:
    options, body = _read(request, "create")
    if not request.has_storage:
        raise sheets_forbidden()
    title = (body.get("properties") or {}).get("title") or "Untitled spreadsheet"
    file = store.create(title, SPREADSHEET_TYPE)
    assert file.book
    try:
        spreadsheets_api.fill_new(file.book, body, store.ids, store.email)
    except BaseException:
        del store.files[file.file_id]
        raise
    return spreadsheets_api.get(file.book, [], options)


def _get_spreadsheet(store: Store, request: Request) -> Json:
    options, _ = _read(request, "get")
    _, book = store.spreadsheet_file(request.parts["id"])
    return spreadsheets_api.get(book, request.ranges, options)


def _batch_update(store: Store, request: Request) -> Json:
    _, body = _read(request, "batchUpdate")
    file, book = store.spreadsheet_file(request.parts["id"])
    found = spreadsheets_api.batch_update(book, body, store.ids, store.email)
    store.touch(file)
    return found


def _copy_to(store: Store, request: Request) -> Json:
    _, body = _read(request, "sheets.copyTo")
    _, book = store.spreadsheet_file(request.parts["id"])
    file, target = store.spreadsheet_file(body.get("destinationSpreadsheetId", ""))
    if not may_change(file, request.email):
        raise sheets_forbidden()
    found = spreadsheets_api.copy_to(book, int(request.parts["sheet"]), target, store.ids)
    store.touch(file)
    return found


def _values_get(store: Store, request: Request) -> Json:
    options, _ = _read(request, "values.get")
    _, book = store.spreadsheet_file(request.parts["id"])
    return values_api.get(book, request.parts["range"], options)


def _values_batch_get(store: Store, request: Request) -> Json:
    options, _ = _read(request, "values.batchGet")
    _, book = store.spreadsheet_file(request.parts["id"])
    return values_api.batch_get(book, request.ranges, options)


def _write(method: str, write: Callable[[Spreadsheet, Request, Json, Json], Json]) -> Handler:
    """Return the function that answers a method of the values that writes."""

    def handle(store: Store, request: Request) -> Json:
        options, body = _read(request, method)
        file, book = store.spreadsheet_file(request.parts["id"])
        found = write(book, request, options, body)
        store.touch(file)
        return found

    return handle


_values_update = _write(
    "values.update",
    lambda book, request, options, body: values_api.update(
        book, request.parts["range"], options, body
    ),
)
_values_append = _write(
    "values.append",
    lambda book, request, options, body: values_api.append(
        book, request.parts["range"], options, body, request.place
    ),
)
_values_clear = _write(
    "values.clear", lambda book, request, *_: values_api.clear(book, request.parts["range"])
)
_values_batch_update = _write(
    "values.batchUpdate", lambda book, _, __, body: values_api.batch_update(book, body)
)
_values_batch_clear = _write(
    "values.batchClear", lambda book, _, __, body: values_api.batch_clear(book, body)
)


def _handler(method: Method) -> Handler:
    """Return the function that answers a method on a spreadsheet."""

    def handle(store: Store, request: Request) -> Json:
        _, body = _read(request, method.name)
        file, book = store.spreadsheet_file(request.parts["id"])
        found = method.answer(book, body, {**request.query, **request.parts})
        if method.changes:
            store.touch(file)
        return found

    return handle


def _by(export: Callable[..., tuple[bytes, str]]) -> Handler:
    return lambda s, r: Answer(HTTPStatus.OK, *export(s, r.parts["id"], r.query))


def _drive_body(request: Request) -> Json:
    return drive_api.checked_body(request.json)


def _of_file(answer: Callable[[Store, str, Mapping[str, str]], Json]) -> Handler:
    return lambda s, r: answer(s, r.parts["id"], r.query)


def _of_file_with_body(answer: Callable[[Store, str, Mapping[str, str], Json], Json]) -> Handler:
    return lambda s, r: answer(s, r.parts["id"], r.query, _drive_body(r))


def _permission_get(store: Store, request: Request) -> Json:
    which = request.parts["permission"]
    return sharing_api.get_permission(store, request.parts["id"], which, request.query)


def _permission_update(store: Store, request: Request) -> Json:
    which, body = request.parts["permission"], _drive_body(request)
    return sharing_api.update_permission(store, request.parts["id"], which, request.query, body)


_SHEETS, _FILES = "/v4/spreadsheets", "/drive/v3/files"
_SHEET, _VALUES = _SHEETS + "/(?P<id>[^/:]+)", _SHEETS + "/(?P<id>[^/:]+)/values"
_FILE = _FILES + "/(?!(?:generateIds|generateCseToken|trash)$)(?P<id>[^/]+)"
_COMMENT = _FILE + "/comments/(?P<comment>[^/]+)"
_PERMISSION = _FILE + "/permissions/(?P<permission>[^/]+)"
APPEND = re.compile(_VALUES + "/(?P<range>[^/]+):append")
_TABLE: list[tuple[str, str, Handler]] = [
    ("GET", _SHEET, _get_spreadsheet),
    ("POST", _SHEETS, _create_spreadsheet),
    ("POST", _SHEET + ":batchUpdate", _batch_update),
    ("POST", _SHEET + "/sheets/(?P<sheet>[0-9]{1,10}):copyTo", _copy_to),
    ("GET", _VALUES + "/(?P<range>[^/]+)", _values_get),
    ("PUT", _VALUES + "/(?P<range>[^/]+)", _values_update),
    ("POST", APPEND.pattern, _values_append),
    ("POST", _VALUES + "/(?P<range>[^/]+):clear", _values_clear),
    ("GET", _VALUES + ":batchGet", _values_batch_get),
    ("POST", _VALUES + ":batchUpdate", _values_batch_update),
    ("POST", _VALUES + ":batchClear", _values_batch_clear),
    *((m.verb, _SHEET + m.path, _handler(m)) for m in data_filter_api.METHODS),
    ("GET", "/drive/v3/about", about_api.about),
    ("GET", "/drive/v3/drives", about_api.list_drives),
    ("GET", "/drive/v3/drives/(?P<drive>[^/]+)", about_api.get_drive),
    ("GET", _FILES, drive_api.list_files),
    ("POST", _FILES, drive_api.in_v3(drive_api.create)),
    ("GET", _FILE, drive_api.get),
    ("PATCH", _FILE, _of_file_with_body(drive_api.update)),
    ("DELETE", _FILE, lambda s, r: drive_api.delete(s, r.parts["id"])),
    ("POST", _FILE + "/copy", drive_api.in_v3(drive_api.copy)),
    ("POST", "/drive/v2/files", drive_api.in_v2(drive_api.create)),
    ("POST", "/drive/v2/files/(?P<id>[^/]+)/copy", drive_api.in_v2(drive_api.copy)),
    ("GET", _FILE + "/export", _by(drive_api.export)),
    ("GET", "/spreadsheets/d/(?P<id>[^/]+)/export", _by(drive_api.export_page)),
    ("GET", _FILE + "/permissions", _of_file(sharing_api.list_permissions)),
    ("POST", _FILE + "/permissions", _of_file_with_body(sharing_api.create_permission)),
    ("GET", _PERMISSION, _permission_get),
    ("PATCH", _PERMISSION, _permission_update),
    (
        "DELETE",
        _PERMISSION,
        lambda s, r: sharing_api.delete_permission(s, r.parts["id"], r.parts["permission"]),
    ),
    ("GET", _FILE + "/comments", _of_file(sharing_api.list_comments)),
    ("POST", _FILE + "/comments", _of_file_with_body(sharing_api.create_comment)),
    ("GET", _COMMENT, lambda s, r: sharing_api.get_comment(s, r.parts, r.query)),
    (
        "PATCH",
        _COMMENT,
        lambda s, r: sharing_api.update_comment(s, r.parts, r.query, _drive_body(r)),
    ),
    (
        "PUT",
        "/upload/drive/v2/files/(?P<id>[^/]+)",
        lambda s, r: drive_api.upload_v2(s, r.parts["id"], r.content),
    ),
]
ROUTES = [(method, re.compile(pattern), handle) for method, pattern, handle in _TABLE]
