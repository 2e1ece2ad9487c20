"""Somebody who types into the spreadsheets without the queue, under an account of his own.

It is of a project of its own too: what is typed takes nothing of the quota of the queue.
"""

from __future__ import annotations

import threading

from .places import TYPED, TYPED_CELL

_PAUSE = 0.15
_PROJECT = 3


class Typist:
    """Types one number after the other, into each spreadsheet in turn, for as long as a context.

    Args:
        emulator: Google. What it has really applied, is in its ledger.
        books: The spreadsheets' keys by their titles.

    Attributes:
        email: The address of the account.

    """

    def __init__(self, emulator, books):
        account = emulator.add_account(project=_PROJECT)
        self.email = account.email
        client = emulator.gspread_client(account)
        self._sheets = [client.open_by_key(key).worksheet(TYPED) for key in books.values()]
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._type)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()

    def _type(self):
        number = 0
        while not self._is_over.wait(_PAUSE):
            number += 1
            try:
                self._sheets[number % len(self._sheets)].update_acell(TYPED_CELL, number)
            except Exception:  # noqa: BLE001 - one of the faults, which may befall him as well
                continue
