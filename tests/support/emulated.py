"""All that an emulator holds, behind quotas, faults and latency."""

from __future__ import annotations

from queued_gspread.emulator.storage.state import put_back, taken, to_json


def kept_of(emulator):
    """Return what an emulator holds, to be put back once."""
    with emulator._changes.still():
        return taken(emulator._store, emulator._project)


def state_of(emulator):
    """Return what an emulator holds, as plain data."""
    with emulator._changes.still():
        return to_json(taken(emulator._store, emulator._project))


def bring_back(emulator, kept):
    """Have an emulator hold again what it held; return that, to be put back once more."""
    with emulator._changes.making():
        emulator._store.files.clear()
        put_back(kept, emulator._store, emulator._project)
        return taken(emulator._store, emulator._project)
