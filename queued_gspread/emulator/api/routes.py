"""The emulator's methods: the path of each, and what answers it."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from queued_gspread.emulator.book.store import SPREADSHEET_TYPE, may_change
from queued_gspread.emulator.wire.description import method
from queued_gspread.emulator.wire.errors import sheets_forbidden
from queued_gspread.emulator.wire.messages import check_mask, read_body, read_query
from queued_gspread.google_api.methods import kind_of

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


def _read(request: Request, name: str) -> tuple[Json, Json]:
    """Return the parameters and the body of a request to a method of the Sheets API."""
    options = read_query(name, request.query)
    if "fields" in options:
        check_mask(name, options["fields"])
    return options, read_body(name, request.json)


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


def _on(name: str, answer: Callable[[_Call], Json]) -> Handler:
    """Return what answers a method on a spreadsheet; one that counts as a write changes it."""
    found = method(name)
    changes = kind_of(found.verb, found.path) == "write"

    def handle(store: Store, request: Request) -> Json:
        read = _read(request, name)
        file, book = store.spreadsheet_file(request.parts["id"])
        answered = answer(_Call(book, store, request, *read))
        if changes:
            store.touch(file)
        return answered

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


# The parts of the Sheets API's paths, by their names in its description.
_PARTS = {
    "spreadsheetId": "(?P<id>[^/:]+)",
    "range": "(?P<range>[^/]+)",
    "sheetId": "(?P<sheet>[0-9]{1,10})",
    "metadataId": "(?P<metadata>[0-9]{1,10})",
}


def _pattern(name: str) -> str:
    return re.sub("{([A-Za-z]+)}", lambda found: _PARTS[found[1]], method(name).path)


_ON_SPREADSHEETS: dict[str, Callable[[_Call], Json]] = {
    "get": lambda c: spreadsheets_api.get(c.book, c.request.ranges, c.options),
    "batchUpdate": lambda c: spreadsheets_api.batch_update(
        c.book, c.body, c.store.ids, c.store.email
    ),
    "getByDataFilter": lambda c: filters_api.get(c.book, {**c.options, **c.body}),
    "values.get": lambda c: values_api.get(c.book, c.range, c.options),
    "values.update": lambda c: values_api.update(c.book, c.range, c.options, c.body),
    "values.append": lambda c: values_api.append(
        c.book, c.range, c.options, c.body, c.request.place
    ),
    "values.clear": lambda c: values_api.clear(c.book, c.range),
    "values.batchGet": lambda c: values_api.batch_get(c.book, c.request.ranges, c.options),
    "values.batchUpdate": lambda c: values_api.batch_update(c.book, c.body),
    "values.batchClear": lambda c: values_api.batch_clear(c.book, c.body),
    "values.batchGetByDataFilter": lambda c: filters_api.batch_get(c.book, c.body),
    "values.batchUpdateByDataFilter": lambda c: filters_api.batch_update(c.book, c.body),
    "values.batchClearByDataFilter": lambda c: filters_api.batch_clear(c.book, c.body),
    "developerMetadata.get": lambda c: filters_api.get_metadata(
        c.book, int(c.request.parts["metadata"])
    ),
    "developerMetadata.search": lambda c: filters_api.search_metadata(c.book, c.body),
}
_SHEETS: dict[str, Handler] = {
    "create": _create_spreadsheet,
    "sheets.copyTo": _copy_to,
    **{name: _on(name, answer) for name, answer in _ON_SPREADSHEETS.items()},
}
_FILES = "/drive/v3/files"
_FILE = _FILES + "/(?!(?:generateIds|generateCseToken|trash)$)(?P<id>[^/]+)"
_COMMENT = _FILE + "/comments/(?P<comment>[^/]+)"
_PERMISSION = _FILE + "/permissions/(?P<permission>[^/]+)"
APPEND = re.compile(_pattern("values.append"))
_TABLE: list[tuple[str, str, Handler]] = [
    *((method(name).verb, _pattern(name), handle) for name, handle in _SHEETS.items()),
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
ROUTES = [(verb, re.compile(pattern), handle) for verb, pattern, handle in _TABLE]
