"""Accounts that lend the servers their quota: what befalls them, and what none may be used for.

The first of them shares the project of the servers' own account and loses a spreadsheet in the
middle of a run; the second has a project of its own, and its key is deleted then.
"""

from __future__ import annotations

import random
import time

from .plan import BOOKS, DELETED, LOST_SHEET

CLOSED, SHOWN = "Closed", "Shown"
"""Spreadsheets that the lenders may do everything with: the servers' own account may not read the
one, and may only read the other."""


class Lending:
    """The accounts of a run, and what befalls them.

    Args:
        seed: What is lost is drawn from it.
        emulator: Where they are.
        folder: For their key files.

    Attributes:
        key_files: Of the accounts that lend.
        strange: The ids of the two spreadsheets above, by their titles.

    """

    def __init__(self, seed, emulator, folder):
        self._chance = random.Random(f"lending {seed}")
        self._emulator = emulator
        self._own = emulator.accounts[0]
        self._lenders = [emulator.add_account(project=number) for number in (1, 2)]
        self.key_files = [folder / f"lender-{number}.json" for number in (1, 2)]
        for account, path in zip(self._lenders, self.key_files, strict=True):
            account.write_service_account(path)
        self.strange = {title: emulator.add_spreadsheet(title) for title in (CLOSED, SHOWN)}
        emulator.unshare(self.strange[CLOSED], self._own)
        emulator.share(self.strange[SHOWN], self._own, "reader")

    def act(self, blow, dealt):
        """Do what a blow at a lender says."""
        if blow.signal == LOST_SHEET:
            ids = self._emulator.spreadsheets
            self._emulator.unshare(ids[self._chance.choice(BOOKS)], self._lenders[0])
        elif blow.signal == DELETED:
            self._delete_key(blow.pause)
        dealt["lender", blow.signal] += 1

    def _delete_key(self, pause):
        """Delete the key; after a pause, if there is one, a new one is where it was."""
        account, path = self._lenders[1], self.key_files[1]
        account.disable_keys()
        self._emulator.revoke_tokens(account)
        if pause:
            time.sleep(pause)
            account.rotate_key()
            account.write_service_account(path)

    def sent_in(self, ledger):
        """Return how many requests the lenders have sent, as a ledger tells."""
        names = {account.email for account in self._lenders}
        return sum(served.account in names and bool(served.quota) for served in ledger)

    def trespasses_in(self, ledger):
        """Return the requests of lenders on what the servers' own account may not do."""
        return [
            f"{served.account}: {served.method} {served.path}"
            for served in ledger
            if served.account != self._own.email and self._is_closed(served)
        ]

    def _is_closed(self, served):
        closed, shown = self.strange[CLOSED], self.strange[SHOWN]
        return closed in served.path or (shown in served.path and served.quota == "write")
