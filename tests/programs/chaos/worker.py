"""A client process: makes calls one after the other, and writes down what became of each."""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from pathlib import Path

from alarms import Alarms
from fates import told

import queued_gspread as gspread
from queued_gspread.broker import keys

from .history import Journal
from .in_loop import LoopClient
from .places import CELLS, INSERTS, ROWS, cell_of, first_column

_ALARMED = 0.4
"""The share of calls of such a client that a signal comes in."""

_MOMENTS = (0.0003, 0.03)
"""From the middle of an enqueue to that of a wait for Google."""

# How often each kind of call is made, and how.
_WEIGHTS = {
    "append": 30,
    "update": 25,
    "cell": 15,
    "rows": 10,
    "insert": 8,
    "open": 5,
    "add_sheet": 4,
    "copy": 3,
}


# The same where several calls of a client are under way at a time.
_IN_LINE = {"append": 95, "rows": 5}


class Worker:
    """One client, in its own process.

    Args:
        name: Its name.
        seed: What its calls are drawn from.
        calls: How many it makes; None for as many as it can.
        timeout: Seconds that it waits for each, or None.
        is_alarmed: Whether signals' handlers raise in some of its calls.
        is_asyncio: Whether it makes its calls in asyncio.
        threads: How many make them at a time; several only append and read rows.
        blocks: What it does in blocks, if it has any; see :mod:`.blocks`, :mod:`.holders` and
            :mod:`.lookers`.
        max_age: How old the answers to its reads may be, in seconds.
        memory: Seconds for which its ids are remembered, or None for as long as they are.
        books: The spreadsheets' keys by their titles.
        clients: The names of those whose counters it reads.
        folder: Where its history goes.
        queue: The arguments of ``authorize`` that say where the queue is, and who signs.

    """

    def __init__(
        self,
        name,
        seed,
        calls,
        timeout,
        is_alarmed,
        is_asyncio,
        threads,
        blocks,
        max_age,
        memory,
        books,
        clients,
        folder,
        **queue,
    ):
        self._name, self._calls, self._clients = name, calls, clients
        self._threads = threads
        del blocks
        if memory is not None:
            keys.REMEMBERED = memory
        self._chance = random.Random(seed)
        share = _ALARMED if is_alarmed else 0.0
        self._alarms = Alarms(random.Random(f"alarms {seed}"), share, _MOMENTS)
        authorize = LoopClient if is_asyncio else gspread.authorize
        self._max_age = max_age
        self._client = authorize(timeout=timeout, max_age=max_age, **queue)
        self._end = self._client.close if is_asyncio else lambda: None
        self._keys = books
        self._sheets = {}
        self._counters = dict.fromkeys(books, 0)
        self._journal = Journal(Path(folder, f"{name}.jsonl"))
        self._numbers = iter(range(sys.maxsize))

    def open(self):
        """Get hold of all sheets, as often as it takes: these calls are not what is looked at."""
        while len(self._sheets) < len(self._keys):
            try:
                for title, key in self._keys.items():
                    book = self._client.open_by_key(key)
                    self._sheets[title] = {sheet.title: sheet for sheet in book.worksheets()}
            except Exception:  # noqa: BLE001 - whatever it is
                time.sleep(0.1)

    def work(self):
        """Make all calls; or without end, until a line comes."""
        with self._alarms:
            if self._calls is None:
                self._until_told(lambda: self._make_one(_IN_LINE))
            else:
                for _ in range(self._calls):
                    self._make_one(_WEIGHTS)
        self._end()
        self._journal.close()

    def _until_told(self, make):
        is_over = threading.Event()

        def work():
            while not is_over.is_set():
                make()

        threads = [threading.Thread(target=work) for _ in range(self._threads)]
        for thread in threads:
            thread.start()
        sys.stdin.readline()
        is_over.set()
        for thread in threads:
            thread.join()

    def _make_one(self, weights):
        (what,) = self._chance.choices(list(weights), list(weights.values()))
        getattr(self, f"_{what}")(self._chance.choice(list(self._keys)))

    def _append(self, title):
        sheet = self._sheets[title][ROWS]
        self._call(
            "append", title, self._unique(), lambda value: sheet.append_row([value]) and None
        )

    def _insert(self, title):
        sheet = self._sheets[title][INSERTS]
        self._call(
            "insert", title, self._unique(), lambda value: sheet.insert_row([value]) and None
        )

    def _update(self, title):
        sheet, cell = self._sheets[title][CELLS], cell_of(self._name)
        self._counters[title] += 1
        number = self._counters[title]
        self._call("update", title, number, lambda value: sheet.update_acell(cell, value) and None)

    def _cell(self, title):
        sheet, whose = self._sheets[title][CELLS], self._chance.choice(self._clients)
        self._call("cell", title, whose, lambda whose: int(sheet.acell(cell_of(whose)).value or 0))

    def _rows(self, title):
        sheet = self._sheets[title][ROWS]
        self._call("rows", title, "", lambda _: first_column(sheet))

    def _open(self, title):
        self._call(
            "open", title, "", lambda _: first_column(self._client.open(title).worksheet(ROWS))
        )

    def _add_sheet(self, title):
        book = self._sheets[title][ROWS].spreadsheet
        added = self._call(
            "add_sheet", title, self._unique(), lambda name: book.add_worksheet(name, 9, 2)
        )
        if added is not None:
            place = f"{title}/{added.title}"
            self._call(
                "append", place, self._unique(), lambda value: added.append_row([value]) and None
            )

    def _copy(self, title):
        key = self._keys[title]
        self._call(
            "copy", title, self._unique(), lambda name: self._client.copy(key, name) and None
        )

    def _unique(self):
        return f"{self._name}-{next(self._numbers)}"

    def _call(self, what, book, value, make):
        """Make a call and write down how it ended; return its result, None if it failed."""
        number = next(self._numbers)
        self._journal.begin(number, what, book, value, self._max_age)
        try:
            result = self._alarms.around(make, value)
        except BaseException as error:  # noqa: BLE001 - which may come is for the checker to say
            if self._alarms.is_interrupt(error):
                # What comes next comes at once: the interrupted one may be in Redis still.
                self._journal.end(number, **told(error), is_interrupted=True)
                return None
            self._journal.end(number, **told(error), swallowed=self._alarms.swallowed)
            time.sleep(0.05)
            return None
        shown = result if what in ("rows", "open", "cell", "typed") else None
        self._journal.end(number, outcome="ok", result=shown, swallowed=self._alarms.swallowed)
        return result


def main():
    from . import blocks, holders, lookers, strays  # noqa: PLC0415 - they are workers

    todo = json.loads(sys.argv[1])
    if todo["blocks"] != "strays":
        del todo["strange"]
    kinds = {
        "": (Worker, Worker),
        "waits": (blocks.Waits, blocks.Waits),
        "forgets": (blocks.Forgets, blocks.ForgetsInLoop),
        "holds": (holders.Holds, holders.HoldsInLoop),
        "looks": (lookers.Looks, lookers.Looks),
        "strays": (strays.Strays, strays.Strays),
    }
    worker = kinds[todo["blocks"]][todo["is_asyncio"]](**todo)
    worker.open()
    print("ready", flush=True)
    sys.stdin.readline()
    worker.work()


if __name__ == "__main__":
    main()
