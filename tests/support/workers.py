"""Processes that append rows, for tests that need many of them."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from processes import environment, start

_PROGRAM = Path(__file__).with_name("append_worker.py").read_text()


class Workers:
    """Processes that append rows, all at once."""

    def __init__(self, count):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._processes = [
            start(_PROGRAM, **pipes, env=environment(GRACE="30")) for _ in range(count)
        ]

    def prepare(self, redis_url, namespace, keys, *, calls, threads, signing_key_file=None):
        """Have each worker open its share of the sheets; *calls* None appends until stopped."""
        count = len(self._processes)
        shares = [(namespace, keys[number::count] or keys) for number in range(count)]
        own = {"calls": calls, "threads": threads}
        self.prepare_each(redis_url, shares, **own, signing_key_file=signing_key_file)

    def prepare_each(self, redis_url, shares, **todo):
        """Have them open sheets of several namespaces: each has a share, the first ones in turn."""
        self._began = None
        key_file = todo.pop("signing_key_file", None)
        for number, process in enumerate(self._processes):
            namespace, keys = shares[number % len(shares)]
            own = {
                "redis_url": redis_url,
                "namespace": namespace,
                "signing_key_file": key_file and str(key_file),
                "keys": keys,
                "name": f"worker{number}",
            }
            _tell(process, json.dumps(own | todo))
        for process in self._processes:
            assert process.stdout.readline() == "ready\n"

    def begin(self):
        self._began = time.monotonic()
        self._tell_all("go")

    def stop(self):
        """Make workers that append without an end start no further call."""
        self._tell_all("stop")

    def results(self):
        """Return the outcomes of all rows, and the seconds since the beginning."""
        found = [item for p in self._processes for item in json.loads(p.stdout.readline())]
        return found, time.monotonic() - self._began

    def _tell_all(self, line):
        for process in self._processes:
            _tell(process, line)

    def end(self):
        for process in self._processes:
            process.stdin.close()
            process.stdout.close()
            process.kill()
            process.wait()


def _tell(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()
