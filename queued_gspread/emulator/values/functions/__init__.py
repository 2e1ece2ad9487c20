"""The functions and operators that formulas may use, by topic."""

from __future__ import annotations

from .arguments import Function
from .criteria import CRITERIA
from .dates import DATES
from .logic import LOGIC
from .lookup import LOOKUP
from .numeric import NUMERIC
from .operators import OPERATORS
from .statistic import STATISTIC
from .texts import TEXTS

_OPERATORS = {name: Function(compute, 1, 2) for name, compute in OPERATORS.items()}
FUNCTIONS: dict[str, Function] = (
    _OPERATORS | NUMERIC | STATISTIC | CRITERIA | LOGIC | LOOKUP | TEXTS | DATES
)
