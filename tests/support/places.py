"""Where the files are that tests read."""

from pathlib import Path

TOP = Path(__file__).parents[2]
DOCS = TOP / "docs"
# Traffic of Google's API, which is not part of the project: tests that hold it are skipped without.
RECORDED = TOP.parent / "shared" / "recorded"
