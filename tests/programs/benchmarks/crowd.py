"""A crowd of callers' processes, which all call at a time."""

from __future__ import annotations

import json
import sys
import time
from functools import partial

import queued_gspread

from .forked import Forked
from .peer import answer_all


class Crowd:
    """Forks callers, and gathers what they say.

    Args:
        redis_url: The Redis.
        namespace: The queue.

    """

    def __init__(self, redis_url, namespace):
        self._place = {"redis_url": redis_url, "namespace": namespace}

    def gather(self, width, seconds):
        """Have so many processes call for a time; return their calls, and memory in MiB.

        The seconds are those until the last of the calls that had begun by then was answered.
        """
        callers = Forked([partial(self._caller, seconds)] * width)
        counts, taken = callers.go()
        return {"counts": counts, "memory": callers.memory, "seconds": taken}

    def _caller(self, seconds):
        sheet = queued_gspread.authorize(**self._place).open_by_key("book").sheet1

        def call():
            count, end = 0, time.monotonic() + seconds
            while time.monotonic() < end:
                sheet.update_acell("A1", "x")
                count += 1
            return count

        return call


def main():
    crowd = Crowd(**json.loads(sys.argv[1]))
    answer_all({"gather": crowd.gather})


if __name__ == "__main__":
    main()
