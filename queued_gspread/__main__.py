"""``python -m queued_gspread`` is the same as the command ``queued-gspread``."""

import sys

from queued_gspread.cli import main

sys.exit(main())
