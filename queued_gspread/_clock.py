"""The clock of deadlines and leases: it keeps counting while the machine sleeps."""

from __future__ import annotations

import sys
import time
from typing import Any, Final

__all__ = ["now"]


def now() -> float:
    """Return seconds on a monotonic clock that keeps running while the machine is suspended."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def _clock_that_counts_sleep(system: Any, platform: str) -> int | None:
    """Return the id of such a clock; None where Python's own counts sleep, as on Windows."""
    if hasattr(system, "CLOCK_BOOTTIME"):
        return int(system.CLOCK_BOOTTIME)
    # On Linux, CLOCK_MONOTONIC_RAW stops during sleep; on macOS it is mach_continuous_time.
    return int(system.CLOCK_MONOTONIC_RAW) if platform == "darwin" else None


_CLOCK: Final = _clock_that_counts_sleep(time, sys.platform)
