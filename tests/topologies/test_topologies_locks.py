"""Locks while another Redis becomes the master."""

from __future__ import annotations

import threading

import pytest
from topologies import Cluster, Sentinels, newest_redis
from waiting import PATIENCE, eventually

import queued_gspread as gspread
from queued_gspread.errors import QueuedGspreadError

CALLERS, MORE = 4, 5


class Counting:
    """Threads that add one to a cell under its lock, until they are stopped."""

    def __init__(self, sheets):
        self.made, self.failed = [], []
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._count, args=(each,)) for each in sheets]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _count(self, sheet):
        while not self._is_over.is_set():
            try:
                with gspread.lock(sheet, hold=2):
                    number = int(sheet.acell("A1").value) + 1
                    sheet.update_acell("A1", number)
            except QueuedGspreadError as error:
                self.failed.append(error)
            else:
                self.made.append(number)


@pytest.mark.parametrize("topology", ["Sentinels", "Cluster"])
def test_counting_through_a_failover(topology, namespace, emulator, start_server, client_of, tell):
    """No increment that was made under a lock is lost when the master is killed."""
    binary = newest_redis()
    with Sentinels(binary) if topology == "Sentinels" else Cluster(binary, namespace) as group:
        start_server(group.url)
        sheet = client_of(group.url).create("Counted").sheet1
        sheet.update_acell("A1", 0)
        sheets = [
            client_of(group.url, timeout=PATIENCE).open_by_key(sheet.spreadsheet_id).sheet1
            for _ in range(CALLERS)
        ]
        with Counting(sheets) as counting:
            eventually(lambda: len(counting.made) > MORE)
            group.fail_over()
            after = len(counting.made)
            eventually(lambda: len(counting.made) > after + MORE)
        value = int(sheet.acell("A1").value)
        assert group.has_failed_over
    assert len(set(counting.made)) == len(counting.made)
    assert len(counting.made) <= value <= len(counting.made) + len(counting.failed)
    tell(f"{topology}: {len(counting.made)} increments, {len(counting.failed)} told to have failed")
