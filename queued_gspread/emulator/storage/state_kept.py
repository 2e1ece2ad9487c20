"""What of an emulator outlives its process: taken out whole, and put back."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.grid import Grid
from queued_gspread.emulator.book.sheet import Sheet
from queued_gspread.emulator.book.spreadsheet import Spreadsheet
from queued_gspread.emulator.book.store import File

if TYPE_CHECKING:
    from queued_gspread.emulator.accounts.project import Project
    from queued_gspread.emulator.book.store import Store

_ATOMS = {str, int, float, bool, type(None)}
_OBJECTS = (File, Spreadsheet, Sheet)


@dataclass
class Kept:
    """The content of a state.

    `generator` is where the ids' generator stands, `accounts` has the public keys by their ids
    of each account by its e-mail address.
    """

    owner_id: str
    generator: tuple[Any, ...]
    private: set[str]
    accounts: dict[str, dict[str, str]]
    files: dict[str, File]


def taken(store: Store, project: Project) -> Kept:
    """Return what is kept of an emulator, sharing with it only what never changes.

    Nothing may be changed meanwhile, which is not long, for cells are shared.
    """
    files = {file_id: _copied(file) for file_id, file in store.files.items()}
    keys = project.public_keys()
    return Kept(store.owner_id, store.ids.state, set(store.private), keys, files)


def put_back(kept: Kept, store: Store, project: Project) -> None:
    """Let a new emulator hold what was kept of an earlier one."""
    store.owner_id = kept.owner_id
    store.ids.resume(kept.generator)
    store.private |= kept.private
    for file in kept.files.values():
        if file.book:
            store.surround(file.book)
    store.files |= kept.files
    project.restore(kept.accounts)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: part if type(part) in _ATOMS else _copied(part) for name, part in value.items()
        }
    if isinstance(value, list):
        return [part if type(part) in _ATOMS else _copied(part) for part in value]
    if isinstance(value, Grid):
        return value.copy()
    if isinstance(value, _OBJECTS):
        other = copy.copy(value)
        vars(other).update(_copied(vars(value)))
        return other
    return value
