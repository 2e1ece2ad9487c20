"""Where histories are made: an emulator, a server, and the spreadsheets as callers have them."""

from __future__ import annotations

import asyncio
import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from emulated import bring_back, kept_of
from limits import UNLIMITED

import queued_gspread as gspread
import queued_gspread.asyncio as asynchronous
from queued_gspread.broker import Producer
from queued_gspread.emulator import Emulator
from queued_gspread.server import Server
from queued_gspread.settings import Settings

from .callers import Sheets, make_all, make_all_in_loop
from .model import Book
from .serial import is_serial
from .units import drawn

__all__ = ["World", "world"]

_THREADS, _TASKS = 3, 2
_BOOKS = 2
_FIRST = (Book(None, (("a", "start"),)),) * _BOOKS
# A call that waits for longer than this has been lost.
_LONGEST = 60.0


class World:
    """An emulator behind a queue, with two spreadsheets that are as they were at each history.

    Args:
        emulator: The emulator.
        where: The arguments of ``authorize`` that say where the queue is.

    """

    def __init__(self, emulator, where):
        self._emulator = emulator
        self._direct = emulator.gspread_client()
        self._keys = [self._new_book() for _ in range(_BOOKS)]
        self._queue = Producer(Settings(**where))
        self._kept = kept_of(emulator)
        self._clients = [
            gspread.authorize(**where, timeout=_LONGEST) for _ in range(_THREADS + _TASKS)
        ]
        self._sheets = [self._opened(client) for client in self._clients]

    def history(self, seed):
        """Make the history of a seed; return whether an order of its units comes to the same."""
        self._begin()
        made, chance = [], random.Random(f"history {seed}")
        callers = chance.sample(range(_THREADS + _TASKS), chance.randint(2, 4))
        name = f"{seed}.{uuid.uuid4().hex[:8]}"
        units = {each: drawn(random.Random(f"{seed} {each}"), f"{name}-{each}") for each in callers}
        breaks = chance.random() < 0.2
        with ThreadPoolExecutor(_THREADS + 2) as pool:
            done = [
                pool.submit(make_all, own, Sheets(*self._sheets[each]), each, made)
                for each, own in units.items()
                if each < _THREADS
            ]
            done.append(pool.submit(self._run_tasks, units, made))
            if breaks:
                done.append(pool.submit(self._break_one))
        for each in done:
            each.result()
        return made, is_serial(made, _FIRST, self._last(), may_lose=breaks)

    def _run_tasks(self, units, made):
        async def main():
            await asyncio.gather(
                *(
                    make_all_in_loop(own, self._in_loop(each), each, made)
                    for each, own in units.items()
                    if each >= _THREADS
                )
            )

        asyncio.run(main())

    def _in_loop(self, number):
        """Return a caller's worksheets as objects of the running loop."""
        both = ([asynchronous.Worksheet(sheet) for sheet in own] for own in self._sheets[number])
        return Sheets(*both, asynchronous)

    def _break_one(self):
        """Be the operator who breaks the first lock that he sees, if there is one in time."""
        for _ in range(50):
            for holder in self._queue.holders():
                self._queue.break_lock(holder)
                return

    def _new_book(self):
        book = self._direct.create("History")
        book.add_worksheet("Table", 100, 2).update([["key", "value"], ["a", "start"]])
        return book.id

    def _opened(self, client):
        books = [client.open_by_key(key) for key in self._keys]
        return [book.sheet1 for book in books], [book.worksheet("Table") for book in books]

    def _begin(self):
        """Have the spreadsheets as they were; a write of each tells the server."""
        self._kept = bring_back(self._emulator, self._kept)
        self._emulator.clear_ledger()
        for cell in self._sheets[0][0]:
            cell.update_acell("A1", "")

    def _last(self):
        """Return what the spreadsheets hold once all that was left in the queue is made."""
        for cell in self._sheets[0][0]:
            cell.acell("A1")
        return tuple(self._held(key) for key in self._keys)

    def _held(self, key):
        book = self._direct.open_by_key(key)
        rows = book.worksheet("Table").get_all_values()[1:]
        return Book(book.sheet1.acell("A1").value or None, tuple(map(tuple, rows)))


@contextmanager
def world(redis_url, namespace="histories"):
    """Run a server over an emulator; return where histories can be made."""
    where = {"redis_url": redis_url, "namespace": namespace}
    with Emulator(seed=1) as emulator, Server(emulator.gspread_client(), **where, **UNLIMITED):
        yield World(emulator, where)
