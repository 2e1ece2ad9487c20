"""A client of asyncio as a blocking one looks: calls run in the loop of a thread of its own."""

from __future__ import annotations

import asyncio
import inspect
import threading

import queued_gspread.asyncio as gspread


class InLoop:
    """An object of asyncio, whose calls are waited for.

    Args:
        own: The object.
        loop: The loop that runs its calls.

    """

    def __init__(self, own, loop):
        self._own = own
        self._loop = loop

    @property
    def own(self):
        return self._own

    def __getattr__(self, name):
        found = getattr(self._own, name)
        if not inspect.iscoroutinefunction(found):
            return self._shown(found)

        def call(*args, **kwargs):
            made = asyncio.run_coroutine_threadsafe(found(*args, **kwargs), self._loop)
            return self._shown(made.result())

        return call

    def _shown(self, value):
        if isinstance(value, (gspread.Spreadsheet, gspread.Worksheet)):
            return InLoop(value, self._loop)
        if isinstance(value, list):
            return [self._shown(each) for each in value]
        return value


class LoopClient(InLoop):
    """A client of asyncio, with a loop that runs until it is closed."""

    def __init__(self, **options):
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(started)), daemon=True)
        self._thread.start()
        started.wait()
        super().__init__(gspread.authorize(**options), self._loop)

    @property
    def loop(self):
        return self._loop

    async def _run(self, started):
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        started.set()
        await self._over.wait()

    def close(self):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
