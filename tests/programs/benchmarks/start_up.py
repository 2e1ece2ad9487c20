"""What it costs to begin: the import, and a server until its first answer."""

from __future__ import annotations

import subprocess
import sys
import time

from processes import environment

from .emulated import Emulated
from .figures import median
from .row import Comparison, Row

GROUP = "start-up"
_IMPORTS = {
    "gspread": "import gspread",
    "gspread, redis": "import gspread, redis",
    "queued_gspread": "import queued_gspread",
}
_TIMED = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"


def run(place):
    figures = {
        name: {"import_ms": 1000 * median(seconds)} for name, seconds in _imports(place).items()
    }
    for name, of_name in figures.items():
        yield Row(GROUP, name, of_name)
    seconds = median(_first_answers(place))
    yield Row(GROUP, "server until its first answer", {"answer_ms": 1000 * seconds})
    ours, theirs, needed = (
        figures[name]["import_ms"] for name in ("queued_gspread", "gspread", "gspread, redis")
    )
    yield Comparison(GROUP, "queued_gspread / gspread", "ms", ours, theirs, 2.0)
    yield Comparison(GROUP, "queued_gspread / gspread, redis", "ms", ours, needed)


def _imports(place):
    """Return the seconds of each import in fresh processes; the imports alternate."""
    found = {name: [] for name in _IMPORTS}
    for turn in range(place.size.starts + 1):
        for name, code in _IMPORTS.items():
            command = [sys.executable, "-c", _TIMED.format(code)]
            said = subprocess.check_output(command, text=True, env=environment())
            if turn:  # the first compiles
                found[name].append(float(said))
    return found


def _first_answers(place):
    """Return the seconds from a server's start to the answer of a call that waits for it."""
    found = []
    with Emulated(place) as google:
        owner, caller = google.user("direct"), google.user("queued")
        key = owner.ask(do="create", title="waiting")
        for _ in range(place.size.starts):
            caller.until_ready().tell(do="open", key=key)
            began = time.monotonic()
            server = google.server()
            found.append(caller.answer() - began)
            # In good order, so that the next one need not wait for the lease to run out.
            server.process.terminate()
            server.exit_status()
    return found
