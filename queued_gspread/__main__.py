"""``python -m queued_gspread``: the same as the command ``queued-gspread``."""

import sys

from .cli import main

sys.exit(main())
