"""What an emulator has before the first request: accounts, and what is shared with them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.store import ROOT_FOLDER, SPREADSHEET_TYPE, is_drive
from queued_gspread.emulator.faults import checked_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from queued_gspread.emulator.accounts.account import Account
    from queued_gspread.emulator.accounts.changes import Changes
    from queued_gspread.emulator.accounts.project import Project
    from queued_gspread.emulator.book.store import Store

APIS = frozenset({"sheets", "drive"})
ROLES = ("writer", "commenter", "reader")
OWNER = "ann@example.com"


class World:
    """The accounts of an emulator and the files that they see."""

    _changes: Changes
    _project: Project
    _store: Store

    @property
    def token_lifetime(self) -> float:
        """The seconds after which an access token that is granted from now on expires."""
        return self._project.token_lifetime

    @token_lifetime.setter
    def token_lifetime(self, seconds: float) -> None:
        self._project.token_lifetime = checked_seconds("token_lifetime", seconds)

    @property
    def storage(self) -> bool:
        """Whether service accounts may own files, which those of today may not.

        An account may have a setting of its own: see :meth:`add_account`.
        """
        return self._project.storage

    @storage.setter
    def storage(self, storage: bool) -> None:
        if not isinstance(storage, bool):
            raise TypeError(f"storage={storage!r} cannot be used: take True or False.")
        self._project.storage = storage

    @property
    def disabled_apis(self) -> frozenset[str]:
        """The APIs that are not enabled in the project, of `sheets` and `drive`."""
        return self._project.disabled_apis

    @disabled_apis.setter
    def disabled_apis(self, apis: Iterable[str]) -> None:
        named = frozenset([apis] if isinstance(apis, str) else apis)
        if not named <= APIS:
            raise ValueError(f"disabled_apis={apis!r} cannot be used: take sheets and drive.")
        self._project.disabled_apis = named

    @property
    def clock_ahead(self) -> float:
        """The seconds by which Google's clock is ahead of this machine's, or behind it if below 0.

        Token requests are judged by it, and the header Date of answers shows it.
        """
        return self._project.clock_ahead

    @clock_ahead.setter
    def clock_ahead(self, seconds: float) -> None:
        if not math.isfinite(seconds):
            raise ValueError(f"clock_ahead={seconds!r} cannot be used: take seconds.")
        self._project.clock_ahead = seconds

    def service_account_info(self) -> dict[str, str]:
        """Return the first service account's JSON for google-auth; its tokens come from here."""
        return self._project.first.service_account_info()

    def write_service_account(self, path: str | Path) -> None:
        """Write the first account's JSON to a file that only its owner may read."""
        self._project.first.write_service_account(path)

    @property
    def accounts(self) -> list[Account]:
        """All service accounts, the first one first."""
        return self._project.accounts

    def add_account(self, *, storage: bool | None = None, project: int = 1) -> Account:
        """Add a service account, with its own quotas.

        `storage` is whether it may own files; with None, the emulator's `storage` says so.
        `project` is the number of its project, 1 that of the first account: the accounts of one
        share that project's quotas.
        """
        if project < 1:
            raise ValueError(f"project={project!r} cannot be used: take a number from 1.")
        return self._project.add_account(storage, project)

    def delete_account(self, account: Account | None = None) -> None:
        """Delete an account, the first if none is given: it gets no further token."""
        (account or self._project.first).delete()

    def rotate_key(self) -> None:
        """Make a new key for the first account and stop accepting old ones.

        Tokens granted so far stay valid.
        """
        self._project.first.rotate_key()

    def revoke_tokens(self, account: Account | None = None) -> None:
        """Make every access token granted so far invalid, or those of one account."""
        self._project.revoke_all("" if account is None else account.email)

    def add_spreadsheet(
        self,
        title: str,
        *,
        owner: str = OWNER,
        role: str = "writer",
        folder_id: str | None = None,
    ) -> str:
        """Add an empty spreadsheet of somebody's who has shared it with all accounts.

        Args:
            title: Its title.
            owner: The address of its owner.
            role: What it is shared for: `writer`, `commenter` or `reader`.
            folder_id: The folder that it is in; one of a shared drive owns it instead.

        Returns:
            Its id.

        """
        if role not in ROLES:
            raise ValueError(f"role={role!r} cannot be used: take {', '.join(ROLES)}.")
        with self._changes.making():
            parents = [folder_id or ROOT_FOLDER]
            file = self._store.create(title, SPREADSHEET_TYPE, parents)
            accounts = [account.email for account in self._project.accounts]
            self._store.give(file, "" if file.drive_id else owner, accounts, role)
        return file.file_id

    def add_shared_drive(self, name: str) -> str:
        """Add a shared drive, of which all accounts are members; return the id of its folder."""
        with self._changes.making():
            return self._store.add_drive(name).file_id

    @property
    def spreadsheets(self) -> dict[str, str]:
        """The ids of all spreadsheets by their titles; of several with one title, the newest."""
        return {file.title: file.file_id for file in self._store.files.values() if file.book}

    @property
    def shared_drives(self) -> dict[str, str]:
        """The ids of the folders of all shared drives by their names, likewise."""
        return {file.name: file.file_id for file in self._store.files.values() if is_drive(file)}

    def add_private_file(self, file_id: str, account: Account | None = None) -> None:
        """Stop sharing a spreadsheet: Sheets answers 403, Drive 404.

        It need not exist. If it does, :meth:`remove_private_file` brings it back as it was. With an
        account, that one alone may use it.
        """
        with self._changes.making():
            self._store.private.add(file_id)
            self._store.exceptions.forget(file_id)
            if account is not None:
                self._store.exceptions.admit(file_id, account.email)

    def remove_private_file(self, file_id: str) -> None:
        """Share a spreadsheet again; raise KeyError if it is shared already."""
        with self._changes.making():
            self._store.private.remove(file_id)
            self._store.exceptions.forget(file_id)

    def unshare(self, file_id: str, account: Account) -> None:
        """Stop sharing a spreadsheet with one account, as with a private file."""
        with self._changes.making():
            self._store.exceptions.exclude(file_id, account.email)

    def share(self, file_id: str, account: Account, role: str = "writer") -> None:
        """Share a spreadsheet with one account, as `writer`, `commenter` or `reader`.

        Raises KeyError if there is no such file.
        """
        if role not in ROLES:
            raise ValueError(f"role={role!r} cannot be used: take {', '.join(ROLES)}.")
        with self._changes.making():
            self._store.give_role(self._store.files[file_id], account.email, role)
            self._store.exceptions.admit(file_id, account.email)

    @property
    def private_files(self) -> list[str]:
        """The ids of the spreadsheets that are not shared."""
        return sorted(self._store.private)
