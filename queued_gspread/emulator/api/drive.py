"""The Drive v3 methods about files, and the v2 upload that imports a CSV file."""

from __future__ import annotations

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
    drive_refusal,
    drive_unimplemented,
)
from queued_gspread.emulator.wire.messages import read_drive_body
from queued_gspread.google_api.methods import find

from .drive_lists import in_order, page
from .drive_query import parse_query
from .drive_v2 import body_from_v2, file_v2
from .request import Answer
from .rights import check_storage, says_yes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import TypeAlias

    from queued_gspread.emulator.book.spreadsheet import Spreadsheet
    from queued_gspread.emulator.book.store import File, Store

    from .request import Request

    Making: TypeAlias = Callable[[Store, Request, "Json"], File]

Json = dict[str, Any]
_LARGEST_EXPORT = 10 * 1024 * 1024
_EDITED_AT_GOOGLE = "application/vnd.google-apps."
_OF_V2 = {"name", "mimeType", "parents"}
# Where Google has more than the methods that are known here.
_WITHOUT_LIST = ("/drive/v2/", "/batch")
_ONE_DRIVE = "The driveId parameter must be specified if and only if corpora is set to drive."
_PAGE_FORMATS = {name: mime_type for mime_type, name in NAMES.items()}
# Parameters that would change an answer, and are not obeyed.
_NOT_OBEYED = frozenset(
    [
        *("copyComments", "corpus", "includeLabels", "includePermissionsForView"),
        "startModifiedTime",
    ]
)
_MY_DRIVE = {
    "kind": "drive#file",
    "id": ROOT_FOLDER,
    "name": "My Drive",
    "mimeType": FOLDER_TYPE,
}


def check_unknown(method: str, path: str) -> None:
    """Raise a 501 for a method that Drive has and the emulator lacks, and for batches of calls."""
    known = path.removeprefix("/upload")
    if known.startswith(_WITHOUT_LIST) or (known.startswith("/drive/") and find(method, known)):
        raise drive_unimplemented(f"The emulator does not answer {method} {path}.")


def check_query(name: str, query: Mapping[str, str]) -> None:
    """Raise a 501 for a parameter that would change the answer of a method, and is not obeyed."""
    for parameter in _NOT_OBEYED & query.keys():
        if query[parameter].lower() not in {"", "false"}:
            raise drive_unimplemented(f"The emulator does not obey {parameter} of {name}.")


def create(store: Store, request: Request, body: Json) -> File:
    """Make the file that files.create asks for."""
    mime_type = body.get("mimeType") or "application/octet-stream"
    parents = _parents(store, body)
    check_storage(store, request, mime_type, parents)
    return store.create(body.get("name") or "Untitled", mime_type, parents)


def get(store: Store, request: Request, _body: Json) -> Json | Answer:
    """Answer files.get: what is known of a file, or its content, which none has."""
    file_id, is_download = request.parts["id"], request.query.get("alt") == "media"
    if _folder(file_id) == ROOT_FOLDER and not is_download:
        return _MY_DRIVE
    file = store.file(file_id)
    if is_download:
        if file.mime_type.startswith(_EDITED_AT_GOOGLE):
            raise drive_refusal("fileNotDownloadable")
        return Answer(HTTPStatus.OK, b"", file.mime_type)
    found = file_json(file, store)
    found["capabilities"] = {"canEdit": may_change(file, request.email), "canCopy": True}
    return found


def update(store: Store, request: Request, body: Json) -> Json:
    """Answer files.update: name, parents and the trash."""
    file, query = store.file(request.parts["id"]), request.query
    if body.get("parents"):
        raise drive_refusal("fieldNotWritable")
    _check_type(file, body)
    removed, added = _folders(query, "removeParents"), _folders(query, "addParents")
    _check_folders(store, added)
    if body.get("name"):
        file.rename(body["name"])
    file.trashed = body.get("trashed", file.trashed)
    file.parents = [parent for parent in file.parents if parent not in removed] + added
    file.drive_id = store.drive_of(file.parents)
    store.touch(file)
    return file_json(file, store)


def delete(store: Store, request: Request, _body: Json) -> None:
    """Answer files.delete."""
    store.file(request.parts["id"])
    del store.files[request.parts["id"]]


