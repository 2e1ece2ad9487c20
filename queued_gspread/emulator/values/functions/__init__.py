"""The functions that formulas may use, by topic."""

from __future__ import annotations

from .arguments import Function, rank
from .criteria import CRITERIA
from .dates import DATES
from .logic import LOGIC
from .lookup import LOOKUP
from .numeric import NUMERIC
from .regular import REGULAR
from .shapes import SHAPES
from .statistic import STATISTIC
from .texts import TEXTS

__all__ = ["FAMILIES", "FUNCTIONS", "rank"]

FAMILIES: dict[str, dict[str, Function]] = {
    "numbers": NUMERIC,
    "statistics": STATISTIC,
    "criteria": CRITERIA,
    "truth and kinds": LOGIC,
    "lookup": LOOKUP,
    "texts": TEXTS,
    "regular expressions": REGULAR,
    "dates": DATES,
    "arrays": SHAPES,
}
FUNCTIONS: dict[str, Function] = {
    name: function for family in FAMILIES.values() for name, function in family.items()
}
