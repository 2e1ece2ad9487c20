"""Locks: a spreadsheet for one caller alone."""

from __future__ import annotations

import threading

import pytest
import redis
from waiting import PATIENCE, eventually

import queued_gspread as gspread
from queued_gspread.broker import Producer
from queued_gspread.broker.keys import Keys
from queued_gspread.settings import Settings


@pytest.fixture
def raw(redis_url):
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def queue(redis_url, namespace):
    """Return the queue as an operator sees it."""
    return Producer(Settings(redis_url=redis_url, namespace=namespace))


@pytest.fixture
def other(redis_url, namespace, sh):
    """Return the worksheet as another caller's client has it."""
    client = gspread.authorize(redis_url=redis_url, namespace=namespace)
    return client.open_by_key(sh.id).sheet1


def test_the_holder_works_and_the_others_wait(ws, other, background, raw, namespace):
    """In the block the holder's calls are made; others' wait, reads too, and go on after it."""
    with gspread.lock(ws):
        ws.update_acell("A1", "mine")
        theirs = background(other.acell, "A1")
        eventually(lambda: raw.xlen(Keys(namespace).lane(ws.spreadsheet_id)) == 2)
        assert ws.acell("A1").value == "mine"
        ws.update_acell("A1", "still mine")
        assert not theirs.done()
    assert theirs.result(PATIENCE).value == "still mine"


def test_nothing_is_left_of_a_lock(ws, raw, namespace):
    """After a block neither the lock nor its lanes are in Redis."""
    with gspread.lock(ws):
        ws.update_acell("A1", "mine")
    ws.acell("A1")
    keys = Keys(namespace)
    assert raw.keys(keys.lane("*")) == []
    assert not raw.exists(keys.locks, keys.active, keys.progress, keys.deliveries, keys.depth)


def test_increments_under_a_lock_are_all_there(ws, redis_url, namespace):
    """Threads that read, add one and write under a lock leave the sum."""
    ws.update_acell("A1", 0)

    def work():
        for _ in range(5):
            with gspread.lock(ws):
                ws.update_acell("A1", int(ws.acell("A1").value) + 1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ws.acell("A1").value == "20"
