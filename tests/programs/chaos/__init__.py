"""Proof by force: real processes, killed at seeded moments, and a check of what came of it all.

``python -m tests.programs.chaos --seeds 0-49`` runs it; ``--help`` says more.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))
