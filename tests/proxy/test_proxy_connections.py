"""How many connections to Redis are kept, and when they are closed."""

from __future__ import annotations

import copy
import gc
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from limits import UNLIMITED
from waiting import eventually

import queued_gspread
from queued_gspread.broker.connection import wire
from queued_gspread.broker.connection.client import connect
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.emulator import Emulator
from queued_gspread.server import Server

DESCRIPTORS = Path("/proc/self/fd")


@pytest.fixture
def connections(raw):
    """Return what counts the connections of the Redis, beyond those of before."""
    before = len(raw.client_list())
    return lambda: len(raw.client_list()) - before


def whole_way(key_file):
    """Test the whole way through a queue, as users do."""
    with TemporaryRedis() as own, Emulator() as google:
        google.write_service_account(key_file)
        with Server(service_account=key_file, api_endpoint=google.url, redis_url=own.url):
            sheet = queued_gspread.authorize(redis_url=own.url).create("Orders").sheet1
            sheet.append_row([1001, 59.9])
            assert sheet.get_all_values() == [["1001", "59.9"]]


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="the system does not tell its descriptors")
def test_tests_of_the_whole_way_leave_no_descriptors(tmp_path):
    """As many descriptors are open after several tests as after one."""
    counts = []
    for _ in range(5):
        whole_way(tmp_path / "key.json")
        gc.collect()
        counts.append(len(list(DESCRIPTORS.iterdir())))
    assert counts[-1] <= counts[0]


def test_the_last_client_closes_the_connections(emulator, redis_url, namespace, connections):
    """Once no object of a client is left, nothing of it is connected, collector or not."""
    google = emulator.gspread_client()
    gc.collect()
    gc.disable()
    try:
        before = connections()
        with Server(google, redis_url=redis_url, namespace=namespace, **UNLIMITED):
            own = queued_gspread.authorize(redis_url=redis_url, namespace=namespace)
            sheet = own.create("Book").sheet1
            sheet.append_row(["a"])
            with pytest.raises(queued_gspread.exceptions.GSpreadException):
                own.open("another")
        assert connections() > before
        del own
        assert connections() > before
        del sheet
        eventually(lambda: connections() == before)
    finally:
        gc.enable()


def test_many_threads_leave_few_connections(ws, connections, redis_url, namespace):
    """After many threads have called at a time, as many connections are kept as there may be."""
    with ThreadPoolExecutor(64) as pool:
        assert set(pool.map(lambda _: ws.acell("A1").value, range(256))) == {None}
    # The server has some as well.
    eventually(lambda: connections() < 2 * wire.MOST_IDLE)
    held = connect(redis_url, namespace).wire
    assert len(held.idle) <= wire.MOST_IDLE
    assert ws.acell("A1").value is None


def test_idle_connections_are_closed(ws, redis_url, namespace, monkeypatch):
    """Connections that nobody needs any more are closed by and by, as calls are made."""
    held = connect(redis_url, namespace).wire
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ws.acell("A1"), range(32)))
    kept = len(held.idle)
    monkeypatch.setattr(wire, "_LONGEST_IDLE", -1.0)
    for _ in range(kept + 1):
        ws.acell("A1")
    assert len(held.idle) <= 1


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_of_a_client_holds_the_connection(gc, copied, sh):
    """A copy works when the original is gone."""
    other = copied(sh)
    assert other.fetch_sheet_metadata()["spreadsheetId"] == sh.id


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_forked_child_leaves_its_parents_connections_alone(ws, redis_url, namespace):
    """A child that calls, and drops its clients, closes nothing that its parent still uses."""
    ws.update_acell("A1", "parent")
    held = connect(redis_url, namespace).wire
    (*_, line) = held.idle
    child = os.fork()
    if child == 0:
        ended = 1
        try:
            ws.update_acell("A2", "child")
            ws.client._self_caller._queue._link.let_go()
            ended = 0
        finally:
            os._exit(ended)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ws.get_values() == [["parent"], ["child"]]
    assert line.connection._sock is not None
