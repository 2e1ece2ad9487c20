"""Paths of files that tests read."""

from pathlib import Path

TOP = Path(__file__).parents[2]
DOCS = TOP / "docs"
# Recorded traffic of Google's API, not part of the project: tests that use it are skipped without.
RECORDED = TOP.parent / "shared" / "recorded"
RECORDED_MORE = RECORDED.with_name("recorded2")
