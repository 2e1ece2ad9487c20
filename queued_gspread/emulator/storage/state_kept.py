"""The part of an emulator that outlives its process: how it is taken out and put back."""

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

    `generator` is the state of the generator of ids. `accounts` has, by e-mail address, each
    account's public keys by their ids.
    """

    owner_id: str
    generator: tuple[Any, ...]
    private: set[str]
    accounts: dict[str, dict[str, str]]
    files: dict[str, File]


def taken(store: Store, project: Project) -> Kept:
    """Return the state of an emulator, sharing with it only what never changes.

    Nothing may change meanwhile. That is not long, since cells are shared.
    """
    files = {file_id: _copied(file) for file_id, file in store.files.items()}
    keys = project.public_keys()
    return Kept(store.owner_id, store.ids.state, set(store.private), keys, files)


def put_back(kept: Kept, store: Store, project: Project) -> None:
    """Give a new emulator the state of an earlier one."""
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
