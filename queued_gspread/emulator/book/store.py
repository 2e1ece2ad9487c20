"""What the emulator holds: files, by id, each with what Drive knows about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.wire.errors import file_not_found, sheets_forbidden, sheets_not_found

from .not_computed import Gaps
from .sheet import Sheet
from .spreadsheet import SURROUNDINGS, Spreadsheet

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from .ids import Ids

SPREADSHEET_TYPE = "application/vnd.google-apps.spreadsheet"
ROOT_FOLDER = "0AEmulatedRootFolder"


@dataclass
class File:
    """A file in Drive; a file that is not a spreadsheet has no book."""

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

    @property
    def title(self) -> str:
        """The name, which a spreadsheet also has as its title."""
        return self.book.title if self.book else self.name

    def rename(self, name: str) -> None:
        """Change the name."""
        self.name = name
        if self.book:
            self.book.properties["title"] = name


class Store:
    """All files of one account, and the ids of files it may not see."""

    def __init__(self, ids: Ids, clock: Callable[[], datetime], email: str) -> None:
        """Begin without files."""
        self.clock = clock
        self.gaps = Gaps()
        self.email = email
        self.clear(ids)

    def clear(self, ids: Ids) -> None:
        """Forget all files, and take another source of ids."""
        self.ids = ids
        self.chance = ids.chance()
        self.gaps.forget()
        self.owner_id = ids.digits(20)
        self.files: dict[str, File] = {}
        self.private: set[str] = set()

    def create(self, name: str, mime_type: str, parents: list[str] | None = None) -> File:
        """Add a file; a spreadsheet begins with one empty sheet."""
        file_id, now = self.ids.file(), self.clock()
        file = File(file_id, mime_type, name, now, now)
        if parents:
            file.parents = list(parents)
        if mime_type == SPREADSHEET_TYPE:
            file.book = Spreadsheet(file_id, name, [Sheet(0, "Sheet1")])
            self.surround(file.book)
        file.permissions.append(self._ownership())
        self.files[file_id] = file
        return file

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

    def file(self, file_id: str) -> File:
        """Return a file, or raise the Drive API's 404."""
        found = self.files.get(file_id)
        if found is None or file_id in self.private:
            raise file_not_found(file_id)
        return found

    def spreadsheet_file(self, file_id: str) -> tuple[File, Spreadsheet]:
        """Return a spreadsheet and its file, or raise the Sheets API's 404 or 403."""
        if file_id in self.private:
            raise sheets_forbidden()
        found = self.files.get(file_id)
        if found is None or found.book is None:
            raise sheets_not_found()
        return found, found.book

    def shared_files(self) -> list[File]:
        """Return the files that Drive lists, the newest first."""
        return [file for file in reversed(self.files.values()) if file.file_id not in self.private]

    def _ownership(self) -> dict[str, Any]:
        return {
            "kind": "drive#permission",
            "id": self.owner_id,
            "type": "user",
            "emailAddress": self.email,
            "role": "owner",
            "displayName": self.email,
            "deleted": False,
            "pendingOwner": False,
        }
