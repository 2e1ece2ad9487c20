"""The Drive v3 methods about files, and the v2 upload that imports a CSV file."""

from __future__ import annotations

import json
from copy import copy as shallow
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.store import (
    FOLDER_TYPE,
    ROOT_FOLDER,
    SPREADSHEET_TYPE,
    may_change,
)
from queued_gspread.emulator.book.timestamps import timestamp
from queued_gspread.emulator.export import NAMES, export_book
from queued_gspread.emulator.values.csv_import import import_csv
from queued_gspread.emulator.wire.errors import (
    InvalidArgumentError,
    drive_error,
    drive_invalid,
    drive_unimplemented,
    export_too_large,
    not_a_folder,
)
from queued_gspread.emulator.wire.field_mask import apply_mask, parse_mask
from queued_gspread.google_api.methods import find

from .drive_query import parse_query
from .drive_v2 import body_from_v2, file_v2
from .rights import check_storage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import TypeAlias

    from queued_gspread.emulator.book.spreadsheet import Spreadsheet
    from queued_gspread.emulator.book.store import File, Store

    from .request import Request

    Making: TypeAlias = Callable[[Store, Request, "Json"], File]

Json = dict[str, Any]
_DEFAULT_FIELDS = "kind,id,name,mimeType"
_DEFAULT_LIST_FIELDS = f"kind,incompleteSearch,nextPageToken,files({_DEFAULT_FIELDS})"
_DEFAULT_PAGE, _LARGEST_PAGE = 100, 1000
_MOST_DIGITS = 9
_LARGEST_EXPORT = 10 * 1024 * 1024
_TEXTS = ("name", "mimeType", "role", "type", "emailAddress", "domain", "content")
_PAGE_FORMATS = {name: mime_type for mime_type, name in NAMES.items()}
# Fields of a file that can be set and are not kept, by Google's discovery document.
_NOT_KEPT = (
    *("appProperties", "contentHints", "contentRestrictions", "copyRequiresWriterPermission"),
    *("createdTime", "description", "downloadRestrictions", "folderColorRgb"),
    *("inheritedPermissionsDisabled", "modifiedTime", "originalFilename", "properties"),
    *("shortcutDetails", "starred", "viewedByMeTime", "writersCanShare"),
)
_MY_DRIVE = {
    "kind": "drive#file",
    "id": ROOT_FOLDER,
    "name": "My Drive",
    "mimeType": FOLDER_TYPE,
}


def checked_body(body: Json) -> Json:
    """Return a request's body; raise Drive's 400 if a text field is no text."""
    for name in _TEXTS:
        if not isinstance(body.get(name), (str, type(None))):
            raise drive_invalid(name, f"Invalid value {json.dumps(body[name])}: it must be a text.")
    parents = body.get("parents") or []
    if not isinstance(parents, list) or not all(isinstance(parent, str) for parent in parents):
        raise drive_invalid(
            "parents", f"Invalid value {json.dumps(parents)}: it must be a list of texts."
        )
    return body


def check_unknown(method: str, path: str) -> None:
    """Raise a 501 for a method that Drive has and the emulator lacks."""
    known = path.removeprefix("/upload")
    if known.startswith("/drive/") and find(method, known):
        raise drive_unimplemented(f"The emulator does not answer {method} {path}.")


def create(store: Store, request: Request, body: Json) -> File:
    """Make the file that files.create asks for."""
    _check_kept(body)
    mime_type = body.get("mimeType") or "application/octet-stream"
    parents = _parents(store, body)
    check_storage(store, request, mime_type, parents)
    return store.create(body.get("name") or "Untitled", mime_type, parents)


def get(store: Store, request: Request) -> Json:
    """Answer files.get."""
    file_id = request.parts["id"]
    if _folder(file_id) == ROOT_FOLDER:
        return _with_fields(request.query, _MY_DRIVE)
    file = store.file(file_id)
    found = file_json(file, store)
    found["capabilities"] = {"canEdit": may_change(file, request.email), "canCopy": True}
    return _with_fields(request.query, found)


