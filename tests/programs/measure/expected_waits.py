"""How long calls wait for the quota, against what was said when they were put in.

``python -m tests.programs.measure.expected_waits``: a server process makes reads and writes of
several spreadsheets, more than the quota lets through. Before each call the snapshot is read; what
it expects of the call's lane, or of a spreadsheet that is not in use, is held against the time
until the call's first request reaches the emulator.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from limits import UNLIMITED
from processes import ServerProcess

import queued_gspread
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.emulator import Emulator, Quotas
from queued_gspread.monitor import look
from queued_gspread.settings import Settings

BOOKS, NEW_BOOKS = 6, 40
LATENCY = (0.05, 0.3)
# Of a call above which "at most" is exceeded.
TOLERATED = 1.05
_SEEN = re.compile(r"call-(\d+)!|!B(\d+)\b")
_THREADS = 120
_UNHURRIED = 10
_ROW = "{:<10} {:>5} {:>6} {:>8} {:>8} {:>8} {:>6} {:>8} {:>7} {:>7} {:>9}"
_HEAD = (
    *("way", "calls", "sent", "unknown", "waited", "longest"),
    *("over", "within", "worst", "median", "machine"),
)


@dataclass(frozen=True)
class Wait:
    """A call's wait.

    Attributes:
        number: The call's.
        at_most: What was expected; None if that was not known.
        why: Why it was not.
        put: When the call was put in.
        text: What was expected of, and what was seen then.
        book: The spreadsheet.
        has_lane: Whether its lane held calls.
        at_most_in_use: What was expected of a spreadsheet in use whose lane holds no calls.

    """

    number: int
    at_most: float | None
    why: str
    put: float
    text: str
    book: str
    has_lane: bool
    at_most_in_use: float | None = None


WAYS = {
    # Whether requests are merged, and of which kinds the calls are.
    "writes": (False, ("write",)),
    "alone": (False, ("read", "write")),
    "merged": (True, ("read", "write")),
}


def measure(calls, way, *, limit, window, seed=0):
    """Make the calls; return their waits, when each was sent, and what one costs without a wait."""
    drawn = random.Random(seed)
    merges, kinds = WAYS[way]
    with _stage(merges=merges, limit=limit, window=window) as (emulator, settings, books):
        http = queued_gspread.authorize(
            redis_url=settings.redis_url, namespace=settings.namespace
        ).http_client
        sheets = {book: _sheet(http, book) for book in books}
        for number in range(_UNHURRIED):
            _call(settings, sheets, books[BOOKS], number, kinds)
        # For as long, twice the quota comes in.
        seconds = calls * window / limit / len(kinds) / 2
        moments = sorted(drawn.uniform(0, seconds) for _ in range(calls))
        began = time.monotonic() + 1

        def call(number):
            pause = began + moments[number - _UNHURRIED] - time.monotonic()
            time.sleep(max(0.0, pause))
            return _call(settings, sheets, books[_place(random.Random(number))], number, kinds)

        with ThreadPoolExecutor(_THREADS) as pool:
            waits = list(pool.map(call, range(_UNHURRIED, _UNHURRIED + calls)))
        sent = _sent(emulator.ledger)
        waits = [
            replace(wait, at_most=wait.at_most_in_use)
            if _is_in_use(wait, emulator.ledger, window)
            else wait
            for wait in waits
        ]
        refused = sum(bool(one.refused_by) for one in emulator.ledger)
        assert refused == 0, f"{refused} requests were refused"
    return waits, sent


def _place(drawn):
    return drawn.randrange(BOOKS) if drawn.random() < 0.97 else drawn.randrange(BOOKS, NEW_BOOKS)


def _call(settings, sheets, book, number, kinds):
    """Look at the queue, make a call, and return what was expected of it."""
    kind = kinds[number % len(kinds)]
    found = look(settings)
    lane = next((each for each in found.lanes if each.lane == book), None)
    quota = next(each for each in found.quota if each.kind == kind)
    expected = quota.expected
    if lane is not None:
        expected = next(each for each in lane.expected if each.kind == kind)
    put = time.monotonic()
    if kind == "read":
        sheets[book].get(f"B{number + 1}")
    else:
        sheets[book].update([[f"call-{number}!"]], f"A{number % 900 + 1}")
    text = f"{kind}: {lane and (lane.calls, lane.state, lane.kind)} {shown(quota)}"
    return Wait(
        *(number, expected.at_most, expected.why, put, text, book, lane is not None),
        at_most_in_use=quota.expected_in_use.at_most,
    )


def _is_in_use(wait, ledger, window):
    """Return whether the call's spreadsheet was in use, though its lane held no calls."""
    since = wait.put - 2 * window
    used = (one for one in ledger if wait.book in one.path and since < one.arrived < wait.put)
    return not wait.has_lane and next(used, None) is not None


