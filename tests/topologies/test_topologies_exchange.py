"""What becomes of appends that wait in line while a master is exchanged that goes on living.

Until the old master has stepped down there are two, and each has some of the calls.
"""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from limits import UNLIMITED
from masters import CUT, FAILOVER, PAUSE, ChangingCluster, ChangingSentinels
from processes import ServerProcess
from redis.crc import key_slot
from topologies import newest_redis
from waiting import eventually

import queued_gspread
from queued_gspread import errors
from queued_gspread.broker.keys import Keys

LOCAL, REPLICATED = "local", "replicated"
LATENCY = 0.08
SOME = 10


def slot_of(namespace):
    return key_slot(Keys(namespace).server.encode())


def neighbour_of(namespace):
    """Return a namespace that is at the same node of a Cluster."""
    others = (f"exchange-{number}" for number in itertools.count())
    return next(other for other in others if abs(slot_of(other) - slot_of(namespace)) < 1000)


# Both go through the same exchange of one master, each with a server and callers of its own.
NAMESPACES = {LOCAL: "exchange", REPLICATED: neighbour_of("exchange")}


@pytest.fixture(scope="module")
def sentinels():
    with ChangingSentinels(newest_redis(), is_hasty=True) as group:
        yield group


@pytest.fixture(scope="module")
def cluster():
    with ChangingCluster(newest_redis(), NAMESPACES[LOCAL]) as group:
        yield group


@pytest.fixture(params=["sentinels", "cluster"])
def group(request):
    """Return a master and what takes its place, in each topology."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def sheets(group, emulator, key_file, tmp_path):
    """Return a sheet for each durability, behind a server process that has it."""
    processes = {
        durability: ServerProcess(
            tmp_path / f"{durability}.log",
            *(f"--{name.replace('_', '-')}={limit}" for name, limit in UNLIMITED.items()),
            *("--redis-url", group.url, "--namespace", namespace, "--lease", "1"),
            *("--service-account", key_file, "--api-endpoint", emulator.url),
            *("--durability", durability, "--no-merge"),
        )
        for durability, namespace in NAMESPACES.items()
    }
    try:
        for process in processes.values():
            process.until_log("working as")
        yield {
            durability: queued_gspread.authorize(redis_url=group.url, namespace=namespace)
            .create("Book")
            .sheet1
            for durability, namespace in NAMESPACES.items()
        }
    finally:
        emulator.latency = 0.0
        for process in processes.values():
            process.end()


@pytest.fixture
def exchange(group, sheets, emulator, workers, tell):
    """Return what exchanges the master, in a way, under appends; and checks what came of them.

    Nothing that was answered is missing, or there twice. What was not may be there twice, where
    no replica had to have its intent.
    """

    def until_more():
        before = appended(emulator, sheets)

        def have_come():
            now = appended(emulator, sheets)
            return all(now[name] >= before[name] + SOME for name in before)

        eventually(have_come, "rows are appended to each sheet")

    def exchange(how):
        acquire_args = [
            (NAMESPACES[name], [sheet.spreadsheet_id]) for name, sheet in sheets.items()
        ]
        workers.prepare_each(group.url, acquire_args, calls=None, threads=4)
        emulator.latency = LATENCY
        workers.begin()
        until_more()
        group.strike(how)
        group.put_right(how)
        group.until_whole()
        until_more()
        workers.stop()
        results, _ = workers.results()
        eventually(lambda: is_empty(group), "the queues are empty")
        emulator.latency = 0.0
        told = {row: outcome for row, outcome, _ in results}
        assert set(told.values()) <= {"ok", *errors.__all__}
        written = {name: Counter(sheet.col_values(1)) for name, sheet in sheets.items()}
        doubled = {name: doubled_of(rows, told) for name, rows in written.items()}
        fates = dict(Counter(told.values()))
        tell(f"{how} by {type(group).__name__}: {fates}, told of what is there twice: {doubled}")
        assert {row for row in told if told[row] == "ok"} <= set().union(*written.values())
        assert not doubled[REPLICATED]
        assert "ok" not in doubled[LOCAL]

    return exchange


def appended(emulator, sheets):
    """Return how many appends have come for each of the sheets."""
    paths = [served.path for served in emulator.ledger if served.path.endswith(":append")]
    found = Counter(path.split("/")[-3] for path in paths)
    return {name: found[sheet.spreadsheet_id] for name, sheet in sheets.items()}


def is_empty(group):
    with group.client_of_master() as client:
        return not any(client.exists(Keys(name).active) for name in NAMESPACES.values())


def doubled_of(rows, told):
    """Return what callers were told of rows that are there twice, and how often each."""
    return dict(Counter(told[row] for row, count in rows.items() if count > 1))


def test_a_master_that_is_exchanged(exchange):
    """A failover that is asked for loses nothing that was answered, and doubles nothing of it."""
    exchange(FAILOVER)


def test_a_master_that_is_paused(exchange):
    """The same holds of a master that is paused, and wakes up when another one has taken over."""
    exchange(PAUSE)


def test_a_master_that_is_cut_off(exchange):
    """The same holds of one that servers and callers alone can reach, until the others can."""
    exchange(CUT)
