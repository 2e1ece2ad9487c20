"""Processes that append rows, for tests that need many of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from processes import environment


class Workers:
    """Processes that append rows, all at once."""

    def __init__(self, count):
        command = [sys.executable, "-W", "error", str(Path(__file__).with_name("append_worker.py"))]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._processes = [
            subprocess.Popen(command, **pipes, env=environment(GRACE="30")) for _ in range(count)
        ]

    def prepare(self, redis_url, namespace, keys, *, calls, threads, signing_key_file=None):
        """Have every worker open its share of the sheets."""
        self._began = None
        for number, process in enumerate(self._processes):
            todo = {
                "redis_url": redis_url,
                "namespace": namespace,
                "signing_key_file": signing_key_file and str(signing_key_file),
                "keys": keys[number :: len(self._processes)] or keys,
                "calls": calls,
                "threads": threads,
                "name": f"worker{number}",
            }
            _tell(process, json.dumps(todo))
        for process in self._processes:
            assert process.stdout.readline() == "ready\n"

    def begin(self):
        self._began = time.monotonic()
        for process in self._processes:
            _tell(process, "go")

    def results(self):
        """Return what became of all rows, and the seconds since the beginning."""
        found = [item for p in self._processes for item in json.loads(p.stdout.readline())]
        return found, time.monotonic() - self._began

    def end(self):
        for process in self._processes:
            process.stdin.close()
            process.stdout.close()
            process.kill()
            process.wait()


def _tell(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()
