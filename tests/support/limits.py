"""Limits for servers in tests that are not about the quota, and Google's for those that are."""

from __future__ import annotations

UNLIMITED = {
    f"{whose}{what}_per_minute": 0 for whose in ("", "project_") for what in ("reads", "writes")
}

# How the windows of Google's quota may move: it says nothing, and was seen to do any of these.
MOVEMENTS = ("fixed", "staggered", "sliding", "lenient")
