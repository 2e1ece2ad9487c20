"""The processes that call. They are forked from one that has everything imported already."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from .loads import make
from .ways import WAYS, client_of

_PATIENCE = 60.0


class Crew:
    """The processes of one load.

    Args:
        load: What they call.
        way: The name of their way to call.
        places: Where everything is.

    """

    def __init__(self, load, way, places):
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.programs.measure.crew"])
        self._ready = context.Barrier(load.processes + 1)
        self._begin = context.Event()
        self._right, self._failed = context.Value("i"), context.Value("i")
        shared = (self._ready, self._begin, self._right, self._failed)
        self._processes = [
            context.Process(target=_work, args=(load, way, places, number, shared), daemon=True)
            for number in range(load.processes)
        ]

    def call(self, before, cap):
        """Have all of them call; return the seconds until the last has ended, and how it ended.

        Args:
            before: Called when all have opened the sheets, and none has begun.
            cap: Seconds after which those that have not ended are.

        """
        for process in self._processes:
            process.start()
        with self._until_the_end():
            self._ready.wait(_PATIENCE)
            before()
            began = time.monotonic()
            self._begin.set()
            for process in self._processes:
                process.join(max(0.0, began + cap - time.monotonic()))
            seconds = time.monotonic() - began
            is_whole = not any(process.is_alive() for process in self._processes)
        return seconds, is_whole

    @property
    def counts(self):
        """How many calls returned what they had to, and how many raised."""
        return self._right.value, self._failed.value

    @contextmanager
    def _until_the_end(self):
        try:
            yield
        finally:
            for process in self._processes:
                process.kill()
                process.join()


def _work(load, way, places, number, shared):
    """Open the sheets, wait for the word, and call."""
    ready, begin, right, failed = shared
    sheets = {sheet.title: sheet for sheet in _open(way, places).worksheets()}
    ready.wait(_PATIENCE)
    begin.wait(_PATIENCE)

    def call(thread):
        who = number * load.threads + thread
        for turn in range(load.calls):
            with _counted(failed):
                if make(sheets, load.kind(turn), who, turn):
                    _count(right)

    with ThreadPoolExecutor(load.threads) as pool:
        list(pool.map(call, range(load.threads)))


def _open(way, places):
    return client_of(WAYS[way], places).open_by_key(places.book)


@contextmanager
def _counted(failed):
    try:
        yield
    except Exception:  # noqa: BLE001 - whatever it is: plain gspread raises several kinds
        _count(failed)


def _count(value):
    with value.get_lock():
        value.value += 1
