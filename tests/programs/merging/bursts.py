"""All kinds of bursts, by name."""

from __future__ import annotations

from .appends import appends
from .changes import barriers, batches
from .reads import reads
from .writes import clears, updates

BURSTS = {
    "appends": appends,
    "updates": updates,
    "clears": clears,
    "reads": reads,
    "batches": batches,
    "barriers": barriers,
}
"""The kinds of bursts by name."""

USUAL = ("appends",) * 3 + ("updates",) * 2 + tuple(BURSTS)
"""How often each of them is drawn."""
