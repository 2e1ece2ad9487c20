"""Clients whose calls are in pipelines: those that wait at a block's end, and those that forget.

A client that forgets is killed right after its last block, by itself.
"""

from __future__ import annotations

import asyncio
import os
import signal

from fates import told

import queued_gspread as gspread
import queued_gspread.asyncio as asynchronous
from queued_gspread.proxy import call as calls_of_proxy

from .history import LEFT
from .places import CELLS, ROWS, cell_of
from .worker import Worker

_LONGEST = 8
_WAITED = {"append": 5, "update": 3, "cell": 2}
_FORGOTTEN = {"append": 5, "update": 3}


class Waits(Worker):
    """A client that makes its calls in blocks of a pipeline."""

    kinds = _WAITED

    def work(self):
        """Make all calls, in blocks of a length that is drawn; or without end, until told."""
        if self._calls is None:
            self._until_told(self._block_and_look)
        left = self._calls or 0
        while left:
            many = min(left, self._chance.randint(1, _LONGEST))
            self._block([self._drawn() for _ in range(many)])
            left -= many
        self._end()
        self._journal.close()

    def _block_and_look(self):
        """Make a block, and a read that waits for it: else more are put in than can be made."""
        calls = [self._drawn() for _ in range(self._chance.randint(1, _LONGEST))]
        self._block(calls)
        self._rows(calls[0][1])

    def _drawn(self):
        """Return a call: what it is, the spreadsheet, what is written or read, and the method."""
        (what,) = self._chance.choices(list(self.kinds), list(self.kinds.values()))
        title = self._chance.choice(list(self._keys))
        sheets = self._sheets[title]
        if what == "append":
            value = self._unique()
            return what, title, value, (sheets[ROWS], "append_row", [value])
        if what == "update":
            self._counters[title] += 1
            number = self._counters[title]
            return what, title, number, (sheets[CELLS], "update_acell", cell_of(self._name), number)
        whose = self._chance.choice(self._clients)
        return what, title, whose, (sheets[CELLS], "acell", cell_of(whose))

    def _begun(self, what, title, value):
        number = next(self._numbers)
        self._journal.begin(number, what, title, value)
        return number

    def _block(self, calls):
        begun = []
        try:
            with gspread.pipeline() as block:
                for what, title, value, (sheet, method, *args) in calls:
                    number = self._begun(what, title, value)
                    begun.append((number, what, block.submit(getattr(sheet, method), *args)))
        except Exception:  # noqa: BLE001 - each is asked for its own
            pass
        for number, what, future in begun:
            try:
                result = future.result()
            except BaseException as error:  # noqa: BLE001 - which may come is for the checker
                self._journal.end(number, **told(error))
            else:
                shown = int(result.value or 0) if what == "cell" else None
                self._journal.end(number, outcome="ok", result=shown)


class Forgets(Waits):
    """A client that puts its calls in and waits for none."""

    kinds = _FORGOTTEN

    def work(self):
        self._jobs = noted = []
        calls_of_proxy.new_id = _noting(calls_of_proxy.new_id, noted)
        super().work()

    def _end_of(self, number, error=None):
        if error is None:
            self._journal.end(number, outcome=LEFT, job=self._jobs[-1])
        else:
            self._journal.end(number, **told(error))

    def _block(self, calls):
        with gspread.pipeline(wait=False):
            for what, title, value, (sheet, method, *args) in calls:
                number = self._begun(what, title, value)
                try:
                    getattr(sheet, method)(*args)
                except Exception as error:  # noqa: BLE001 - the same
                    self._end_of(number, error)
                else:
                    self._end_of(number)

    def _close(self):
        os.kill(os.getpid(), signal.SIGKILL)

    _end = property(lambda self: self._close, lambda self, _: None)


class ForgetsInLoop(Forgets):
    """The same in asyncio."""

    def _block(self, calls):
        asyncio.run_coroutine_threadsafe(self._forget(calls), self._client.loop).result()

    async def _forget(self, calls):
        async with asynchronous.pipeline(wait=False):
            for what, title, value, (sheet, method, *args) in calls:
                number = self._begun(what, title, value)
                try:
                    await getattr(sheet.own, method)(*args)
                except Exception as error:  # noqa: BLE001 - the same
                    self._end_of(number, error)
                else:
                    self._end_of(number)


def _noting(make, noted):
    def new_id():
        noted.append(make())
        return noted[-1]

    return new_id
