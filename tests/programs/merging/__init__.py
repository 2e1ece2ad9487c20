"""Merged calls compared with unmerged ones, in many histories."""

import sys
from pathlib import Path

# What the tests share lies there.
sys.path.insert(0, str(Path(__file__).parents[2] / "support"))
