"""How fast it is: everything that is compared is measured side by side in one run.

``python -m tests.programs.benchmarks`` runs it; ``--help`` says more.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))
