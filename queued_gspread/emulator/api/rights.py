"""What the account that sends a request may do: own files, change a file, reach a shared drive."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.store import FOLDER_TYPE, may_change
from queued_gspread.emulator.wire.errors import (
    drive_refusal,
    file_not_found,
    sheets_forbidden,
)

if TYPE_CHECKING:
    from queued_gspread.emulator.book.store import Store

    from .request import Request

# Drive's methods that read a file, or leave it as it is.
_READS = re.compile(".*/(?:copy|comments(?:/[^/]+)?)")
# They have no parameter that says that the client knows of shared drives.
_ANYWHERE = re.compile(".*/(?:export|comments(?:/.*)?)")


def check_rights(store: Store, request: Request) -> None:
    """Raise Google's error if the file that a request names may not be reached, or changed."""
    file = store.files.get(request.parts.get("id", ""))
    if file is None or store.hides(file.file_id):
        return
    if request.on_sheets:
        if request.quota == "write" and not may_change(file, request.email):
            raise sheets_forbidden()
        return
    if file.drive_id and not (knows_drives(request) or _ANYWHERE.fullmatch(request.raw_path)):
        raise file_not_found(file.file_id)
    is_change = request.method != "GET" and not _READS.fullmatch(request.raw_path)
    if is_change and not may_change(file, request.email):
        raise drive_refusal("insufficientFilePermissions")


def knows_drives(request: Request) -> bool:
    """Return whether a request to Drive concerns shared drives as well."""
    return says_yes(request, "supportsAllDrives", "supportsTeamDrives")


def says_yes(request: Request, *names: str) -> bool:
    """Return whether any of these parameters, which have had several names, is true."""
    return any(request.query.get(name, "").lower() == "true" for name in names)


def check_storage(store: Store, request: Request, mime_type: str, parents: list[str]) -> None:
    """Raise Drive's 403 if the account would own a new file and may not; a shared drive owns its.

    Raises its 404 as well, for a folder of a shared drive that the request may not know of.
    """
    for parent in parents:
        found = store.files.get(parent)
        if found is not None and found.drive_id:
            if not knows_drives(request):
                raise file_not_found(parent)
            return
    if not request.has_storage and mime_type != FOLDER_TYPE:
        raise drive_refusal("storageQuotaExceeded")
