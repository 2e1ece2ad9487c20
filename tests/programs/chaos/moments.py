"""The moments at which blows fall: counted by what the emulator sees, not by a clock."""

from __future__ import annotations

import threading
from contextlib import contextmanager

from queued_gspread.emulator.faults import Latency

_LOOK = 0.2
# As long as requests of callers that wait in line stay away at the most, whatever has befallen.
_LONGEST = 40.0


class Moments:
    """Counts the requests that arrive at an emulator, and those that it has answered."""

    def __init__(self, emulator):
        self._emulator = emulator
        self._arrived = 0
        self._changed = threading.Condition()
        self._is_over = False
        emulator.clear_ledger()
        # It is asked of every request, and befalls none.
        emulator.faults.add(Latency(0.0), match=self._note_arrival)

    def end(self):
        """Let nobody wait any more."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def wait_for(self, moment, count):
        """Wait for an event; tell whether it came before the end."""
        return (self._until_arrived if moment == "arrival" else self._until_answered)(count)

    def wait_for_more(self, count):
        """Wait for so many more requests; tell whether they came: they may have ended."""
        wanted = self._arrived + count
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._arrived >= wanted, _LONGEST)
            return self._arrived >= wanted

    @contextmanager
    def slow_reads(self, seconds):
        """Let reads take so long; yield what waits for the next one that arrives."""
        arrived = threading.Event()

        def note(request):
            if request.on_sheets:
                arrived.set()
            return request.on_sheets

        rule = self._emulator.faults.add(Latency(seconds), method="GET", match=note)

        def wait_for_next():
            arrived.clear()
            while not self._is_over and not arrived.wait(_LOOK):
                pass
            return not self._is_over

        try:
            yield wait_for_next
        finally:
            self._emulator.faults.remove(rule)

    def _note_arrival(self, _):
        with self._changed:
            self._arrived += 1
            self._changed.notify_all()
        return False

    def _until_arrived(self, count):
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._arrived >= count)
            return not self._is_over

    def _until_answered(self, count):
        while not self._is_over:
            try:
                self._emulator.wait_for(lambda _: True, count=count, timeout=_LOOK)
            except TimeoutError:
                continue
            return True
        return False
