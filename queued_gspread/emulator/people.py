"""Who has an account at an emulator, besides its service accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gspread.auth import DEFAULT_SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queued_gspread.emulator.accounts.account import Account
    from queued_gspread.emulator.accounts.project import Project
    from queued_gspread.emulator.accounts.users import User
    from queued_gspread.emulator.accounts.workloads import Workload


class People:
    """The users of an emulator, its workloads, and the machine that it is for."""

    _project: Project

    @property
    def users(self) -> list[User]:
        """All users, in the order in which they were added."""
        return list(self._project.users.values())

    def add_user(self, email: str, scopes: Iterable[str] = DEFAULT_SCOPES) -> User:
        """Add a user, who has consented to these scopes by OAuth, and may be acted for."""
        return self._project.add_user(email, scopes)

    def add_workload(self) -> Workload:
        """Add a workload elsewhere, whose provider's tokens are exchanged here."""
        return self._project.add_workload()

    @property
    def machine(self) -> Account | None:
        """The account of the machine whose metadata server the emulator is: at first the first."""
        return self._project.machine

    @machine.setter
    def machine(self, account: Account | None) -> None:
        self._project.machine = account
