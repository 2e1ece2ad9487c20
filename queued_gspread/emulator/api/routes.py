"""The emulator's methods: the path of each, and what answers it."""

from __future__ import annotations

import re
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from queued_gspread.emulator.book.store import SPREADSHEET_TYPE, may_change
from queued_gspread.emulator.wire.errors import sheets_forbidden
from queued_gspread.emulator.wire.messages import check_mask, read_body, read_query

from . import about as about_api
from . import data_filters as filters_api
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


def _copy_to(store: Store, request: Request) -> Json:
    _, body = _read(request, "sheets.copyTo")
    _, book = store.spreadsheet_file(request.parts["id"])
    file, target = store.spreadsheet_file(body.get("destinationSpreadsheetId", ""))
    if not may_change(file, request.email):
        raise sheets_forbidden()
    found = spreadsheets_api.copy_to(book, int(request.parts["sheet"]), target, store.ids)
    store.touch(file)
    return found


class _Call(NamedTuple):
    """A request to a method on a spreadsheet, with its parameters and its body."""

    book: Spreadsheet
    store: Store
    request: Request
    options: Json
    body: Json

    @property
    def range(self) -> str:
        """The range in the path."""
        return self.request.parts["range"]


def _on(method: str, answer: Callable[[_Call], Json], changes: bool = False) -> Handler:
    """Return what answers a method on a spreadsheet, which it may change."""

    def handle(store: Store, request: Request) -> Json:
        read = _read(request, method)
        file, book = store.spreadsheet_file(request.parts["id"])
        found = answer(_Call(book, store, request, *read))
        if changes:
            store.touch(file)
        return found

    return handle


_changing = partial(_on, changes=True)


def _of_body(answer: Callable[[Spreadsheet, Json], Json]) -> Callable[[_Call], Json]:
    return lambda call: answer(call.book, call.body)


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
_METADATA = _SHEET + "/developerMetadata"
_RANGE = _VALUES + "/(?P<range>[^/]+)"
_TABLE: list[tuple[str, str, Handler]] = [
    ("POST", _SHEETS, _create_spreadsheet),
    ("POST", _SHEET + "/sheets/(?P<sheet>[0-9]{1,10}):copyTo", _copy_to),
    (
        "GET",
        _SHEET,
        _on("get", lambda c: spreadsheets_api.get(c.book, c.request.ranges, c.options)),
    ),
    (
        "POST",
        _SHEET + ":batchUpdate",
        _changing(
            "batchUpdate",
            lambda c: spreadsheets_api.batch_update(c.book, c.body, c.store.ids, c.store.email),
        ),
    ),
    (
        "POST",
        _SHEET + ":getByDataFilter",
        _on("getByDataFilter", lambda c: filters_api.get(c.book, {**c.options, **c.body})),
    ),
    ("GET", _RANGE, _on("values.get", lambda c: values_api.get(c.book, c.range, c.options))),
    (
        "PUT",
        _RANGE,
        _changing("values.update", lambda c: values_api.update(c.book, c.range, c.options, c.body)),
    ),
    (
        "POST",
        APPEND.pattern,
        _changing(
            "values.append",
            lambda c: values_api.append(c.book, c.range, c.options, c.body, c.request.place),
        ),
    ),
    (
        "POST",
        _RANGE + ":clear",
        _changing("values.clear", lambda c: values_api.clear(c.book, c.range)),
    ),
    (
        "GET",
        _VALUES + ":batchGet",
        _on("values.batchGet", lambda c: values_api.batch_get(c.book, c.request.ranges, c.options)),
    ),
    *(
        ("POST", f"{_VALUES}:{name}", make(f"values.{name}", _of_body(do)))
        for name, make, do in (
            ("batchUpdate", _changing, values_api.batch_update),
            ("batchClear", _changing, values_api.batch_clear),
            ("batchGetByDataFilter", _on, filters_api.batch_get),
            ("batchUpdateByDataFilter", _changing, filters_api.batch_update),
            ("batchClearByDataFilter", _changing, filters_api.batch_clear),
        )
    ),
    (
        "GET",
        _METADATA + "/(?P<metadata>[0-9]{1,10})",
        _on(
            "developerMetadata.get",
            lambda c: filters_api.get_metadata(c.book, int(c.request.parts["metadata"])),
        ),
    ),
    (
        "POST",
        _METADATA + ":search",
        _on("developerMetadata.search", _of_body(filters_api.search_metadata)),
    ),
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
