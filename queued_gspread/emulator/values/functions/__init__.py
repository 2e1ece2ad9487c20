"""The functions that formulas may use, by topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .criteria import CRITERIA
from .dates import DATES
from .logic import LOGIC
from .lookup import LOOKUP
from .numeric import NUMERIC
from .statistic import STATISTIC
from .texts import TEXTS

if TYPE_CHECKING:
    from .arguments import Function

FUNCTIONS: dict[str, Function] = NUMERIC | STATISTIC | CRITERIA | LOGIC | LOOKUP | TEXTS | DATES
