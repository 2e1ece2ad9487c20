"""A clock that a test moves."""

from __future__ import annotations


class HandClock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now
