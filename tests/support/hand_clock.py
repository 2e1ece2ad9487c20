"""A clock that a test moves."""

from __future__ import annotations


class HandClock:
    """A clock that stands still until it is moved.

    Args:
        now: What it shows at first, in seconds.

    """

    def __init__(self, now=0.0):
        self.now = now

    def __call__(self):
        return self.now
