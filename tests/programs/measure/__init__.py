"""What merging is worth, in requests and seconds: ``python -m tests.programs.measure``.

The emulator has Google's quota, scaled to a shorter window, and lets appends that overlap overwrite
each other as the real API does. The same calls are made in four ways: through the queue, through
the queue with ``--no-merge``, with plain gspread, and with gspread's ``BackOffHTTPClient``.
"""

from __future__ import annotations

import sys
from pathlib import Path

# As for pytest, by pyproject.toml.
SUPPORT = str(Path(__file__).parents[2] / "support")
if SUPPORT not in sys.path:
    sys.path.append(SUPPORT)
