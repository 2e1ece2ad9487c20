"""The fixtures of these tests are those of ``tests/support/queue_fixtures.py``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from queue_fixtures import (
    auth,
    authorize,
    background,
    callers,
    client,
    emulator,
    gate,
    google,
    hasty,
    key_file,
    keys,
    patient_callers,
    raw,
    restored_log,
    serve,
    start_process,
    usurp,
)

__all__ = [
    "auth",
    "authorize",
    "background",
    "callers",
    "client",
    "emulator",
    "gate",
    "google",
    "hasty",
    "key_file",
    "keys",
    "patient_callers",
    "raw",
    "restored_log",
    "serve",
    "start_process",
    "usurp",
]
