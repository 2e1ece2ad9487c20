"""Forked processes of the tests: as fresh as an interpreter, but for what it has imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from forks import Forks
from processes import PYTHON, environment, start
from waiting import PATIENCE, eventually

PIPES = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | {"text": True}
WAITS = "import sys; print('waits', flush=True); sys.stdin.readline()"
BOTH = pytest.mark.parametrize("fresh", [True, False], ids=["fresh", "forked"])

SHOWS = """
import queued_gspread.cli
import gc, json, os, signal, sys, threading, warnings
print(json.dumps({
    "arguments": sys.argv,
    "main": [__name__, sys.modules["__main__"].__dict__ is globals(), sys.path[0]],
    "folder": os.getcwd(),
    "variables": dict(os.environ),
    "signals": {name: str(signal.getsignal(name)) for name in signal.valid_signals()},
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    "group": os.getpgrp(),
    "threads": threading.active_count(),
    "descriptors": sorted(set(os.listdir("/proc/self/fd")) - {"3"}),
    "streams": [[s.encoding, s.errors, s.mode, s.line_buffering]
                for s in (sys.stdin, sys.stdout, sys.stderr)],
    "warnings": [list(map(str, each)) for each in warnings.filters],
    "collector": [gc.isenabled(), gc.get_threshold()],
}))
"""


def ended(code, *arguments, given=None, **options):
    """Run a program to its end; return its exit status and what it wrote."""
    with start(code, *arguments, env=environment(), **PIPES, **options) as process:
        told = process.communicate(given, timeout=PATIENCE)
    return process.returncode, *told


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc")
def test_a_forked_process_finds_what_a_fresh_one_does(tmp_path):
    """Arguments, variables, signals, streams, warnings and descriptors are the same in both."""
    shown = [ended(SHOWS, "a", 1, cwd=tmp_path, fresh=fresh) for fresh in (True, False)]
    (_, fresh, _), (_, forked, errors) = shown
    assert errors == ""
    assert json.loads(forked) == json.loads(fresh)


def test_a_forked_process_has_the_package_already():
    """What is forked need not import the package: it is there before the program asks."""
    code = "import sys; print('queued_gspread.server.server' in sys.modules)"
    assert [ended(code, fresh=fresh)[1] for fresh in (True, False)] == ["False\n", "True\n"]


@BOTH
@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("print('x', end='')", 0, ""),
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('no')", 1, "no\n"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import os; os._exit(4)", 4, ""),
        ("import os; os.kill(os.getpid(), 9)", -9, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGINT)", -2, "KeyboardInterrupt"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15, ""),
        ("import warnings; warnings.warn('loud')", 1, "UserWarning: loud"),
        ("import atexit, sys; atexit.register(lambda: print('late', file=sys.stderr))", 0, "late"),
        ("no python", 1, "SyntaxError"),
    ],
)
def test_every_end_is_told(code, status, told, fresh):
    """A program's status, its exceptions and what it does at its end come as from any process."""
    ending, _, errors = ended(code, fresh=fresh)
    assert ending == status
    assert told in errors
    assert bool(errors) is bool(told)


@BOTH
def test_input_goes_in_and_output_comes_out(fresh):
    """A process reads its input to the end, and what it writes is whole, however much that is."""
    code = "import sys; print(len(sys.stdin.read())); print('y' * 1_000_000, file=sys.stderr)"
    assert ended(code, given="x" * 1_000_000, fresh=fresh) == (0, "1000000\n", "y" * 10**6 + "\n")


@BOTH
def test_output_may_go_elsewhere(tmp_path, fresh):
    """Both outputs may go to one file, as a server's log does."""
    code = "import sys; print('out', flush=True); print('error', file=sys.stderr)"
    with (tmp_path / "log").open("w") as log:
        both = {"stdout": log, "stderr": subprocess.STDOUT}
        assert start(code, env=environment(), fresh=fresh, **both).wait(PATIENCE) == 0
    assert (tmp_path / "log").read_text() == "out\nerror\n"


@BOTH
def test_a_wait_that_is_too_long_is_told(fresh):
    """Who waits is told that a process goes on, and can still end it."""
    with start(WAITS, env=environment(), fresh=fresh, **PIPES) as process:
        assert process.stdout.readline() == "waits\n"
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0)
        process.kill()
        assert process.wait(PATIENCE) == -signal.SIGKILL
        process.kill()


def test_processes_do_not_share_what_they_change():
    """What one process does to a module, another one does not see."""
    code = "import queued_gspread as q; print(hasattr(q, 'mark')); q.mark = 1"
    assert [ended(code)[1] for _ in range(2)] == ["False\n"] * 2


def test_variables_of_the_interpreter_take_a_fresh_one():
    """What only an interpreter's start reads is refused, lest it go unseen."""
    with pytest.raises(AssertionError, match="fresh"):
        start("pass", env={**environment(), "PYTHONHASHSEED": "1"})


def test_no_forked_process_outlives_who_asked_for_it(tmp_path):
    """When the process that had them forked is killed, they are, and so is what forks."""
    code = f"""
    import os, sys
    sys.path[:0] = {sys.path!r}
    from forks import Forks
    forks = Forks({PYTHON!r}, [])
    with open({str(tmp_path / "log")!r}, "w") as log:
        forked = forks.start("import time; time.sleep(3600)", env=dict(os.environ), stdout=log)
    print(forked.pid, forks._process.pid, flush=True)
    sys.stdin.read()
    """
    with start(textwrap.dedent(code), env=environment(), fresh=True, **PIPES) as process:
        pids = list(map(int, process.stdout.readline().split()))
        process.kill()
    eventually(lambda: not any(map(_runs, pids)), "both have ended")


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_end_of_what_forks_is_the_end_of_all():
    """Once tests are over, what they left running is killed."""
    forks = Forks(PYTHON, [])
    forked = forks.start("import time; time.sleep(3600)", env=environment())
    forks.end()
    eventually(lambda: not _runs(forked.pid), "it has ended")
