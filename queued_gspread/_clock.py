"""The clock of deadlines and leases, which counts while the machine sleeps; moments as text."""

from __future__ import annotations

import sys
import time
from datetime import datetime, timezone
from typing import Any, Final

__all__ = ["now", "shown_utc"]


def now() -> float:
    """Return seconds on a monotonic clock that keeps running while the machine is suspended."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def shown_utc(moment: float | datetime) -> str:
    """Return a moment as people read it: ``2026-01-01 12:00:00 UTC``.

    Args:
        moment: Seconds since 1970, or a time of UTC.

    """
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, timezone.utc)
    return f"{moment.replace(tzinfo=None).isoformat(' ', 'seconds')} UTC"


def _clock_that_counts_sleep(system: Any, platform: str) -> int | None:
    """Return the id of such a clock; None where Python's own counts sleep, as on Windows."""
    if hasattr(system, "CLOCK_BOOTTIME"):
        return int(system.CLOCK_BOOTTIME)
    # On Linux, CLOCK_MONOTONIC_RAW stops during sleep; on macOS it is mach_continuous_time.
    return int(system.CLOCK_MONOTONIC_RAW) if platform == "darwin" else None


_CLOCK: Final = _clock_that_counts_sleep(time, sys.platform)
