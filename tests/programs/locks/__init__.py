"""Histories of concurrent callers with locks and upserts, held against every serial order.

Each history is drawn from a seed: some callers, threads and tasks, make calls on two spreadsheets,
alone, in pipelines and in blocks of locks, while an operator may break a lock. What each call
returned or raised, and what the sheets hold in the end, has to be the same as in one order of all
calls in which each block is whole, and in which what had ended comes before what began after it.

What callers do is a row of :data:`.units.UNITS`, and what a call does to a sheet a row of
:data:`.model.STEPS`: another kind of block or call is another row.
"""

import sys
from pathlib import Path

# What the tests share lies there.
sys.path.insert(0, str(Path(__file__).parents[2] / "support"))
