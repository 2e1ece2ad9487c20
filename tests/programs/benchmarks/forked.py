"""Processes that are forked from one that has imported everything, and begin at the same moment.

So each is a process of its own, with a connection of its own, and a machine holds hundreds.
"""

from __future__ import annotations

import json
import os
import time
import traceback
from pathlib import Path


class Forked:
    """Processes that are ready, and begin once they are told.

    Args:
        makers: A function for each process, called in it. It makes everything ready, and returns
            the function to be called when all begin, which returns what it has to tell, as JSON.

    Attributes:
        memory: What each has in memory for itself when it is ready, in MiB.

    """

    def __init__(self, makers):
        begin = os.pipe()
        self._children, self._pipes = zip(*(_fork(begin, make) for make in makers), strict=True)
        os.close(begin[0])
        self._begin = begin[1]
        for said in self._pipes:
            assert os.read(said, 1) == b"r", "a process has died"
        self.memory = [_own_memory(child) for child in self._children]

    def go(self):
        """Let all begin; return what each has told, and the seconds until the last one had."""
        began = time.monotonic()
        os.close(self._begin)  # all of them see the end of this pipe, and go
        told = [_read(said) for said in self._pipes]
        seconds = time.monotonic() - began
        for child in self._children:
            os.waitpid(child, 0)
        return told, seconds


def _fork(begin, make):
    said, say = os.pipe()
    child = os.fork()
    if child:
        os.close(say)
        return child, said
    try:
        os.close(begin[1])
        _be_one(make, begin[0], say)
    except BaseException:  # noqa: BLE001 - nothing may go on as the parent would
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _be_one(make, begin, say):
    work = make()
    os.write(say, b"r")  # ready
    os.read(begin, 1)
    with os.fdopen(say, "w") as stream:
        json.dump(work(), stream)


def _own_memory(pid):
    """Return what a process has in memory for itself: shared pages count in shares."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("Pss:"))
    return int(line.split()[1]) / 1024


def _read(said):
    with os.fdopen(said) as stream:
        return json.load(stream)