def shown(quota):
    """Return what was seen of a quota, in short."""
    return (
        f"{quota.kind}: held {quota.held} in the air {quota.in_the_air} of {quota.effective}, "
        f"{quota.waiting} wait, next {quota.next_slot}"
    )


def _sent(ledger):
    """Return when the request of each call arrived."""
    sent = {}
    for one in ledger:
        for written, read in _SEEN.findall(f"{one.path} {one.query} {one.body}"):
            number = int(written) if written else int(read) - 1
            sent.setdefault(number, one.arrived)
    return sent


def _sheet(http, book):
    grid = {"rowCount": 1000, "columnCount": 26}
    properties = {"sheetId": 0, "title": "Sheet1", "index": 0, "gridProperties": grid}
    return queued_gspread.Worksheet(None, properties, book, http)


@contextmanager
def _stage(*, merges, limit, window):
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(TemporaryRedis())
        emulator = stack.enter_context(Emulator(seed=1))
        key_file = folder / "service_account.json"
        emulator.write_service_account(key_file)
        books = [emulator.add_spreadsheet(f"Book {place}") for place in range(NEW_BOOKS)]
        emulator.latency = LATENCY
        emulator.quotas = Quotas(reads=limit, writes=limit, window=window)
        quota = {"reads_per_minute": limit, "writes_per_minute": limit, "quota_window": window}
        options = [
            f"--{name.replace('_', '-')}={value}" for name, value in (UNLIMITED | quota).items()
        ]
        where = ["--redis-url", redis.url, "--namespace", "waits"]
        account = ["--service-account", key_file, "--api-endpoint", emulator.url]
        more = [] if merges else ["--no-merge"]
        server = ServerProcess(folder / "log", *where, *account, *options, *more)
        stack.callback(server.end)
        server.until_log("working as")
        yield emulator, Settings(redis.url, "waits"), books


def row(name, waits, sent, *, verbose=False):
    """Return the table's line of one way, and whether no call waited for longer than it may."""
    pairs = [(wait, sent[wait.number] - wait.put) for wait in waits if wait.number in sent]
    known = [(wait, came) for wait, came in pairs if wait.at_most is not None]
    # What a call takes that waits for nothing: expected waits are about the quota alone.
    idle = [came for wait, came in known if wait.at_most == 0]
    machine = 2 * statistics.quantiles(idle, n=20)[-1] if len(idle) > 1 else 0.1
    late = [(came, wait) for wait, came in known if came > wait.at_most * TOLERATED + machine]
    ratios = [came / wait.at_most for wait, came in known if wait.at_most > 1]
    longest = max(came for _, came in pairs)
    within = 1 - len(late) / len(known)
    numbers = (
        *(len(waits), len(pairs), f"{1 - len(known) / len(pairs):.0%}"),
        *(sum(came > 1 for _, came in pairs), f"{longest:.1f} s", len(late), f"{within:.1%}"),
        *(f"{max(ratios):.2f}", f"{statistics.median(ratios):.2f}", f"{machine * 1000:.0f} ms"),
    )
    lines = [_ROW.format(name, *numbers)]
    for came, wait in sorted(late, key=lambda each: -each[0])[: 20 if verbose else 3]:
        lines.append(f"  over: {came:.2f} s, at most {wait.at_most:.2f} s; {wait.text}")
    if verbose:
        whys = [wait.why for wait, _ in pairs if wait.at_most is None]
        lines += [f"  unknown {whys.count(why):4}: {why}" for why in sorted(set(whys))]
    return lines, not late


def main(arguments=None):
    """Print the table."""
    options = _parser().parse_args(arguments)
    print(_ROW.format(*_HEAD), flush=True)
    is_kept = True
    for name in options.ways:
        found = measure(
            options.calls,
            name,
            limit=options.limit,
            window=options.window,
            seed=options.seed,
        )
        lines, is_within = row(name, *found, verbose=options.verbose)
        print(*lines, sep="\n", flush=True)
        is_kept = is_kept and is_within
    return 0 if is_kept else 1


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.measure.expected_waits", description=__doc__
    )
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--limit", type=int, default=30, help="reads and writes in a window")
    parser.add_argument("--window", type=float, default=4.0, help="in seconds (default 4)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true", help="what was late, and was not known")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    return parser


if __name__ == "__main__":
    sys.exit(main())
