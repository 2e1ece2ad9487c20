"""Drive's methods about the account and about shared drives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.store import is_drive
from queued_gspread.emulator.book.timestamps import timestamp
from queued_gspread.emulator.wire.errors import drive_not_found, fields_required
from queued_gspread.emulator.wire.field_mask import apply_mask, parse_mask

if TYPE_CHECKING:
    from queued_gspread.emulator.book.store import File, Store

    from .request import Request

Json = dict[str, Any]
# What a new account of a person has.
_STORAGE = 15 * 1024**3


def about(_: Store, request: Request) -> Json:
    """Answer about.get; as with Google, `fields` must be given."""
    fields = request.query.get("fields")
    if not fields:
        raise fields_required()
    used = {"usage": "0", "usageInDrive": "0", "usageInDriveTrash": "0"}
    answer = {
        "kind": "drive#about",
        "user": {
            "kind": "drive#user",
            "displayName": request.email,
            "me": True,
            "emailAddress": request.email,
        },
        "storageQuota": {"limit": str(_STORAGE if request.has_storage else 0), **used},
        "canCreateDrives": False,
    }
    return _masked(answer, request, "")


def list_drives(store: Store, request: Request) -> Json:
    """Answer drives.list."""
    found = [_drive(file) for file in store.files.values() if is_drive(file)]
    answer = {"kind": "drive#driveList", "drives": found}
    return _masked(answer, request, "kind,nextPageToken,drives(kind,id,name)")


def get_drive(store: Store, request: Request) -> Json:
    """Answer drives.get."""
    file = store.files.get(request.parts["drive"])
    if file is None or not is_drive(file):
        raise drive_not_found(request.parts["drive"])
    return _masked(_drive(file), request, "kind,id,name")


def _masked(answer: Json, request: Request, default: str) -> Json:
    masked: Json = apply_mask(parse_mask(request.query.get("fields") or default), answer)
    return masked


def _drive(file: File) -> Json:
    created = timestamp(file.created)
    return {"kind": "drive#drive", "id": file.file_id, "name": file.name, "createdTime": created}
