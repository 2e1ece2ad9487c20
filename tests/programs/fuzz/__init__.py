"""Broken jobs and replies, thrown at a real server and at real clients."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))
