"""Limits of the quota for servers whose tests are not about it."""

from __future__ import annotations

UNLIMITED = {
    f"{whose}{what}_per_minute": 0 for whose in ("", "project_") for what in ("reads", "writes")
}
