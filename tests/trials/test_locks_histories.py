"""Drawn histories of callers with locks, keys and upserts: blocks are whole in one order."""

from __future__ import annotations

import random
import threading
from contextlib import nullcontext

import pytest
import redis

import queued_gspread as gspread
from queued_gspread.broker.keys import Keys
from queued_gspread.errors import KeyExistsError
from queued_gspread.proxy import locking
from queued_gspread.server.lanes import lane
from tests.programs.locks.__main__ import main, shown
from tests.programs.locks.model import ANY, LOST, Book, Step
from tests.programs.locks.serial import Made, is_serial
from tests.programs.locks.world import world

HISTORIES = 30


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


# Against every serial order ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(redis_url):
    """Return where histories of locks, keys, upserts and plain calls are made."""
    with world(redis_url) as made:
        yield made


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_a_history_has_a_serial_order(place, seed):
    """Results, errors and sheets are those of some order of all calls in which blocks are whole.

    ``python -m tests.programs.locks --histories 2000`` looks at more.
    """
    made, is_serial = place.history(seed)
    assert is_serial, "\n".join(map(shown, made))


def test_the_program_tells_what_it_looked_at(capsys):
    """The program says how many histories it made, and that each has a serial order."""
    assert main(["--histories", "2", "--seed", "7"]) == 0
    assert "2 histories, 0 have no serial order" in capsys.readouterr().out


def not_taken(monkeypatch, _):
    def block(_):
        return locking.Block(locking.Held({}, locking.here()), ())

    monkeypatch.setattr(locking.Lock, "_new_block", block)


def ignored_by_the_lane(monkeypatch, redis_url):
    """Let a lane go on behind the job that has its lock."""
    keys, let_in = Keys("histories"), lane.let_lock_in

    def let_in_and_on(queue, admission, runner, tables, entry):
        outcome = yield from let_in(queue, admission, runner, tables, entry)
        with redis.Redis.from_url(redis_url) as raw:
            ready = keys.ready_under(queue.epoch)
            places = keys.lane(entry.lane), keys.active, ready, keys.progress
            raw.eval(GO_ON, len(places), *places, entry.stream_id, entry.lane, entry.job_id)
        return outcome

    monkeypatch.setattr(lane, "let_lock_in", let_in_and_on)


# Takes a job that has its lock out of its lane, which goes on.
GO_ON = """
if redis.call('HGET', KEYS[4], ARGV[3]) ~= 'l' then
  return
end
redis.call('XDEL', KEYS[1], ARGV[1])
if redis.call('XLEN', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[1])
  redis.call('SREM', KEYS[2], ARGV[2])
else
  redis.call('RPUSH', KEYS[3], ARGV[2])
end
"""


def upserts_in_two_calls(monkeypatch, _):
    def upsert_rows(table, rows, *, key, existing):
        keys = table.col_values(1)
        done = gspread.Upserted([], [], [], [])
        for row in rows:
            if row[key] not in keys:
                answer = table.append_row([*row.values()])
                done.appended.append(int(answer["updates"]["updatedRange"].rpartition("B")[2]))
            elif existing == "fail":
                raise KeyExistsError(row[key])
            else:
                place = keys.index(row[key]) + 1
                getattr(done, {"keep": "kept", "update": "updated"}[existing]).append(place)
                if existing == "update":
                    table.update([[*row.values()]], f"A{place}:B{place}")
        return done

    monkeypatch.setattr(gspread, "upsert_rows", upsert_rows)


def without_keys(monkeypatch, _):
    monkeypatch.setattr(gspread, "idempotency_key", lambda _: nullcontext())


@pytest.mark.parametrize(
    "fault", [not_taken, ignored_by_the_lane, upserts_in_two_calls, without_keys]
)
def test_a_fault_is_found(place, fault, monkeypatch, redis_url):
    """No order fits where locks or keys are not taken or are ignored, or upserts are two calls."""
    fault(monkeypatch, redis_url)
    assert not all(place.history(seed)[1] for seed in range(500))


def made_of(caller, began, ended, *steps):
    return Made(caller, began, ended, [(Step(0, what, args), came) for what, args, came in steps])


def increment(caller, began, ended, seen):
    number = int(seen or 0) + 1
    return made_of(caller, began, ended, ("cell", (), seen), ("write", (number,), None))


@pytest.mark.parametrize(
    ("units", "cell", "fits"),
    [
        ([increment("a", 0, 3, None), increment("b", 1, 4, "1")], "2", True),
        ([increment("a", 0, 3, "1"), increment("b", 1, 4, None)], "2", True),
        ([increment("a", 0, 3, None), increment("b", 1, 4, None)], "1", False),
        ([increment("a", 0, 3, "1"), increment("b", 4, 5, None)], "2", False),
        ([increment("a", 0, 9, "1"), increment("a", 1, 9, None)], "2", False),
        ([increment("a", 0, 3, None)], "2", False),
        ([made_of("a", 0, 1, ("cell", (), LOST))], None, False),
        ([made_of("a", 0, 1, ("write", (1,), ANY))], "1", True),
        ([made_of("a", 0, 1, ("write", (1,), ANY))], None, False),
    ],
)
def test_what_has_a_serial_order(units, cell, fits):
    """Each unit sees those before it in one order, which keeps to time and to each caller's own."""
    assert is_serial(units, (Book(),), (Book(cell),)) == fits


def test_what_is_lost_with_a_lock_has_no_effect():
    """Where a lock may be lost, calls that say so, or say nothing, may not have been made."""
    said = made_of("a", 0, 1, ("write", (1,), None), ("write", (2,), LOST))
    left = made_of("b", 0, 9, ("write", (3,), ANY))
    for cell, fits in (("1", True), ("3", True), ("2", False)):
        assert is_serial([said, left], (Book(),), (Book(cell),), may_lose=True) == fits
