"""What the emulator holds: files, by id, each with what Drive knows about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.wire.errors import file_not_found, sheets_forbidden, sheets_not_found

from .exceptions import Exceptions
from .not_computed import Gaps
from .sheet import Sheet
from .spreadsheet import SURROUNDINGS, Spreadsheet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from .ids import Ids

SPREADSHEET_TYPE = "application/vnd.google-apps.spreadsheet"
FOLDER_TYPE = "application/vnd.google-apps.folder"
ROOT_FOLDER = "0AEmulatedRootFolder"
_CHANGING = frozenset({"owner", "organizer", "fileOrganizer", "writer"})


@dataclass
class File:
    """A file in Drive; a file that is not a spreadsheet has no book.

    `drive_id` is the shared drive that it is in, '' for none. A shared drive is a folder in itself.
    """

    file_id: str
    mime_type: str
    name: str
    created: datetime
    modified: datetime
    parents: list[str] = field(default_factory=lambda: [ROOT_FOLDER])
    book: Spreadsheet | None = None
    permissions: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    trashed: bool = False
    # What Drive counts until a spreadsheet exists, by recorded answers.
    version: int = 4
    drive_id: str = ""

    @property
    def title(self) -> str:
        """The name, which a spreadsheet also has as its title."""
        return self.book.title if self.book else self.name

    def rename(self, name: str) -> None:
        """Change the name."""
        self.name = name
        if self.book:
            self.book.properties["title"] = name


def is_drive(file: File) -> bool:
    """Whether a folder is a shared drive itself."""
    return bool(file.drive_id) and file.file_id == file.drive_id


def may_change(file: File, email: str) -> bool:
    """Whether the account with this address may change a file.

    All accounts may, as if they were its owner's, unless it is shared with them as something less.
    """
    roles = [known["role"] for known in file.permissions if known.get("emailAddress") == email]
    return not roles or not _CHANGING.isdisjoint(roles)


class Store:
    """All files, and the ids of those that are not shared.

    `caller` is the address of the account whose request is being applied, '' for an API key.
    """

    def __init__(self, ids: Ids, clock: Callable[[], datetime], email: str) -> None:
        """Begin without files."""
        self.clock = clock
        self.gaps = Gaps()
        self.email = email
        self.caller = ""
        self.clear(ids)

    def clear(self, ids: Ids) -> None:
        """Forget all files, and take another source of ids."""
        self.ids = ids
        self.chance = ids.chance()
        self.gaps.forget()
        self.owner_id = ids.digits(20)
        self.files: dict[str, File] = {}
        self.private: set[str] = set()
        self.exceptions = Exceptions()

    def create(self, name: str, mime_type: str, parents: list[str] | None = None) -> File:
        """Add a file; a spreadsheet begins with one empty sheet."""
        file_id, now = self.ids.file(), self.clock()
        file = File(file_id, mime_type, name, now, now)
        if parents:
            file.parents = list(parents)
            file.drive_id = self.drive_of(parents)
        if mime_type == SPREADSHEET_TYPE:
            file.book = Spreadsheet(file_id, name, [Sheet(0, "Sheet1")])
            self.surround(file.book)
        file.permissions.append(self._right("organizer" if file.drive_id else "owner"))
        self.files[file_id] = file
        return file

    def add_drive(self, name: str) -> File:
        """Add a shared drive, of which the account is a member."""
        drive_id, now = self.ids.drive(), self.clock()
        drive = File(drive_id, FOLDER_TYPE, name, now, now, parents=[], drive_id=drive_id)
        drive.permissions.append(self._right("organizer"))
        self.files[drive_id] = drive
        return drive

    def give(self, file: File, owner: str, shared_with: Iterable[str], role: str) -> None:
        """Let a file belong to somebody else, who has shared it with some accounts.

        Without an owner it is the shared drive's that it is in.
        """
        held = ({owner: "owner"} if owner else {}) | dict.fromkeys(shared_with, role)
        file.permissions = [
            {**self._right(of, email), "id": self.ids.digits(20)} for email, of in held.items()
        ]

    def give_role(self, file: File, email: str, role: str) -> None:
        """Share a file with one account for a role, whatever it had."""
        others = [held for held in file.permissions if held.get("emailAddress") != email]
        right = {**self._right(role, email), "id": self.ids.digits(20)}
        file.permissions = [*others, right]

    def drive_of(self, folders: list[str]) -> str:
        """Return the id of the shared drive that one of the folders is in; '' for none."""
        found = (self.files[folder] for folder in folders if folder in self.files)
        return next((folder.drive_id for folder in found if folder.drive_id), "")

    def copy(self, original: File, name: str, parents: list[str] | None) -> File:
        """Add a copy of a file, owned by the account and not shared."""
        file = self.create(name, original.mime_type, parents or original.parents)
        if original.book:
            file.book = original.book.copy(file.file_id, name)
        return file

    def surround(self, book: Spreadsheet) -> None:
        """Give a spreadsheet the attributes that all of them share."""
        for name in SURROUNDINGS:
            setattr(book, name, getattr(self, name))

    def touch(self, file: File) -> None:
        """Record that a file was changed."""
        file.modified = self.clock()
        file.version += 1

    def hides(self, file_id: str) -> bool:
        """Return whether a file is not shared with the caller."""
        return self.exceptions.hides(file_id, self.caller, file_id in self.private)

    def file(self, file_id: str) -> File:
        """Return a file, or raise the Drive API's 404."""
        found = self.files.get(file_id)
        if found is None or self.hides(file_id):
            raise file_not_found(file_id)
        return found

    def spreadsheet_file(self, file_id: str) -> tuple[File, Spreadsheet]:
        """Return a spreadsheet and its file, or raise the Sheets API's 404 or 403."""
        if self.hides(file_id):
            raise sheets_forbidden()
        found = self.files.get(file_id)
        if found is None or found.book is None:
            raise sheets_not_found()
        return found, found.book

    def shared_files(self) -> list[File]:
        """Return the files that Drive lists, the newest first."""
        files = reversed(self.files.values())
        return [file for file in files if not (self.hides(file.file_id) or is_drive(file))]

    def own_files(self) -> list[File]:
        """Return those of them that are in no shared drive."""
        return [file for file in self.shared_files() if not file.drive_id]

    @property
    def own_right(self) -> dict[str, Any]:
        """The right of the account to a file of its own."""
        return self._right("owner")

    def _right(self, role: str, email: str = "") -> dict[str, Any]:
        return {
            "kind": "drive#permission",
            "id": self.owner_id,
            "type": "user",
            "emailAddress": email or self.email,
            "role": role,
            "displayName": email or self.email,
            "deleted": False,
            "pendingOwner": False,
        }
