"""What the emulator's ledger says of the quota."""

from __future__ import annotations

from bisect import bisect_left


def counted(emulator, kind="write"):
    """Return when requests of a kind were counted, in order."""
    return sorted(s.counted for s in emulator.ledger if s.quota == kind and s.counted is not None)


def most_in_a_window(moments, window):
    """Return the most of them that any half-open window of that length holds."""
    return max(bisect_left(moments, begin + window) - index for index, begin in enumerate(moments))
