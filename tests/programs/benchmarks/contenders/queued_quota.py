"""The queue, with a quota so large that every request gets its slot at once."""

from __future__ import annotations

from . import queued
from .queued import caller

__all__ = ["caller", "serve"]

_PLENTY = 10_000_000


def serve(where):
    queued.serve(where, reads_per_minute=_PLENTY, writes_per_minute=_PLENTY)
