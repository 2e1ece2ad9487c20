"""Times as the Drive API writes them."""

from __future__ import annotations

from datetime import datetime, timezone


def timestamp(moment: datetime) -> str:
    """Return a time in UTC to the millisecond: `2023-07-20T08:47:44.700Z`."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    utc = moment.astimezone(timezone.utc)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(timezone.utc)
