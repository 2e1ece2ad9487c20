"""Many processes and threads on one queue."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
from collections import Counter

import pytest
import redis as redis_py

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
    environment = {"QUEUED_GSPREAD_REDIS_URL": redis_url, "QUEUED_GSPREAD_NAMESPACE": namespace}
    command = [sys.executable, "-c", SCRIPT.format(module="queued_gspread"), str(key_file)]
    processes = [
        subprocess.Popen([*command, f"p{number}", sheet.title], env=environment)
        for number in range(20)
    ]
    assert [process.wait() for process in processes] == [0] * 20
    rows = Counter((row[0], row[1]) for row in sheet.sheet1.get_all_values())
    assert rows == {(f"p{p}", str(number)): 1 for p in range(20) for number in range(10)}


def test_nothing_is_left_in_redis(gc, ws, redis_url, namespace):
    """After a run the queue holds its own few keys, and none of a call or a lane."""
    append(ws, "w", 5)
    left = redis_py.Redis.from_url(redis_url).keys(f"queued-gspread:{{{namespace}}}:*")
    assert {key.decode().rpartition(":")[2] for key in left} == {"recent", "server"}
