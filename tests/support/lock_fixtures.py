"""Fixtures of tests about locks: the queue, another caller's worksheet, and who waits."""

from __future__ import annotations

import pytest

import queued_gspread as gspread
from queued_gspread.broker import Producer
from queued_gspread.broker.keys import Keys
from queued_gspread.settings import Settings

__all__ = ["open_again", "other", "queue", "waiting"]


@pytest.fixture
def queue(redis_url, namespace):
    """Return the queue as an operator sees it."""
    return Producer(Settings(redis_url=redis_url, namespace=namespace))


@pytest.fixture
def open_again(redis_url, namespace):
    """Return a function that opens a worksheet as another caller's client has it."""

    def opened(ws, **options):
        client = gspread.authorize(redis_url=redis_url, namespace=namespace, **options)
        return client.open_by_key(ws.spreadsheet_id).sheet1

    return opened


@pytest.fixture
def other(open_again, ws):
    """Return the worksheet as another caller's client has it."""
    return open_again(ws)


@pytest.fixture
def waiting(raw, namespace):
    """Return a function that tells how many jobs wait in a spreadsheet's lane."""
    keys = Keys(namespace)
    return lambda ws: raw.xlen(keys.lane(ws.spreadsheet_id))
