"""A crowd of callers' processes, forked from one that has imported everything.

So each is a process of its own, with a connection of its own, and a machine holds hundreds.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path

import queued_gspread

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
        begin = os.pipe()
        children, pipes = zip(*(self._fork(begin, seconds) for _ in range(width)), strict=True)
        os.close(begin[0])
        for said in pipes:
            assert os.read(said, 1) == b"r", "a caller has died"
        memory = [_own_memory(child) for child in children]
        began = time.monotonic()
        os.close(begin[1])  # all of them see the end of this pipe, and go
        counts = [_read_count(said) for said in pipes]
        taken = time.monotonic() - began
        for child in children:
            os.waitpid(child, 0)
        return {"counts": counts, "memory": memory, "seconds": taken}

    def _fork(self, begin, seconds):
        """Start a caller that begins when it sees the end of a pipe; return what it says on."""
        said, say = os.pipe()
        child = os.fork()
        if child:
            os.close(say)
            return child, said
        try:
            os.close(begin[1])
            self._call(begin[0], say, seconds)
        except BaseException:  # noqa: BLE001 - nothing may go on as the parent would
            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    def _call(self, begin, say, seconds):
        """Be one of the callers."""
        sheet = queued_gspread.authorize(**self._place).open_by_key("book").sheet1
        os.write(say, b"r")  # ready
        os.read(begin, 1)
        count, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            sheet.update_acell("A1", "x")
            count += 1
        os.write(say, f"{count}\n".encode())


def _own_memory(pid):
    """Return what a process has in memory for itself: shared pages count in shares."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("Pss:"))
    return int(line.split()[1]) / 1024


def _read_count(said):
    with os.fdopen(said) as stream:
        return int(stream.readline())


def main():
    crowd = Crowd(**json.loads(sys.argv[1]))
    answer_all({"gather": crowd.gather})


if __name__ == "__main__":
    main()