def update(store: Store, file_id: str, query: Mapping[str, str], body: Json) -> Json:
    """Answer files.update: name, parents and the trash."""
    _check_kept(body)
    file = store.file(file_id)
    removed, added = _folders(query, "removeParents"), _folders(query, "addParents")
    _check_folders(store, added)
    if body.get("name"):
        file.rename(body["name"])
    if "trashed" in body:
        file.trashed = bool(body["trashed"])
    file.parents = [parent for parent in file.parents if parent not in removed] + added
    file.drive_id = store.drive_of(file.parents)
    store.touch(file)
    return _masked(file, store, query)


def delete(store: Store, file_id: str) -> None:
    """Answer files.delete."""
    store.file(file_id)
    del store.files[file_id]


def copy(store: Store, request: Request, body: Json) -> File:
    """Make the file that files.copy asks for; without a name it is "Copy of …"."""
    _check_kept(body)
    original = store.file(request.parts["id"])
    name = body.get("name") or f"Copy of {original.title}"
    in_place = original.drive_id and not body.get("parents")
    parents = original.parents if in_place else _parents(store, body)
    check_storage(store, request, original.mime_type, parents)
    return store.copy(original, name, parents)


def in_v3(make: Making) -> Callable[[Store, Request], Json]:
    """Return the method of Drive v3 that makes a file."""
    return lambda store, request: _masked(
        make(store, request, checked_body(request.json)), store, request.query
    )


def in_v2(make: Making) -> Callable[[Store, Request], Json]:
    """Return the method of Drive v2 that makes a file: names are titles there."""

    def answer(store: Store, request: Request) -> Json:
        file = make(store, request, checked_body(body_from_v2(request.json)))
        return file_v2(file, store, store.ids.letters(27))

    return answer


def list_files(store: Store, request: Request) -> Json:
    """Answer files.list, the newest file first, in pages."""
    query = request.query
    test = parse_query(query["q"], store.email) if query.get("q") else None
    everywhere = query.get("includeItemsFromAllDrives", "").lower() == "true"
    files = store.shared_files() if everywhere else store.own_files()
    found = [file for file in files if test is None or test(file)]
    start, size = _page(query)
    answer: Json = {"kind": "drive#fileList", "incompleteSearch": False}
    if start + size < len(found):
        answer["nextPageToken"] = f"~!!~{start + size}"
    answer["files"] = [file_json(file, store) for file in found[start : start + size]]
    masked: Json = apply_mask(parse_mask(query.get("fields") or _DEFAULT_LIST_FIELDS), answer)
    return masked


def export(store: Store, file_id: str, query: Mapping[str, str]) -> tuple[bytes, str]:
    """Answer files.export: the content and its type."""
    file = store.file(file_id)
    return _exported(file.book, file.created, query.get("mimeType", ""))


def export_page(store: Store, file_id: str, query: Mapping[str, str]) -> tuple[bytes, str]:
    """Answer the page from which one sheet is exported: the content and its type."""
    file, gid = store.file(file_id), query.get("gid", "")
    mime_type = _PAGE_FORMATS.get(query.get("format", "xlsx"), "")
    if file.book is None or not gid:
        return _exported(file.book, file.created, mime_type)
    book = shallow(file.book)
    # Formats that hold one sheet hold the first.
    book.sheets = sorted(book.sheets, key=lambda sheet: str(sheet.sheet_id) != gid)
    if str(book.sheets[0].sheet_id) != gid:
        raise drive_invalid("gid")
    return _exported(book, file.created, mime_type)


def _exported(book: Spreadsheet | None, created: datetime, mime_type: str) -> tuple[bytes, str]:
    content = export_book(book, mime_type, created) if book else None
    if content is None:
        message = "The requested conversion is not supported."
        raise drive_error(HTTPStatus.BAD_REQUEST, "badRequest", message, ("parameter", "convertTo"))
    if len(content) > _LARGEST_EXPORT:
        raise export_too_large()
    return content, mime_type


