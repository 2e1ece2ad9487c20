"""Quota limits for servers in tests that are not about the quota."""

from __future__ import annotations

UNLIMITED = {
    f"{whose}{what}_per_minute": 0 for whose in ("", "project_") for what in ("reads", "writes")
}
