"""What a measurement runs on: a Redis, an emulator with a quota, a server process."""

from __future__ import annotations

import signal
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from limits import UNLIMITED
from processes import ServerProcess

from queued_gspread.embedded import TemporaryRedis
from queued_gspread.emulator import Emulator, Quotas

from .crew import Crew
from .loads import CELLS, KEPT, ROWS, kept_rows, there
from .ways import WAYS, Places

LIMIT = 60
# Seconds in which appends that overlap overwrite each other.
RACE = 0.02
_NAMESPACE = "measure"
_LIMITS = {"reads_per_minute": LIMIT, "writes_per_minute": LIMIT}


@dataclass(frozen=True)
class Measured:
    """What came of a load in one way.

    Attributes:
        requests: How many reached the emulator, refused ones included.
        refused: How many of them the quota refused.
        seconds: Until the last call had ended.
        right: How many calls returned what they had to.
        failed: How many raised.
        there: How many of the rows and cells are in the sheet afterwards.
        is_whole: Whether all calls ended before the cap.

    """

    requests: int
    refused: int
    seconds: float
    right: int
    failed: int
    there: int
    is_whole: bool


def measure(load, way, *, window, cap):
    """Make the calls of a load in one way; return what came of them."""
    with _stage() as (emulator, places, servers):
        crew = Crew(load, way, places)
        servers.work(way, UNLIMITED)

        def before():
            # What has opened the sheets holds no slots now.
            servers.work(way, {**UNLIMITED, **_LIMITS, "quota_window": window})
            emulator.clear_ledger()
            emulator.append_race = RACE
            emulator.quotas = Quotas(reads=LIMIT, writes=LIMIT, window=window)

        seconds, is_whole = crew.call(before, cap)
        served = emulator.ledger
        emulator.quotas = Quotas()
        right, failed = crew.counts
        found = there(emulator.gspread_client().open_by_key(places.book))
    refused = sum(bool(one.refused_by) for one in served)
    return Measured(len(served), refused, seconds, right, failed, found, is_whole)


class _Servers:
    """The server processes on a stage, of which one works at a time."""

    def __init__(self, folder, places):
        self._folder = folder
        self._places = places
        self._process = None
        self._number = 0

    def work(self, way, limits):
        """Have a new one work, if the way needs one."""
        options = WAYS[way].options
        if options is None:
            return
        self.end()
        places, self._number = self._places, self._number + 1
        where = ["--redis-url", places.redis_url, "--namespace", places.namespace]
        account = ["--service-account", places.key_file, "--api-endpoint", places.emulator]
        given = [f"--{name.replace('_', '-')}={value}" for name, value in limits.items()]
        log = self._folder / f"server-{self._number}.log"
        self._process = ServerProcess(log, *where, *account, *given, *options)
        self._process.until_log("working as")

    def end(self):
        """End the one that works."""
        if self._process is not None:
            self._process.signal(signal.SIGTERM)
            self._process.exit_status()


@contextmanager
def _stage():
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(TemporaryRedis())
        emulator = stack.enter_context(Emulator(seed=1))
        key_file = folder / "service_account.json"
        emulator.write_service_account(key_file)
        book = _new_book(emulator)
        places = Places(redis.url, _NAMESPACE, emulator.url, str(key_file), book)
        servers = _Servers(folder, places)
        stack.callback(servers.end)
        yield emulator, places, servers


def _new_book(emulator):
    book = emulator.gspread_client().create("Measured")
    for title in (ROWS, CELLS, KEPT):
        book.add_worksheet(title, 1000, 26)
    book.worksheet(KEPT).update(kept_rows(), "A1")
    return book.id
