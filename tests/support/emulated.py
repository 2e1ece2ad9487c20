"""All that an emulator holds, behind quotas, faults and latency."""

from __future__ import annotations

from queued_gspread.emulator.storage.state import put_back, taken, to_json


def kept_of(emulator):
    """Return what an emulator holds, to be put back once."""
    changes, *held = _parts(emulator)
    with changes.still():
        return taken(*held)


def state_of(emulator):
    """Return what an emulator holds, as plain data."""
    changes, *held = _parts(emulator)
    with changes.still():
        return to_json(taken(*held))


def bring_back(emulator, kept):
    """Have an emulator hold again what it held; return that, to be put back once more."""
    changes, store, project = _parts(emulator)
    with changes.making():
        store.files.clear()
        put_back(kept, store, project)
        return taken(store, project)


def _parts(emulator):
    return emulator._changes, emulator._store, emulator._project
