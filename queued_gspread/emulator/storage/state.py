"""An emulator's state as one JSON value, and back; pure, without files."""

from __future__ import annotations

from typing import Any

from queued_gspread.emulator.accounts.account import email_of, project_in
from queued_gspread.emulator.book.ids import Ids

from .state_cells import Shared, shared_from
from .state_files import file_from, file_json
from .state_kept import Kept, put_back, taken
from .state_part import DamagedError, Part

__all__ = ["DamagedError", "Kept", "NewerError", "from_json", "put_back", "taken", "to_json"]

_FORMAT, _VERSION = "queued-gspread emulator state", 1


class NewerError(ValueError):
    """A state has a format that this version does not know; the text names both."""


def to_json(kept: Kept) -> dict[str, Any]:
    """Return an emulator's state as plain data, which shares parts with it."""
    shared = Shared()
    files = [file_json(file, shared) for file in kept.files.values()]
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "owner_id": kept.owner_id,
        "generator": kept.generator,
        "private": sorted(kept.private),
        "accounts": kept.accounts,
        "shared": shared.parts,
        "files": files,
    }


def from_json(content: Any) -> Kept:
    """Return the state in plain data.

    Raises:
        DamagedError: It is not a state, or something in it is invalid.
        NewerError: A newer version of this package wrote it.

    """
    whole = Part(content)
    _check_format(whole)
    shared = shared_from(whole["shared"])
    files = [file_from(part, shared) for part in whole["files"]]
    return Kept(
        whole["owner_id"].expect(str),
        whole["generator"].read(_generator),
        {part.expect(str) for part in whole["private"]},
        _accounts(whole["accounts"]),
        {file.file_id: file for file in files},
    )


def _check_format(whole: Part) -> None:
    if not isinstance(whole.content, dict) or whole.content.get("format") != _FORMAT:
        raise DamagedError(f"it is not marked as a {_FORMAT}")
    version = whole["version"].expect(int)
    if version > _VERSION:
        raise NewerError(f"its format is {version}, this version knows {_VERSION}")


def _generator(found: list[Any]) -> tuple[Any, ...]:
    version, numbers, gauss = found
    state = (version, tuple(numbers), gauss)
    Ids(0).resume(state)
    return state


def _accounts(part: Part) -> dict[str, dict[str, str]]:
    found = {email: keys.expect(dict) for email, keys in part.members()}
    for number, email in enumerate(found, 1):
        wanted = email_of(number, project_in(email))
        if email != wanted:
            raise DamagedError(f"{part.place} has {email!r} where {wanted} should be")
    return found
