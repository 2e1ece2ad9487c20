"""Processes of the suite: each does what it is told, line by line, as JSON."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from processes import environment, start

ROOT = Path(__file__).parents[3]


class Peer:
    """A Python process that runs a module of the suite.

    Args:
        module: Its name within the suite.
        where: What the module has to know, as JSON can say it.
        log: Where its standard error goes; to that of the suite by default.

    """

    def __init__(self, module, where, log=None):
        self._module = module
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log}
        code = f"from {__package__}.{module} import main; main()"
        own = {"text": True, "cwd": ROOT, "env": environment(GRACE="60")}
        self._process = start(code, json.dumps(where), **pipes, **own)
        self._is_ready = False

    @property
    def pid(self):
        return self._process.pid

    def until_ready(self):
        """Wait until it says that it is."""
        if not self._is_ready:
            said = self._process.stdout.readline()
            if said != "ready\n":
                raise RuntimeError(f"{self._module} said {said!r} in place of 'ready'")
            self._is_ready = True
        return self

    def tell(self, **what):
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def answer(self):
        self.until_ready()
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"{self._module} ended without an answer")
        return json.loads(said)

    def ask(self, **what):
        self.tell(**what)
        return self.answer()

    def pause(self):
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)

    def end(self):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


def answer_all(answers):
    """Be such a process: say that it is ready, and answer what is asked by a table of functions."""
    print("ready", flush=True)
    for line in sys.stdin:
        what = json.loads(line)
        print(json.dumps(answers[what.pop("do")](**what)), flush=True)


def cpu_of(pid):
    """Return the seconds of CPU that a process has used, with all its threads."""
    # What clock_getcpuclockid(3) gives; /proc counts in hundredths of a second.
    return time.clock_gettime((~pid << 3) | 2)
