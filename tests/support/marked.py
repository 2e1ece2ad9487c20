"""Processes identified by an environment variable, which their children inherit."""

from __future__ import annotations

import itertools
import os
import subprocess
from pathlib import Path

import pytest
from processes import environment, start
from waiting import eventually

needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc")
_numbers = itertools.count()


def words(entry, name):
    """Return the words in a /proc file of a process; none once it has ended."""
    try:
        return (entry / name).read_bytes().split(b"\0")
    except OSError:
        return []


class Marked:
    """Starts processes with the same mark, and with one folder for temporary files."""

    def __init__(self, folder):
        self.folder = folder
        self._mark = f"{os.getpid()}.{next(_numbers)}"

    def start(self, *command, stdout=subprocess.PIPE, **variables):
        options = self._options(stdout, variables)
        return subprocess.Popen(command, **options)

    def start_program(self, code, *, stdout=subprocess.PIPE, **variables):
        """Start a program given as text: it is not marked itself, and what it starts is."""
        return start(code, **self._options(stdout, variables))

    def _options(self, stdout, variables):
        own = {"MARK": self._mark, "TMPDIR": str(self.folder)}
        env = {**environment(), **own, **variables}
        return {"stdout": stdout, "stderr": subprocess.PIPE, "text": True, "env": env}

    def running(self):
        """Return the command lines of the running ones."""
        processes = [entry for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
        return [words(entry, "cmdline") for entry in processes if self._is_one(entry)]

    def _is_one(self, entry):
        return f"MARK={self._mark}".encode() in words(entry, "environ")

    def until_running(self, name, number=1):
        """Wait until the command lines of so many of them contain a text."""
        eventually(
            lambda: sum(name.encode() in b" ".join(line) for line in self.running()) >= number,
            f"{name} runs",
        )

    def until_gone(self):
        eventually(lambda: not self.running(), "no process is left")
        eventually(lambda: not list(self.folder.iterdir()), "no folder is left")


@pytest.fixture
def marked(tmp_path):
    folder = tmp_path / "marked"
    folder.mkdir()
    return Marked(folder)