def copy(store: Store, request: Request, body: Json) -> File:
    """Make the file that files.copy asks for; without a name it is "Copy of …"."""
    original = store.file(request.parts["id"])
    _check_type(original, body)
    name = body.get("name") or f"Copy of {original.title}"
    in_place = original.drive_id and not body.get("parents")
    parents = original.parents if in_place else _parents(store, body)
    check_storage(store, request, original.mime_type, parents)
    return store.copy(original, name, parents)


def made(make: Making) -> Callable[[Store, Request, Json], Json]:
    """Return the method of Drive v3 that makes a file."""
    return lambda store, request, body: file_json(make(store, request, body), store)


def in_v2(make: Making) -> Callable[[Store, Request], Json]:
    """Return the method of Drive v2 that makes a file: names are titles there."""

    def answer(store: Store, request: Request) -> Json:
        body = read_drive_body("drive.files.create", body_from_v2(request.json), _OF_V2)
        return file_v2(make(store, request, body), store, store.ids.letters(27))

    return answer


def list_files(store: Store, request: Request, _body: Json) -> Json:
    """Answer files.list, the newest file first unless an order is given, in pages."""
    query, drive = request.query, request.query.get("driveId") or request.query.get("teamDriveId")
    test = parse_query(query["q"], store.email) if query.get("q") else None
    if query.get("spaces", "drive") != "drive":
        raise drive_unimplemented("The emulator has no spaces but drive.")
    if bool(drive) != (query.get("corpora") in {"drive", "teamDrive"}):
        raise drive_invalid("driveId", _ONE_DRIVE)
    everywhere = says_yes(request, "includeItemsFromAllDrives", "includeTeamDriveItems")
    files = store.shared_files() if everywhere else store.own_files()
    files = [file for file in files if not drive or file.drive_id == drive]
    found = [file for file in files if test is None or test(file)]
    listed, more = page(in_order(found, query.get("orderBy", "")), query, 100, 1000)
    return {
        "kind": "drive#fileList",
        "incompleteSearch": False,
        **more,
        "files": [file_json(file, store) for file in listed],
    }


def export(store: Store, request: Request, _body: Json) -> Answer:
    """Answer files.export."""
    file = store.file(request.parts["id"])
    return _exported(file.book, file.created, request.query.get("mimeType", ""))


def export_page(store: Store, request: Request) -> Answer:
    """Answer the page from which one sheet is exported."""
    query = request.query
    file, gid = store.file(request.parts["id"]), query.get("gid", "")
    mime_type = _PAGE_FORMATS.get(query.get("format", "xlsx"), "")
    if file.book is None or not gid:
        return _exported(file.book, file.created, mime_type)
    book = shallow(file.book)
    # Formats that hold one sheet hold the first.
    book.sheets = sorted(book.sheets, key=lambda sheet: str(sheet.sheet_id) != gid)
    if str(book.sheets[0].sheet_id) != gid:
        raise drive_invalid("gid")
    return _exported(book, file.created, mime_type)


def _exported(book: Spreadsheet | None, created: datetime, mime_type: str) -> Answer:
    content = export_book(book, mime_type, created) if book else None
    if content is None:
        message = "The requested conversion is not supported."
        raise drive_error(HTTPStatus.BAD_REQUEST, "badRequest", message, ("parameter", "convertTo"))
    if len(content) > _LARGEST_EXPORT:
        raise drive_refusal("exportSizeLimitExceeded")
    return Answer(HTTPStatus.OK, content, mime_type)


def upload_v2(store: Store, request: Request) -> Json:
    """Answer the v2 upload of a CSV file: it replaces the spreadsheet's content."""
    file = store.file(request.parts["id"])
    if file.book:
        try:
            import_csv(file.book, request.content, store.ids)
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


def _link(file: File) -> str:
    if file.mime_type == SPREADSHEET_TYPE:
        return f"https://docs.google.com/spreadsheets/d/{file.file_id}/edit?usp=drivesdk"
    kind = "folders" if file.mime_type == FOLDER_TYPE else "file/d"
    return f"https://drive.google.com/drive/{kind}/{file.file_id}"


def _check_type(file: File, body: Json) -> None:
    """Raise a 501 if a file would be turned into one of another type."""
    if body.get("mimeType") not in {None, file.mime_type}:
        raise drive_unimplemented("The emulator does not change a file's mimeType.")


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
            raise drive_refusal("parentNotAFolder")
