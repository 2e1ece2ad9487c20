"""Drawn histories of callers with and without locks: blocks are whole in one order of all calls."""

from __future__ import annotations

import random
import threading
from contextlib import nullcontext

import pytest

import queued_gspread as gspread


class History:
    """Callers of one spreadsheet, what they appended, and what they saw before that.

    Attributes:
        blocks: The rows of each block, and how many rows it saw at its beginning.
        seen: How many rows each read without a lock saw.

    """

    def __init__(self, sheets, seed):
        self.blocks = []
        self.seen = []
        self._sheets = sheets
        self._seed = seed

    def run(self):
        threads = [
            threading.Thread(target=self._call, args=(number, sheet))
            for number, sheet in enumerate(self._sheets)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _call(self, number, sheet):
        draw = random.Random(f"{self._seed}-{number}")
        for turn in range(4):
            name = f"{number}-{turn}"
            if draw.random() < 0.6:
                self._block(draw, sheet, name)
            elif draw.random() < 0.5:
                self.seen.append(len(sheet.col_values(1)))
            else:
                sheet.append_row([name])

    def _block(self, draw, sheet, name):
        rows = [f"{name}-{place}" for place in range(draw.randint(1, 4))]
        with gspread.lock(sheet):
            before = len(sheet.col_values(1))
            with gspread.pipeline() if draw.random() < 0.5 else nullcontext():
                for row in rows:
                    sheet.append_row([row])
            assert len(sheet.col_values(1)) == before + len(rows)
        self.blocks.append((before, rows))


@pytest.mark.parametrize("seed", range(6))
def test_blocks_are_whole(ws, redis_url, namespace, seed):
    """A block sees all before it, no other call comes between its own, and none sees a part."""
    clients = [gspread.authorize(redis_url=redis_url, namespace=namespace) for _ in range(4)]
    sheets = [client.open_by_key(ws.spreadsheet_id).sheet1 for client in clients]
    history = History(sheets, seed)
    history.run()
    rows = ws.col_values(1)
    assert len(rows) == len(set(rows))
    for before, own in history.blocks:
        assert rows[before : before + len(own)] == own
        assert not [count for count in history.seen if before < count < before + len(own)]
