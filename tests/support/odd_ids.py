"""Spreadsheet ids that Google never makes, but that a caller may pass all the same."""

from __future__ import annotations

__all__ = ["ODD_IDS", "REFUSED_IDS", "SENT_IDS"]

SENT_IDS = [
    "",
    " ",
    "-",
    "a b",
    "a/b",
    "é",
    "\ud800",
    "{other}",
    "x" * 201,
    "x" * 3_000_000,
]

# In a URL these are ambiguous or invalid.
REFUSED_IDS = [
    "\0",
    "\0stop",
    "\n",
    "%2e%2e",
    "../../drive/v3/files",
    # Like an item of the ready list that has a job with its lane.
    "\x001-1\x00abc\x003\x00xyz{}",
]

ODD_IDS = [*SENT_IDS, *REFUSED_IDS]
