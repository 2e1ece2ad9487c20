"""``python -m queued_gspread.embedded`` is the guard of a Redis started for the user."""

from __future__ import annotations

import sys

from .guard import main

if __name__ == "__main__":
    sys.exit(main())
