"""What the commands do where their output cannot be shown, or is read no further."""

from __future__ import annotations

import os
import platform
import re
import shlex
import subprocess
from contextlib import contextmanager
from pathlib import Path

import gspread
import pytest
from processes import COMMAND, environment, run, start_command
from waiting import PATIENCE

import queued_gspread

HELP = ["--help", "--version", "server --help", "stop --help", "emulator --help", "demo --help"]
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")


@contextmanager
def nobody_reads():
    """Yield the writing end of a pipe whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


def run_into(output, *arguments):
    """Run a command of the package with another standard output."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.PIPE}
    with start_command(*arguments, text=True, env=environment(), **pipes) as process:
        _, told = process.communicate(timeout=PATIENCE)
    return subprocess.CompletedProcess(arguments, process.returncode, None, told)


@pytest.mark.parametrize("arguments", [*HELP, "emulator", "demo"])
def test_a_reader_that_goes_is_no_error(arguments):
    """Output that is read no further ends a command in silence, as SIGPIPE ends others."""
    with nobody_reads() as output:
        done = run_into(output, *arguments.split())
    assert (done.returncode, done.stderr) == (141, "")


@needs_full
@pytest.mark.parametrize("arguments", [*HELP, "emulator", "demo"])
def test_output_that_finds_no_room_is_one_line(arguments):
    """A command whose output cannot be written ends with 1, and one line that says why."""
    with Path("/dev/full").open("w") as output:
        done = run_into(output, *arguments.split())
    command = " ".join(["queued-gspread", *arguments.split()]).partition(" --")[0]
    assert done.returncode == 1
    assert done.stderr == f"{command}: the output cannot be written (No space left on device)\n"


@pytest.mark.parametrize("arguments", HELP)
def test_help_without_standard_output(arguments):
    """Help and version are silent where standard output is closed, and end with 0."""
    command = f"exec {shlex.join([*COMMAND, *arguments.split()])} >&-"
    done = subprocess.run(
        ["/bin/sh", "-c", command], stderr=subprocess.PIPE, check=False, timeout=PATIENCE
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("arguments", ["--version", "server --version", "stop --version"])
def test_the_version_names_what_it_works_with(arguments):
    """The version names those of gspread and Python, too, for who reports a fault."""
    assert run(*arguments.split()).stdout == (
        f"queued_gspread {queued_gspread.__version__} "
        f"(gspread {gspread.__version__}, Python {platform.python_version()})\n"
    )


@pytest.mark.parametrize("arguments", HELP)
def test_help_fits_a_terminal(arguments, monkeypatch):
    """Help has lines of at most 80 columns, and says where an option has a variable, too."""
    monkeypatch.setenv("COLUMNS", "80")
    shown = run(*arguments.split()).stdout
    assert max(len(line) for line in shown.splitlines()) <= 80
    brackets = re.findall(r"\[QUEUED_GSPREAD_\w+", shown)
    assert ("environment variable" in shown) is bool(brackets)
