"""What an upsert has done, as its caller sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Upserted"]


@dataclass
class Upserted:
    """What :func:`queued_gspread.upsert_rows` has done: row numbers, in the order of ``rows``.

    Attributes:
        updated: The rows of the sheet whose key was there, and that were changed.
        appended: The rows of the sheet that were added.
        kept: The rows of the sheet that were left as they are.
        ambiguous: Keys that the sheet has more than once; only the first such row was looked at.

    """

    updated: list[int]
    appended: list[int]
    kept: list[int]
    ambiguous: list[Any]
