"""``python -m tests.programs.chaos.takeover``: how soon a standby answers."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import queued_gspread
from queued_gspread.emulator import Emulator

from .plan import NAMESPACE
from .victims import Redis, Server


def main(arguments=None):
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("SIGKILL", "SIGTERM"):
            seconds = list(takeovers(name, options.lease, options.runs, Path(folder)))
            print(shown(name, options.lease, seconds), flush=True)
    return 0


def takeovers(name, lease, runs, folder):
    """End the server that works, again and again; yield the seconds until the other answers."""
    with ExitStack() as stack:
        emulator = stack.enter_context(Emulator(seed=1))
        redis = Redis()
        stack.callback(redis.end)
        key_file = folder / "service_account.json"
        emulator.write_service_account(key_file)
        where = (folder, redis.url, (key_file,), emulator.url, lease)
        works = _server(f"{name}-one", where, stack)
        works.until_it_works()
        stands_by = _server(f"{name}-two", where, stack)
        sheet = _sheet(redis.url)
        for _ in range(runs):
            stands_by.until_it_stands_by()
            yield _takeover(works, name, sheet)
            works.wait()
            works.start()
            works, stands_by = stands_by, works


def shown(name, lease, seconds):
    """Return the line that tells of the takeovers after a signal."""
    median, longest = statistics.median(seconds), max(seconds)
    return (
        f"{name}, lease {lease:g} s, {len(seconds)} runs: median {median:.2f} s "
        f"({median / lease:.2f} leases), maximum {longest:.2f} s ({longest / lease:.2f} leases)"
    )


def _server(name, where, stack):
    server = Server(name, *where)
    stack.callback(server.end)
    return server


def _sheet(url):
    client = queued_gspread.authorize(redis_url=url, namespace=NAMESPACE)
    return client.create("Book").sheet1


def _takeover(server, name, sheet):
    """End a server; return the seconds until a call that was made then is answered."""
    began = time.monotonic()
    server.signal(name)
    sheet.acell("A1")
    return time.monotonic() - began


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.chaos.takeover", description=__doc__
    )
    parser.add_argument("--runs", type=int, default=10, help="for each signal (default 10)")
    parser.add_argument("--lease", type=float, default=5.0, help="seconds (default 5)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
