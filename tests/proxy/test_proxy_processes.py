"""Many processes and threads on one queue."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
from collections import Counter

import pytest
import redis as redis_py
from processes import environment, start
from waiting import PATIENCE, eventually

from queued_gspread.broker.keys import Keys

METHODS = [
    method for method in ("fork", "spawn") if method in multiprocessing.get_all_start_methods()
]


def append(worksheet, worker, rows):
    for number in range(rows):
        worksheet.append_row([worker, number])


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("method", METHODS)
def test_worksheets_are_handed_to_worker_processes(ws, method):
    """Eight processes append through one worksheet that was handed to them: no row is lost."""
    context = multiprocessing.get_context(method)
    workers = [context.Process(target=append, args=(ws, worker, 10)) for worker in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 8
    rows = Counter(tuple(row) for row in ws.get_all_values())
    assert rows == {(str(worker), str(number)): 1 for worker in range(8) for number in range(10)}


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.skipif("fork" not in METHODS, reason="this platform cannot fork")
def test_a_client_works_on_both_sides_of_a_fork(ws):
    """A client that was used before a fork, and is in use while it happens, works in the child."""
    stop = threading.Event()

    def keep_calling():
        while not stop.is_set():
            ws.acell("A1")

    threads = [threading.Thread(target=keep_calling) for _ in range(3)]
    for thread in threads:
        thread.start()
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=append, args=(ws, child, 5)) for child in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    stop.set()
    for thread in threads:
        thread.join()
    assert [child.exitcode for child in children] == [0] * 4
    assert len(ws.get_all_values()) == 20


FORKING = """
import os, sys
from pathlib import Path
import queued_gspread as gspread
from queued_gspread.embedded import TemporaryRedis
from queued_gspread.emulator import Emulator
from queued_gspread.emulator.stand_in import standing_in
from queued_gspread.server import Server

def forked():
    child = os.fork()
    if not child:
        return True
    assert os.waitpid(child, 0)[1] == 0
    return False

spare = TemporaryRedis()
with Emulator(state=sys.argv[1]) as google, standing_in(google), TemporaryRedis() as redis:
    server = Server(google.gspread_client(), redis_url=redis.url)
    with server:
        sheet = gspread.authorize(redis_url=redis.url).create("A sheet").sheet1
        if forked():
            pid = redis.pid
            for end in (server.request_stop, server.stop, google.reset, google.stop):
                end()
            for end in (redis.stop, redis.kill, redis.restart, redis.close):
                end()
            redis.start()
            assert redis.pid == pid
            spare.start()
            sheet.append_row(["child"])
            sys.exit(0)
        sheet.append_row(["parent"])
        print(server.is_running, google.is_running, redis.directory.is_dir(), spare.pid)
        print(sheet.get_all_values(), Path(os.environ["GOOGLE_APPLICATION_CREDENTIALS"]).is_file())
    assert not server.is_running
    directory = redis.directory
assert not directory.exists() and not google.is_running and Path(sys.argv[1]).stat().st_size
"""


@pytest.mark.skipif("fork" not in METHODS, reason="this platform cannot fork")
def test_a_forked_child_ends_nothing_of_its_parents(tmp_path):
    """A child that leaves the blocks of its parent stops no server and removes no folder."""
    command = [sys.executable, "-c", FORKING, str(tmp_path / "state.json")]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=PATIENCE, env=environment()
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["True True True None", "[['child'], ['parent']] True"]


FIRST_CALLS = """
import copy, pickle, signal, sys
import redis
import queued_gspread as gspread
from queued_gspread.errors import BrokerUnavailableError, CallTimeoutError

loaded = set(sys.modules)
url, namespace = sys.argv[1:]

def fails(error, call, *args):
    try:
        call(*args)
    except error:
        return
    raise AssertionError(error)

def interrupt(*_):
    raise KeyboardInterrupt

for kind in ("redis", "rediss", "redis+sentinel", "redis+cluster", "unix"):
    rest = "/nowhere" if kind == "unix" else "localhost:1" + "/main" * kind.endswith("sentinel")
    unreachable = gspread.authorize(redis_url=f"{kind}://{rest}", timeout=0.1)
    fails(BrokerUnavailableError, unreachable.openall)
client = gspread.authorize(redis_url=url, namespace=namespace)
sheet = client.create("First").sheet1
sheet.append_row(["a", 1, None, 1.5])
fails(gspread.SpreadsheetNotFound, client.open_by_key, "nothing")
fails(gspread.exceptions.APIError, sheet.get, "no range!")
redis.Redis.from_url(url).client_kill_filter(_type="normal")
copy.deepcopy(pickle.loads(pickle.dumps(sheet))).batch_get(label for label in ["A1"])
unserved = {"redis_url": url, "namespace": namespace + "-unserved"}
fails(CallTimeoutError, gspread.authorize(**unserved, timeout=0.01).openall)
signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.2)
fails(KeyboardInterrupt, gspread.authorize(**unserved).openall)
gspread.api_key("a-key")
gspread.oauth("nowhere")
print(sorted(set(sys.modules) - loaded))
"""


def test_a_first_call_imports_nothing(server, redis_url, namespace):
    """Whatever a client and its first calls need is there: a fork meets no import under way."""
    command = [sys.executable, "-c", FIRST_CALLS, redis_url, namespace]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=PATIENCE, env=environment()
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


SCRIPT = """
import sys
import {module} as gspread

client = gspread.service_account(sys.argv[1])
sheet = client.open(sys.argv[3]).sheet1
for number in range(10):
    sheet.append_row([sys.argv[2], number, "=1+1", True, 1.5])
rows = [row for row in sheet.get_all_values() if row[0] == sys.argv[2]]
assert [row[1] for row in rows] == [str(number) for number in range(10)], rows
"""


def test_a_script_with_its_import_changed_works_from_twenty_processes(
    gc, key_file, redis_url, namespace
):
    """Twenty processes run an ordinary script with only its import changed: no row is lost."""
    sheet = gc.create(f"Twenty {namespace}")
    where = environment(REDIS_URL=redis_url, NAMESPACE=namespace)
    script = SCRIPT.format(module="queued_gspread"), key_file
    processes = [start(*script, f"p{number}", sheet.title, env=where) for number in range(20)]
    assert [process.wait() for process in processes] == [0] * 20
    rows = Counter((row[0], row[1]) for row in sheet.sheet1.get_all_values())
    assert rows == {(f"p{p}", str(number)): 1 for p in range(20) for number in range(10)}


def test_nothing_is_left_in_redis(gc, ws, redis_url, namespace):
    """After a run the queue holds its own few keys, and none of a call or a lane.

    What servers publish is bounded: their cards, work, resources, counts, callers and history, and no
    more.
    """
    append(ws, "w", 5)
    raw = redis_py.Redis.from_url(redis_url, decode_responses=True)
    eventually(lambda: raw.exists(Keys(namespace).published))
    left = raw.keys(f"queued-gspread:{{{namespace}}}:*")
    assert {key.rpartition(":")[2] for key in left} == {
        *("dedup", "server", "formats", "account", "published"),
    }
    parts = {name.partition(":")[0] for name in raw.hkeys(Keys(namespace).published)}
    assert parts <= {"server", "work", "resources", "total", "caller", "10", "300"}
