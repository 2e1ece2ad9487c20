"""A local emulator of Google's Sheets v4 and Drive v3 APIs, for tests and demonstrations.

    with Emulator() as emulator:
        credentials = Credentials.from_service_account_info(emulator.service_account_info(), …)

It needs aiohttp, which comes with the extra `emulator`.
"""

from __future__ import annotations

try:
    import aiohttp as _aiohttp  # noqa: F401  - only to tell what is missing
except ImportError as error:
    raise ImportError(
        'The emulator needs aiohttp: pip install "queued-gspread[emulator]"', name=error.name
    ) from error

from .account import Account
from .ledger import Served
from .quotas import Quotas
from .server import Emulator
from .state_file import StateError, UnsavedError

__all__ = ["Account", "Emulator", "Quotas", "Served", "StateError", "UnsavedError"]
