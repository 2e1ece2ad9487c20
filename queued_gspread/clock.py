"""The clock of deadlines and leases: it counts the time for which the machine sleeps."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["now"]


def now() -> float:
    """Return seconds on a monotonic clock that goes on while the machine is suspended."""
    return _clock()


def _continuous(source: Any = time, platform: str = sys.platform) -> Callable[[], float]:
    """Return the system's clock that counts sleep, which Python's own does on Windows alone."""
    if hasattr(source, "CLOCK_BOOTTIME"):
        return partial(source.clock_gettime, source.CLOCK_BOOTTIME)
    if platform == "darwin":
        # Linux's clock of that name stands still in sleep; this is mach_continuous_time.
        return partial(source.clock_gettime, source.CLOCK_MONOTONIC_RAW)
    monotonic: Callable[[], float] = source.monotonic
    return monotonic


_clock = _continuous()
