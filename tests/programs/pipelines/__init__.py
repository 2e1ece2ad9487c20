"""Histories of calls in pipelines against the same calls in a plain loop.

Each history is drawn from a seed: some dozens of calls on two worksheets and their spreadsheet,
some of which always fail. They are made one after the other by plain gspread, and in pipelines of
drawn lengths through the queue, each on an emulator in the same state. What each call returns or
raises, what ``_properties`` hold in the end, and what the emulators hold has to be the same.
"""

import sys
from pathlib import Path

# What the tests share lies there.
sys.path.insert(0, str(Path(__file__).parents[2] / "support"))
