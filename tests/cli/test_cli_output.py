"""What the commands do where their output cannot be shown, and what the demo leaves behind."""

from __future__ import annotations

import itertools
import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest
from processes import COMMAND, PYTHON, environment
from waiting import PATIENCE, eventually

# With fewer workers than usual; what a shell has started in its background ignores SIGINT.
_DEMO = """
import os, signal
from queued_gspread.cli import demo, main
signal.signal(signal.SIGINT, signal.default_int_handler)
demo.WORKERS = 2
demo.ROWS_EACH = int(os.environ.get("ROWS", "5"))
raise SystemExit(main(["demo"]))
"""
DEMO = [*PYTHON, "-c", _DEMO]
needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc")
_numbers = itertools.count()


class Marked:
    """Processes that are known by a variable of their environment, which children inherit."""

    def __init__(self, folder):
        self.folder = folder
        self._mark = f"{os.getpid()}.{next(_numbers)}"

    def start(self, *command, **variables):
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment(), "MARK": self._mark, "TMPDIR": str(self.folder), **variables},
        )

    def running(self):
        """Return the command lines of those that run."""
        return [
            (entry / "cmdline").read_bytes().split(b"\0")
            for entry in Path("/proc").iterdir()
            if entry.name.isdecimal() and self._is_one(entry)
        ]

    def _is_one(self, entry):
        try:
            return f"MARK={self._mark}".encode() in (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            return False

    def until_at_work(self):
        eventually(
            lambda: any(b"demo_worker.py" in part for line in self.running() for part in line),
            "a worker runs",
        )

    def until_gone(self):
        eventually(lambda: not self.running(), "no process is left")
        eventually(lambda: not list(self.folder.iterdir()), "no folder is left")


@pytest.fixture
def marked(tmp_path):
    return Marked(tmp_path)


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_demo_that_is_ended_leaves_nobody_behind(marked, number):
    """However a demo is ended, its Redis, server and workers end with it, and its folders go."""
    with marked.start(*DEMO, ROWS="10000") as demo:
        marked.until_at_work()
        demo.send_signal(number)
        demo.communicate(timeout=PATIENCE)
    assert demo.returncode == (130 if number == signal.SIGINT else -number)
    marked.until_gone()


@needs_proc
def test_a_demo_whose_reader_goes_leaves_nobody_behind(marked):
    """A demo that can print no more ends with one line that says so, and everything with it."""
    with marked.start(*DEMO) as demo:
        assert "Starting" in demo.stdout.readline()
        demo.stdout.close()
        errors = demo.stderr.read()
    assert demo.returncode == 1
    assert errors == "queued-gspread demo: the output cannot be written (Broken pipe)\n"
    marked.until_gone()


@needs_proc
def test_a_demo_runs_without_standard_streams(marked):
    """With standard input and output closed, the demo does its work in silence and ends."""
    with marked.start("/bin/sh", "-c", f"exec {shlex.join(DEMO)} <&- >&-") as demo:
        shown = demo.communicate(timeout=PATIENCE)
    assert (demo.returncode, shown) == (0, ("", ""))
    marked.until_gone()


def test_a_terminal_that_cannot_show_a_character_shows_another(marked):
    """On an ASCII terminal the demo runs to its end, with question marks for what that lacks."""
    with marked.start(*DEMO, PYTHONIOENCODING="ascii") as demo:
        shown, errors = demo.communicate(timeout=PATIENCE)
    assert (demo.returncode, errors) == (0, "")
    assert "queued-gspread-server ?\n" in shown
    assert "lost 0, doubled 0" in shown


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("command", ["emulator", "demo"])
def test_output_that_finds_no_room_is_one_line(marked, command):
    """A command whose output cannot be written ends with 1, and one line that says why."""
    with marked.start("/bin/sh", "-c", f"exec {shlex.join(COMMAND)} {command} >/dev/full") as done:
        _, errors = done.communicate(timeout=PATIENCE)
    assert done.returncode == 1
    assert errors == (
        f"queued-gspread {command}: the output cannot be written (No space left on device)\n"
    )
