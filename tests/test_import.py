"""What an import of the package brings in, which is what it costs."""

from __future__ import annotations

import json
import subprocess
import sys

_SHOW = "import json, sys; print(json.dumps(sorted(sys.modules)))"
_FIRST_CLIENT = "queued_gspread.authorize(redis_url='redis://127.0.0.1:1')"
LATER = {"broker", "call", "cli", "codec", "embedded", "emulator", "job", "server", "signing"}


def _modules_after(code):
    """Return the modules that a fresh interpreter has after some code."""
    command = [sys.executable, "-c", f"{code}; {_SHOW}"]
    return set(json.loads(subprocess.check_output(command, text=True)))


def _parts(modules):
    return {name.split(".")[1] for name in modules if name.startswith("queued_gspread.")}


def test_an_import_brings_nothing_but_gspread():
    """Importing the package imports nothing foreign that gspread does not import."""
    needed = _modules_after("import gspread")
    brought = _modules_after("import queued_gspread") - needed
    assert {name for name in brought if name.split(".")[0] != "queued_gspread"} == set()


def test_an_import_leaves_redis_and_the_queue_to_the_first_client():
    """Redis, the codec and the queue are imported with the first client, the server never."""
    assert not _parts(_modules_after("import queued_gspread")) & LATER
    after = _modules_after(f"import queued_gspread; {_FIRST_CLIENT}")
    assert _parts(after) & LATER == {"broker", "call", "codec", "job", "signing"}
    assert "redis" in after
