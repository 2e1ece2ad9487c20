"""Processes that poll one sheet, one of which may write to it now and then."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from functools import partial

import queued_gspread

from .forked import Forked
from .peer import answer_all

TYPED, WRITTEN = "A1", "B1"
"""The cell in which somebody types without the queue, and the one of who writes through it."""


class Pollers:
    """Forks processes that poll, and gathers what they saw.

    Args:
        redis_url: The Redis.
        namespace: The queue.

    """

    def __init__(self, redis_url, namespace):
        self._place = {"redis_url": redis_url, "namespace": namespace}

    def open(self, key, width, seconds, every, max_age, write_every):
        """Start so many processes that will poll a spreadsheet's first sheet for a time.

        Args:
            key: The spreadsheet's.
            width: How many processes.
            seconds: For how long.
            every: Seconds from one of a process's reads to its next one, if that is there by then.
            max_age: How old their answers may be.
            write_every: Seconds from one write to the next, which the first process makes, each
                with a read right after it; 0 for none.

        """
        beats = [
            Beat(seconds, every, place / width, 0 if place else write_every)
            for place in range(width)
        ]
        self._forked = Forked([partial(self._poller, key, max_age, beat) for beat in beats])

    def poll(self):
        """Let all of them poll.

        Returns:
            For each process its reads: when each began and ended, on this machine's monotonic
            clock, the two numbers that it saw, and the one that the process itself had written.

        """
        told, _ = self._forked.go()
        return told

    def _poller(self, key, max_age, beat):
        client = queued_gspread.authorize(**self._place, max_age=max_age)
        return partial(_poll, client.open_by_key(key).sheet1, beat)


@dataclass(frozen=True)
class Beat:
    """When a process reads and writes; all in seconds, but for the place of its first read.

    Attributes:
        seconds: For how long.
        every: From one read to the next.
        place: Of its first read in that time, from 0 to 1.
        write_every: From one write to the next; 0 for none.

    """

    seconds: float
    every: float
    place: float
    write_every: float


def _poll(sheet, beat):
    began = time.monotonic()
    end, turn = began + beat.seconds, began + beat.place * beat.every
    next_write = began + beat.write_every if beat.write_every else end
    reads, written = [], 0
    while turn < end:
        time.sleep(max(0.0, turn - time.monotonic()))
        if turn >= next_write:
            written += 1
            sheet.update_acell(WRITTEN, written)
            next_write += beat.write_every
        reads.append([*_read(sheet), written])
        turn = max(turn + beat.every, time.monotonic())
    return reads


def _read(sheet):
    began = time.monotonic()
    ((typed, written, *_), *_) = sheet.get_all_values()
    return began, time.monotonic(), int(typed), int(written)


def main():
    pollers = Pollers(**json.loads(sys.argv[1]))
    answer_all({"open": pollers.open, "poll": pollers.poll})


if __name__ == "__main__":
    main()
