"""How many functions of the server run for a call.

``python -m tests.programs.measure.function_calls``: a server in this process, whose gspread client
answers from memory, is called with one ``update_acell`` after the other. Of each call it counts the
functions of ``queued_gspread.server`` that begin, or go on, in the server's threads; how many of
these are entered from another module; and how many modules they are in.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
from collections import Counter

from queued_gspread import authorize
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.server import Server
from tests.programs.benchmarks.instant import instant_client

_PACKAGE = "queued_gspread.server"
# The others have nothing to do with a call: they beat, and keep the token fresh.
_THREADS = ("lane", "valve")
_WARM_UP = 20
_NAMESPACE = "function-calls"


class Counting:
    """Counts the functions of a package that begin in threads that start from now on."""

    def __init__(self, package):
        self._package = package
        self.functions = Counter()
        self.crossings = 0

    def clear(self):
        """Begin anew."""
        self.functions.clear()
        self.crossings = 0

    def __call__(self, frame, event, _):
        """Note an event: the profile function of a thread."""
        module = frame.f_globals.get("__name__", "")
        if event != "call" or not module.startswith(self._package):
            return
        if not threading.current_thread().name.startswith(_THREADS):
            return
        self.functions[module, frame.f_code.co_name] += 1
        caller = frame.f_back
        # There and back.
        self.crossings += 2 * (caller is None or caller.f_globals.get("__name__") != module)


def count(calls, *, quota, package):
    """Yield of each call the functions by name, and how many crossings there were."""
    counting = Counting(package)
    limits = dict.fromkeys(("reads_per_minute", "writes_per_minute"), 1_000_000 if quota else 0)
    limits |= {f"project_{name}": 0 for name in list(limits)}
    with TemporaryRedis() as redis:
        where = {"redis_url": redis.url, "namespace": _NAMESPACE}
        threading.setprofile(counting)
        server = Server(instant_client(), **where, **limits).start()
        try:
            sheet = authorize(**where).open_by_key("book").sheet1
            for number in range(_WARM_UP + calls):
                _settle(counting)
                counting.clear()
                sheet.update_acell("A1", "text")
                _settle(counting)
                if number >= _WARM_UP:
                    yield Counter(counting.functions), counting.crossings
        finally:
            threading.setprofile(None)
            server.stop()


def _settle(counting):
    """Wait until the server rests: what follows an answer belongs to its call."""
    before, rest = -1, threading.Event()
    while before != (before := counting.functions.total()):
        rest.wait(0.02)


def main(arguments=None):
    """Print the medians."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.measure.function_calls", description=__doc__
    )
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--quota", action="store_true", help="with a limit that is never reached")
    parser.add_argument("--names", action="store_true", help="print each function of the last call")
    parser.add_argument("--package", default=_PACKAGE, help="whose functions are counted")
    options = parser.parse_args(arguments)
    found = list(count(options.calls, quota=options.quota, package=options.package))
    functions = statistics.median(named.total() for named, _ in found)
    crossings = statistics.median(crossings for _, crossings in found)
    modules = statistics.median(len({module for module, _ in named}) for named, _ in found)
    print(f"{functions:g} function calls, {crossings:g} crossings between {modules:g} modules")
    if options.names:
        for (module, name), times in sorted(found[-1][0].items(), key=lambda each: -each[1]):
            print(f"{times:4} {module}.{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
