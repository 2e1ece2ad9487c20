"""The functions that formulas may use, by topic."""

from __future__ import annotations

from .arguments import Function, rank
from .criteria import CRITERIA
from .dates import DATES
from .distributions import DISTRIBUTIONS
from .financial import FINANCIAL
from .integers import INTEGERS
from .logic import LOGIC
from .lookup import LOOKUP
from .more_texts import MORE_TEXTS
from .numeric import NUMERIC
from .pairs import PAIRS
from .regular import REGULAR
from .shapes import SHAPES
from .statistic import STATISTIC
from .texts import TEXTS
from .trigonometry import TRIGONOMETRY
from .workdays import WORKDAYS

__all__ = ["FAMILIES", "FUNCTIONS", "rank"]

FAMILIES: dict[str, dict[str, Function]] = {
    "numbers": NUMERIC,
    "whole numbers": INTEGERS,
    "angles": TRIGONOMETRY,
    "statistics": {**STATISTIC, **DISTRIBUTIONS, **PAIRS},
    "criteria": CRITERIA,
    "truth and kinds": LOGIC,
    "lookup": LOOKUP,
    "texts": {**TEXTS, **MORE_TEXTS},
    "regular expressions": REGULAR,
    "dates": {**DATES, **WORKDAYS},
    "finance": FINANCIAL,
    "arrays": SHAPES,
}
FUNCTIONS: dict[str, Function] = {
    name: function for family in FAMILIES.values() for name, function in family.items()
}