def upload_v2(store: Store, file_id: str, content: bytes) -> Json:
    """Answer the v2 upload of a CSV file: it replaces the spreadsheet's content."""
    file = store.file(file_id)
    if file.book:
        try:
            import_csv(file.book, content, store.ids)
        except InvalidArgumentError as problem:
            raise drive_error(HTTPStatus.BAD_REQUEST, "badRequest", str(problem)) from None
    store.touch(file)
    return file_v2(file, store, store.ids.letters(27))


def file_json(file: File, store: Store) -> Json:
    """Return the File resource of Drive v3."""
    owners = [_user(right, store) for right in file.permissions if right["role"] == "owner"]
    place = {"driveId": file.drive_id} if file.drive_id else {"owners": owners}
    return {
        "kind": "drive#file",
        "id": file.file_id,
        "name": file.title,
        "mimeType": file.mime_type,
        "starred": False,
        "trashed": file.trashed,
        "explicitlyTrashed": file.trashed,
        "parents": file.parents,
        "spaces": ["drive"],
        "version": str(file.version),
        "webViewLink": _link(file),
        "createdTime": timestamp(file.created),
        "modifiedTime": timestamp(file.modified),
        **place,
        "lastModifyingUser": _user(store.own_right, store),
        "shared": len(file.permissions) > 1,
        "ownedByMe": any(owner["me"] for owner in owners),
        "permissions": file.permissions,
    }


def _user(right: Json, store: Store) -> Json:
    """Return the user who has a right."""
    return {
        "kind": "drive#user",
        "displayName": right.get("displayName"),
        "me": right.get("emailAddress") == store.email,
        "permissionId": right["id"],
        "emailAddress": right.get("emailAddress"),
    }


def _masked(file: File, store: Store, query: Mapping[str, str]) -> Json:
    return _with_fields(query, file_json(file, store))


def _with_fields(query: Mapping[str, str], file: Json) -> Json:
    masked: Json = apply_mask(parse_mask(query.get("fields") or _DEFAULT_FIELDS), file)
    return masked


def _link(file: File) -> str:
    if file.mime_type == SPREADSHEET_TYPE:
        return f"https://docs.google.com/spreadsheets/d/{file.file_id}/edit?usp=drivesdk"
    kind = "folders" if file.mime_type == FOLDER_TYPE else "file/d"
    return f"https://drive.google.com/drive/{kind}/{file.file_id}"


def _is_count(text: str) -> bool:
    return text.isdecimal() and len(text) <= _MOST_DIGITS


def _check_kept(body: Json) -> None:
    for name in _NOT_KEPT:
        if body.get(name):
            raise drive_unimplemented(f"The emulator does not keep a file's {name}.")


def _parents(store: Store, body: Json) -> list[str]:
    parents = [_folder(parent) for parent in body.get("parents") or [ROOT_FOLDER]]
    _check_folders(store, parents)
    return parents


def _folders(query: Mapping[str, str], name: str) -> list[str]:
    return [_folder(parent) for parent in (query.get(name) or "").split(",") if parent]


def _folder(name: str) -> str:
    return ROOT_FOLDER if name == "root" else name


def _check_folders(store: Store, folders: list[str]) -> None:
    for folder in folders:
        if folder != ROOT_FOLDER and store.file(folder).mime_type != FOLDER_TYPE:
            raise not_a_folder()


def _page(query: Mapping[str, str]) -> tuple[int, int]:
    token = (query.get("pageToken") or "~!!~0").removeprefix("~!!~")
    size = query.get("pageSize") or str(_DEFAULT_PAGE)
    if not _is_count(token):
        raise drive_invalid("pageToken")
    if not _is_count(size) or not 1 <= int(size) <= _LARGEST_PAGE:
        message = f"Invalid value '{size}'. Values must be within the range: [1, {_LARGEST_PAGE}]"
        raise drive_invalid("pageSize", message)
    return int(token), int(size)
