"""The functions that formulas may use, by topic."""

from __future__ import annotations

from .arguments import Function, rank
from .criteria import CRITERIA
from .dates import DATES
from .logic import LOGIC
from .lookup import LOOKUP
from .numeric import NUMERIC
from .statistic import STATISTIC
from .texts import TEXTS

__all__ = ["FUNCTIONS", "rank"]

FUNCTIONS: dict[str, Function] = NUMERIC | STATISTIC | CRITERIA | LOGIC | LOOKUP | TEXTS | DATES
