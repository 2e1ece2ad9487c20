"""``queued-gspread locks``."""

from __future__ import annotations

import os

import pytest

import queued_gspread as gspread
from queued_gspread.cli import main
from queued_gspread.errors import LockLostError


@pytest.fixture
def locks(redis_url, namespace, capsys):
    """Return a function that runs the command, and returns its status and what it says."""

    def run(*options):
        status = main(["locks", "--redis-url", redis_url, "--namespace", namespace, *options])
        told = capsys.readouterr()
        return status, told.out + told.err

    return run


def test_who_holds_a_lock_is_shown(locks, ws):
    """There is a line for each spreadsheet that is locked, or one that says that none is."""
    assert "no spreadsheet is locked" in locks()[1]
    with gspread.lock(ws, hold=12):
        status, told = locks()
        assert status == 0
        assert told.startswith(f"{ws.spreadsheet_id}: ")
        assert f"process {os.getpid()}, since 20" in told
        assert "hold 12 s" in told


def test_a_lock_is_broken(locks, ws):
    """A lock that is named by its spreadsheet ends, and calls of its block fail."""
    with gspread.lock(ws):
        status, told = locks("--break", ws.spreadsheet_id)
        assert (status, told.partition(":")[0]) == (0, "broke the lock")
        with pytest.raises(LockLostError):
            ws.acell("A1")
    status, told = locks("--break", ws.spreadsheet_id)
    assert status == 1
    assert "is not locked" in told
