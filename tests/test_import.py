"""What an import of the package brings in, which is what it costs."""

from __future__ import annotations

import json
import subprocess
import sys

_SHOW = "import json, sys; print(json.dumps(sorted(sys.modules)))"
PARTS = {"broker", "cli", "embedded", "emulator", "protocol", "proxy", "server", "testing"}


def _modules_after(code):
    """Return the modules that a fresh interpreter has after some code."""
    command = [sys.executable, "-c", f"{code}; {_SHOW}"]
    return set(json.loads(subprocess.check_output(command, text=True)))


def _parts(modules):
    return {name.split(".")[1] for name in modules if name.startswith("queued_gspread.")}


def test_an_import_brings_what_a_client_needs():
    """Importing the package brings gspread, redis-py, the codec and the queue, and nothing else."""
    needed = _modules_after("import gspread, redis")
    brought = _modules_after("import queued_gspread")
    foreign = {name.split(".")[0] for name in brought - needed} - set(sys.stdlib_module_names)
    assert foreign <= {"queued_gspread", "hiredis"}
    assert _parts(brought) & PARTS == {"broker", "protocol", "proxy"}


def test_a_first_client_brings_nothing_more():
    """With the first client nothing is imported any more."""
    first = "queued_gspread.authorize(redis_url='redis://127.0.0.1:1')"
    assert _modules_after(f"import queued_gspread; {first}") == _modules_after(
        "import queued_gspread"
    )
