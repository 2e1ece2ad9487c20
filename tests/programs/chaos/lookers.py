"""Clients that only read, what is typed without the queue above all; some in blocks of an age."""

from __future__ import annotations

import time

import queued_gspread as gspread

from .places import TYPED, TYPED_CELL
from .plan import AGES
from .worker import Worker

_WEIGHTS = {"typed": 10, "cell": 4, "rows": 4, "open": 1}
_PAUSE = 0.05


class Looks(Worker):
    """A client whose reads may be of its own age, of another one in a block, or must be fresh."""

    def work(self):
        """Make all reads."""
        for _ in range(self._calls):
            self._make_one(_WEIGHTS)
            time.sleep(self._chance.uniform(0.0, _PAUSE))
        self._end()
        self._journal.close()

    def _typed(self, title):
        sheet = self._sheets[title][TYPED]
        self._call("typed", title, "", lambda _: int(sheet.acell(TYPED_CELL).value or 0))

    def _call(self, what, book, value, make):
        own = self._max_age
        if not own or self._chance.random() < 0.5:
            return super()._call(what, book, value, make)
        self._max_age = self._chance.choice((0.0, *AGES))
        try:
            with gspread.max_age(self._max_age):
                return super()._call(what, book, value, make)
        finally:
            self._max_age = own
