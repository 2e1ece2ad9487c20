"""A local emulator of Google's Sheets v4 and Drive v3 APIs, for tests and demonstrations.

    with Emulator() as emulator:
        client = emulator.gspread_client()

It needs aiohttp, which comes with the extra `emulator`; without it, the first use raises an error.
For pytest there are fixtures: see `pytest_plugin`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from queued_gspread.emulator.accounts.account import Account
    from queued_gspread.emulator.http.ledger import Served
    from queued_gspread.emulator.limits.quotas import Quotas
    from queued_gspread.emulator.storage.file import StateError, UnsavedError

    from .server import Emulator

__all__ = ["Account", "Emulator", "Quotas", "Served", "StateError", "UnsavedError"]

_MODULES = {
    "Account": ".accounts.account",
    "Emulator": ".server",
    "Quotas": ".limits.quotas",
    "Served": ".http.ledger",
    "StateError": ".storage.file",
    "UnsavedError": ".storage.file",
}
_EXTRA = ("aiohttp", "cryptography")


def __getattr__(name: str) -> Any:
    # The pytest plugin is in this package, and every pytest run loads it.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        found = getattr(import_module(_MODULES[name], __name__), name)
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        from queued_gspread._install import how_to_install  # noqa: PLC0415 - only now

        raise ImportError(
            f"The emulator needs {error.name}: {how_to_install('emulator')}",
            name=error.name,
        ) from error
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
