"""The emulator's methods: the path of each, and what answers it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from queued_gspread.emulator.book.store import SPREADSHEET_TYPE, may_change
from queued_gspread.emulator.wire.description import method
from queued_gspread.emulator.wire.errors import (
    fields_required,
    sheets_forbidden,
    sheets_unimplemented,
)
from queued_gspread.emulator.wire.field_mask import apply_mask, parse_mask
from queued_gspread.emulator.wire.messages import (
    check_mask,
    check_selection,
    read_body,
    read_drive_body,
    read_number,
    read_query,
)
from queued_gspread.google_api.methods import kind_of

from . import about as about_api
from . import data_filters as filters_api
from . import drive as drive_api
from . import sharing as sharing_api
from . import spreadsheets as spreadsheets_api
from . import values as values_api

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from queued_gspread.emulator.book.spreadsheet import Spreadsheet
    from queued_gspread.emulator.book.store import Store

    from .request import Answer, Json, Request

    Handler: TypeAlias = Callable[[Store, Request], "Answer | Json | None"]


def _read(request: Request, name: str) -> tuple[Json, Json]:
    """Return the parameters and the body of a request to a method of the Sheets API."""
    options = read_query(name, request.query)
    if options.get("alt", "json") != "json" or "callback" in options:
        raise sheets_unimplemented("The emulator answers with JSON alone, whatever alt, callback.")
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
    found = spreadsheets_api.copy_to(
        book, read_number(request.parts["sheet"], "sheet_id"), target, store.ids
    )
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


class _OfDrive(NamedTuple):
    """A method of Drive: what answers it, the fields of a body that it obeys, and of its answer.

    As with Google, `fields` must be given where the answer has no default ones.
    """

    answer: Callable[[Store, Request, Json], Answer | Json | None]
    obeyed: str = ""
    fields: str = ""


def _on_drive(name: str, on: _OfDrive) -> Handler:
    """Return what answers a method of Drive."""
    found, obeyed = method(name), on.obeyed.split()

    def handle(store: Store, request: Request) -> Answer | Json | None:
        drive_api.check_query(name, request.query)
        body = read_drive_body(name, request.json, obeyed) if found.body != "-" else {}
        if found.answer == "-":
            return on.answer(store, request, body)
        fields = request.query.get("fields") or on.fields
        if not fields:
            raise fields_required()
        check_selection(name, fields)
        answered = on.answer(store, request, body)
        return apply_mask(parse_mask(fields), answered) if isinstance(answered, dict) else answered

    return handle


# The parts of the paths, by their names in the description.
_PARTS = {
    "fileId": "(?!(?:generateIds|generateCseToken|trash)$)(?P<id>[^/]+)",
    "permissionId": "(?P<permission>[^/]+)",
    "commentId": "(?P<comment>[^/]+)",
    "driveId": "(?P<drive>[^/]+)",
    "spreadsheetId": "(?P<id>[^/:]+)",
    "range": "(?P<range>[^/]+)",
    "sheetId": "(?P<sheet>[^/:]+)",
    "metadataId": "(?P<metadata>[^/:]+)",
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
        c.book, read_number(c.request.parts["metadata"], "metadata_id")
    ),
    "developerMetadata.search": lambda c: filters_api.search_metadata(c.book, c.body),
}
_SHEETS: dict[str, Handler] = {
    "create": _create_spreadsheet,
    "sheets.copyTo": _copy_to,
    **{name: _on(name, answer) for name, answer in _ON_SPREADSHEETS.items()},
}
_FILE, _RIGHT = "kind,id,name,mimeType", "kind,id,type,role"
_NEW_FILE, _NEW_COMMENT = "name mimeType parents", "content anchor quotedFileContent"
_NEW_RIGHT = "type role emailAddress domain allowFileDiscovery pendingOwner"
_DRIVE = {
    "about.get": _OfDrive(about_api.about),
    "drives.list": _OfDrive(about_api.list_drives, "", "kind,nextPageToken,drives(kind,id,name)"),
    "drives.get": _OfDrive(about_api.get_drive, "", "kind,id,name"),
    "files.list": _OfDrive(
        drive_api.list_files, "", f"kind,incompleteSearch,nextPageToken,files({_FILE})"
    ),
    "files.create": _OfDrive(drive_api.made(drive_api.create), _NEW_FILE, _FILE),
    "files.get": _OfDrive(drive_api.get, "", _FILE),
    "files.update": _OfDrive(drive_api.update, "name mimeType parents trashed", _FILE),
    "files.delete": _OfDrive(drive_api.delete),
    "files.copy": _OfDrive(drive_api.made(drive_api.copy), _NEW_FILE, _FILE),
    "files.export": _OfDrive(drive_api.export),
    "permissions.list": _OfDrive(
        sharing_api.list_permissions, "", f"kind,nextPageToken,permissions({_RIGHT})"
    ),
    "permissions.create": _OfDrive(sharing_api.create_permission, _NEW_RIGHT, _RIGHT),
    "permissions.get": _OfDrive(sharing_api.get_permission, "", _RIGHT),
    "permissions.update": _OfDrive(sharing_api.update_permission, "role pendingOwner", _RIGHT),
    "permissions.delete": _OfDrive(sharing_api.delete_permission),
    "comments.list": _OfDrive(sharing_api.list_comments),
    "comments.create": _OfDrive(sharing_api.create_comment, _NEW_COMMENT),
    "comments.get": _OfDrive(sharing_api.get_comment),
    "comments.update": _OfDrive(sharing_api.update_comment, "content"),
}
_DESCRIBED = {
    **_SHEETS,
    **{f"drive.{name}": _on_drive(f"drive.{name}", on) for name, on in _DRIVE.items()},
}
APPEND = re.compile(_pattern("values.append"))
_TABLE: list[tuple[str, str, Handler]] = [
    *((method(name).verb, _pattern(name), handle) for name, handle in _DESCRIBED.items()),
    ("POST", "/drive/v2/files", drive_api.in_v2(drive_api.create)),
    ("POST", "/drive/v2/files/(?P<id>[^/]+)/copy", drive_api.in_v2(drive_api.copy)),
    ("PUT", "/upload/drive/v2/files/(?P<id>[^/]+)", drive_api.upload_v2),
    ("GET", "/spreadsheets/d/(?P<id>[^/]+)/export", drive_api.export_page),
]
ROUTES = [(verb, re.compile(pattern), handle) for verb, pattern, handle in _TABLE]
