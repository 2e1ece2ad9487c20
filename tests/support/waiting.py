"""Waiting for what has to happen: by a condition and a deadline, never by a guess."""

from __future__ import annotations

import time

PATIENCE = 20.0
"""Seconds after which a test gives up; nothing that works takes as long."""


def eventually(condition, what="the condition holds"):
    """Return the first true value of a condition; fail if it does not come."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE:g} s in vain until {what}")
        time.sleep(0.005)
