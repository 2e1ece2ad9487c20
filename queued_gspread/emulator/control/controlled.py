"""The part of an emulator that can be inspected and set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from queued_gspread.emulator.http.fault_rules import Faults
    from queued_gspread.emulator.limits.quotas import Quotas


class Controlled(Protocol):
    """An emulator as it is inspected and set while it runs; settings are set by their names."""

    quotas: Quotas

    @property
    def faults(self) -> Faults:
        """The rules by which requests meet faults."""

    @property
    def private_files(self) -> list[str]:
        """The ids of files that are not shared."""

    def add_private_file(self, file_id: str) -> None:
        """Stop sharing a file with the account."""

    def remove_private_file(self, file_id: str) -> None:
        """Share a file with the account again."""

    def clear_ledger(self) -> None:
        """Forget the requests that were answered."""

    def revoke_tokens(self) -> None:
        """Refuse all access tokens that were granted."""
