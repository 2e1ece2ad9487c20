"""Drive's methods about the account and about shared drives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.store import is_drive
from queued_gspread.emulator.book.timestamps import timestamp
from queued_gspread.emulator.wire.errors import drive_not_found, drive_unimplemented

from .drive_lists import page

if TYPE_CHECKING:
    from queued_gspread.emulator.book.store import File, Store

    from .request import Request

Json = dict[str, Any]
# What a new account of a person has.
_STORAGE = 15 * 1024**3


def about(_: Store, request: Request, _body: Json) -> Json:
    """Answer about.get."""
    used = {"usage": "0", "usageInDrive": "0", "usageInDriveTrash": "0"}
    return {
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


def list_drives(store: Store, request: Request, _body: Json) -> Json:
    """Answer drives.list."""
    if request.query.get("q"):
        raise drive_unimplemented("The emulator does not search for shared drives by q.")
    found = [_drive(file) for file in store.files.values() if is_drive(file)]
    listed, more = page(found, request.query, 10, 100)
    return {"kind": "drive#driveList", **more, "drives": listed}


def get_drive(store: Store, request: Request, _body: Json) -> Json:
    """Answer drives.get."""
    file = store.files.get(request.parts["drive"])
    if file is None or not is_drive(file):
        raise drive_not_found(request.parts["drive"])
    return _drive(file)


def _drive(file: File) -> Json:
    created = timestamp(file.created)
    return {"kind": "drive#drive", "id": file.file_id, "name": file.name, "createdTime": created}
