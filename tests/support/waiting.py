"""Waits for a condition until a deadline, never for a guessed time."""

from __future__ import annotations

import threading
import time

PATIENCE = 60.0
"""Seconds after which a test gives up; nothing that works takes as long on a busy machine."""

GRACE = 45.0
"""Seconds for which callers wait for a server: less, so that a test shows what they were told."""


def eventually(condition, what="the condition holds"):
    """Return the first true value of a condition; fail if it stays false."""
    deadline = time.monotonic() + PATIENCE
    pause = 0.001
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE:g} s in vain until {what}")
        time.sleep(pause)
        # What takes long is not worth the processor that others need to bring it about.
        pause = min(1.5 * pause, 0.02)


def waiting_callers(raw):
    """Return the connections of callers who know that Redis has their job, and wait for its reply.

    A job is in its lane before its caller knows: one that loses Redis in between is told so at
    once, as it cannot know.
    """
    return {
        client["id"]
        for client in raw.client_list()
        if client["cmd"] == "xread" and "b" in client["flags"]
    }


def threads(name):
    """Return the running threads whose names begin with a prefix."""
    return [thread for thread in threading.enumerate() if thread.name.startswith(name)]
