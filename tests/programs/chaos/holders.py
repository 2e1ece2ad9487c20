"""Clients that count under locks: each increment is a read and a write that depends on it."""

from __future__ import annotations

import asyncio
import time

from fates import told

import queued_gspread as gspread
import queued_gspread.asyncio as asynchronous

from .places import TOTAL, TOTALS, number_in
from .plan import HOLD
from .worker import Worker

_TWO = 0.2
"""The share of blocks that lock two spreadsheets."""

_THOUGHT = 0.2


class Holds(Worker):
    """A client whose calls are in blocks of a lock."""

    def work(self):
        """Make as many blocks as it is to make calls."""
        for _ in range(self._calls):
            many = 2 if self._chance.random() < _TWO else 1
            titles = self._chance.sample(list(self._keys), many)
            self._block([self._begun(title) for title in titles])
        self._end()
        self._journal.close()

    @property
    def _thought(self):
        """Seconds between a read and the write that depends on it: a good moment to be frozen."""
        return self._chance.uniform(0.0, _THOUGHT)

    def _begun(self, title):
        number, value = next(self._numbers), self._unique()
        self._journal.begin(number, "increment", title, value)
        return number, self._sheets[title][TOTALS], value

    def _ended(self, left, error):
        for number, *_ in left:
            self._journal.end(number, **told(error))

    def _block(self, left):
        try:
            with gspread.lock(*(sheet for _, sheet, _ in left), hold=HOLD):
                while left:
                    number, sheet, value = left[0]
                    count = number_in(sheet.acell(TOTAL).value) + 1
                    time.sleep(self._thought)
                    sheet.update_acell(TOTAL, f"{count} {value}")
                    self._journal.end(number, outcome="ok", result=count)
                    del left[0]
        except Exception as error:  # noqa: BLE001 - which may come is for the checker to say
            self._ended(left, error)


class HoldsInLoop(Holds):
    """The same in asyncio."""

    def _block(self, left):
        asyncio.run_coroutine_threadsafe(self._hold(left), self._client.loop).result()

    async def _hold(self, left):
        try:
            async with asynchronous.lock(*(sheet.own for _, sheet, _ in left), hold=HOLD):
                while left:
                    number, sheet, value = left[0]
                    count = number_in((await sheet.own.acell(TOTAL)).value) + 1
                    await asyncio.sleep(self._thought)
                    await sheet.own.update_acell(TOTAL, f"{count} {value}")
                    self._journal.end(number, outcome="ok", result=count)
                    del left[0]
        except Exception as error:  # noqa: BLE001 - the same
            self._ended(left, error)
