"""The tutorial's commands and programs do what it says, in the order in which it has them."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from durable import new_durable_redis
from places import DOCS
from processes import COMMAND, PYTHON, environment
from waiting import GRACE, PATIENCE, eventually

PAGE = (DOCS / "tutorial.md").read_text()
NAMES = ["ann", "ben", "cem", "dan", "eve"]


def blocks(heading, language):
    """Return the examples beneath a heading of the page."""
    section = re.split(r"^#+ ", PAGE.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


@pytest.fixture
def port():
    """Return a port that is free."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def own_redis():
    """Return a Redis that keeps its data, as the one does that a server starts."""
    with new_durable_redis() as server:
        yield server


@pytest.fixture
def place(tmp_path, own_redis, namespace):
    """Return where and how the page's commands are run: a folder and an environment."""
    found = environment(REDIS_URL=own_redis.url, GRACE=str(GRACE))
    # The page's `python` is the one that runs the test.
    found["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{found['PATH']}"
    return {"cwd": tmp_path, "env": found}


@contextmanager
def running(place, line, until):
    """Run one of the package's commands until it is ended; wait until it has said something."""
    program, *options = shlex.split(line.replace("\\\n", " "))
    command = {"queued-gspread": [], "queued-gspread-server": ["server"]}[program]
    log = place["cwd"] / f"{command}-{options[0]}.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*COMMAND, *command, *options], stdout=stream, stderr=stream, **place
        )
    try:
        eventually(lambda: until in log.read_text() or process.poll() is not None, until)
        assert process.poll() is None, log.read_text()
        yield log
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def test_the_tutorial(place, port, namespace):
    """Whoever follows the tutorial has the rows that it promises, with its own commands alone."""

    def here(text):
        # What the page has to itself: a port, and a namespace.
        return text.replace("8099", str(port)).replace("tutorial", namespace)

    def python(*arguments):
        command = [*PYTHON, *arguments]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=PATIENCE, **place
        )
        return done.stdout

    (emulator,) = blocks("Start the emulator", "sh")
    (server,) = blocks("Start the server", "sh")
    (_, told) = blocks("Start the server", "text")[0].splitlines()
    (check,) = blocks("Check it", "sh")
    (found,) = blocks("Check it", "text")
    (first,) = blocks("Write the first row", "python")
    (printed,) = blocks("Write the first row", "text")
    (worker,) = blocks("Write from several processes", "python")
    (workers,) = blocks("Write from several processes", "sh")
    (place["cwd"] / "first.py").write_text(here(first))
    (place["cwd"] / "worker.py").write_text(here(worker))
    working = re.search(r"INFO (working as \S+)", told)[1]
    with running(place, here(emulator), f"http://127.0.0.1:{port}"):
        with running(place, here(server), working):
            assert_found(python("-m", "queued_gspread", *shlex.split(here(check))[1:]), found)
            assert python("first.py") == printed
            subprocess.run(["sh", "-c", workers], check=True, timeout=PATIENCE, **place)
        waiting = subprocess.Popen([*PYTHON, "worker.py", "eve"], **place)
        with running(place, here(server), working):
            assert waiting.wait(PATIENCE) == 0
            shown = python("-c", here(first.partition("sheet =")[0]) + READ)
    rows = shown.splitlines()
    assert rows[0] == "1001 59.9"
    assert sorted(rows[1:]) == sorted(f"{name} {number}" for name in NAMES for number in range(5))


def assert_found(told, page):
    """Compare what a check has told with the lines of the page, whose dots stand for anything."""
    lines = told.splitlines()
    for wanted in page.splitlines():
        start, _, end = wanted.partition("redis://localhost:6379/0: Valkey")[0].partition("…")
        assert any(line.startswith(start) and line.endswith(end) for line in lines), wanted
    assert lines[-1] == page.splitlines()[-1] == "all is well"


READ = """
for row in client.open("Orders").sheet1.get_all_values():
    print(*row)
"""
