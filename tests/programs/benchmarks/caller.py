"""A caller's process: makes calls of a contender as it is told, and says how long they took."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from .contenders import contender
from .peer import answer_all


class Calls:
    """Calls, one after the other or at once."""

    def __init__(self, call):
        self._call = call

    def sequence(self, count):
        """Return the seconds that each of some calls in a row took."""
        return [self._timed(0) for _ in range(count)]

    def at_once(self, callers, count):
        """Return the seconds in which some callers, in threads, make so many calls each."""
        with ThreadPoolExecutor(callers) as pool:
            list(pool.map(self._call, range(callers)))  # threads and connections are there
            began = time.perf_counter()
            list(pool.map(lambda number: self._in_a_row(number, count), range(callers)))
            return time.perf_counter() - began

    def _in_a_row(self, number, count):
        for _ in range(count):
            self._call(number)

    def _timed(self, number):
        began = time.perf_counter()
        self._call(number)
        return time.perf_counter() - began


def main():
    where = json.loads(sys.argv[1])
    calls = Calls(contender(where["contender"]).caller(where))
    answer_all({"sequence": calls.sequence, "at_once": calls.at_once})


if __name__ == "__main__":
    main()
