"""What is made in blocks of locks: upserts, pipelines of every kind, and what a fork does there."""

from __future__ import annotations

import os

import pytest
from lock_fixtures import *  # noqa: F403 - pytest finds fixtures by the names that are here
from processes import start_python
from waiting import PATIENCE, eventually

import queued_gspread as gspread
from queued_gspread.broker import failed_calls
from queued_gspread.settings import Settings

# Takes a lock, leaves calls in its block, says so, and is killed by itself in the block.
LEAVES = """
import os, signal, sys
import queued_gspread as gspread

ws = gspread.authorize().open_by_key(sys.stdin.readline().strip()).sheet1
with gspread.lock(ws, hold=1):
    with gspread.pipeline(wait=False):
        for number in range(5):
            ws.append_row([f"left {number}"])
    print("left", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


# Upserts ----------------------------------------------------------------------------------------


def test_an_upsert_in_a_block_merges_with_none_of_others(server, ws, other, background, waiting):
    """The holder's upserts are made in the block; others' wait, and find what was written there."""
    ws.update([["id", "n"]])
    with gspread.lock(ws):
        theirs = background(gspread.upsert_rows, other, [{"id": "a", "n": 2}], key="id")
        eventually(lambda: waiting(ws) == 2)
        mine = gspread.upsert_rows(ws, [{"id": "a", "n": 1}], key="id")
        assert (mine.updated, mine.appended) == ([], [2])
        assert ws.get_all_values() == [["id", "n"], ["a", "1"]]
        assert not theirs.done()
    done = theirs.result(PATIENCE)
    assert (done.updated, done.appended) == ([2], [])
    assert ws.get_all_values() == [["id", "n"], ["a", "2"]]


def test_upserts_of_a_pipeline_in_a_block_share_requests(server, ws, emulator):
    """Each finds what those before it in the block have written, and no key is doubled."""
    ws.update([["id", "n"], ["k0", "old"]])
    before = len(emulator.ledger)
    with gspread.lock(ws), gspread.pipeline():
        done = [gspread.upsert_rows(ws, [{"id": f"k{n % 5}", "n": n}], key="id") for n in range(20)]
    rows = ws.get_all_values()[1:]
    assert rows == [[f"k{n}", str(n + 15)] for n in range(5)]
    assert sum(len(one.appended) for one in done) == 4
    assert len(emulator.ledger) - before < 20


def test_an_append_after_a_block_of_upserts_stands_below(server, ws):
    """A lane that appended before a block has not kept where its table ended."""
    ws.append_row(["id", "n"])
    for round_ in range(2):
        with gspread.lock(ws):
            gspread.upsert_rows(ws, [{"id": f"in {round_}", "n": 1}], key="id")
        ws.append_row([f"after {round_}", 2])
    assert ws.col_values(1) == ["id", "in 0", "after 0", "in 1", "after 1"]


def test_the_log_names_the_spreadsheet_of_a_lock(server, ws, sh, caplog):
    """A granted lock has a line like any call's, whether a worksheet or a spreadsheet is named."""
    caplog.set_level("INFO", "queued_gspread.server")
    for sheet in (ws, sh):
        with gspread.lock(sheet):
            pass

    def said():
        return [line for line in caplog.messages if "lock.acquire" in line]

    eventually(lambda: len(said()) == 2)  # a line comes after its answer
    assert [f"{sh.title!r}  lock.acquire" in line for line in said()] == [True, True]


# Pipelines that wait for nothing ----------------------------------------------------------------


def test_a_lock_ends_after_what_was_left_in_its_block(
    serve, gate, client, background, queue, raw, keys
):
    """A block of `wait=False` inside it: others go on once these calls are answered, not before."""
    serve()
    sheet = gspread.Worksheet(None, {"sheetId": 0, "title": "Sheet1"}, "a", client.http_client)
    with gspread.lock(sheet), gspread.pipeline(wait=False):
        for number in (1, 2):
            sheet.update("A1", [[number]])
    theirs = background(sheet.acell, "A1")
    eventually(lambda: raw.xlen(keys.lane("a")) == 2)
    assert [each.state for each in queue.holders()] == ["released"]
    for _ in range(2):
        running = gate.next()
        assert running.method == "put"
        assert gate.is_idle
        running.answer({})
    last = gate.next()
    assert last.method == "get"
    last.answer({})
    theirs.result(PATIENCE)
    assert queue.holders() == []


def test_who_dies_in_a_block_after_leaving_calls(server, ws, redis_url, namespace, queue):
    """All that was left in the block is made, and then the lock lapses."""
    process = start_python(LEAVES, REDIS_URL=redis_url, NAMESPACE=namespace, GRACE=str(PATIENCE))
    process.stdin.write(ws.spreadsheet_id + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == "left\n"
    ws.append_row(["after"])
    assert ws.col_values(1) == [*(f"left {number}" for number in range(5)), "after"]
    assert queue.holders() == []
    process.communicate(timeout=PATIENCE)


def test_what_fails_of_a_block_is_kept_under_its_spreadsheet(server, ws, redis_url, namespace):
    """The failure of a call that nobody waits for names the spreadsheet, not the holder's lane."""
    with gspread.lock(ws), gspread.pipeline(wait=False):
        ws.append_row(["never"], value_input_option="NONSENSE")
    settings = Settings(redis_url, namespace)
    eventually(lambda: failed_calls(settings))
    (failure,) = failed_calls(settings)
    assert failure.spreadsheet == ws.spreadsheet_id
    assert failure.error == "APIError"


def test_what_was_left_under_a_broken_lock_is_kept_as_lost(
    serve, gate, client, redis_url, namespace, queue
):
    """Of calls that were left in a block, those that wait when its lock is broken are not sent."""
    serve()
    sheet = gspread.Worksheet(None, {"sheetId": 0, "title": "Sheet1"}, "a", client.http_client)
    with gspread.lock(sheet):
        with gspread.pipeline(wait=False):
            for number in (1, 2):
                sheet.update("A1", [[number]])
        running = gate.next()
        (holder,) = queue.holders()
        queue.break_lock(holder)
        running.answer({})
    settings = Settings(redis_url, namespace)
    eventually(lambda: failed_calls(settings))
    assert [(each.error, each.spreadsheet) for each in failed_calls(settings)] == [
        ("LockLostError", "a")
    ]
    eventually(lambda: not queue.holders())
    assert gate.is_idle


def test_what_is_left_in_a_block_is_signed_for_its_lane(
    serve, gate, authorize, signing_key, raw, keys, queue
):
    """Calls that nobody waits for are signed under a lock as without, and made."""
    serve(signing_key_file=signing_key)
    http = authorize(signing_key_file=signing_key).http_client
    sheet = gspread.Worksheet(None, {"sheetId": 0, "title": "Sheet1"}, "a", http)
    with gspread.lock(sheet), gspread.pipeline(wait=False):
        for number in (1, 2):
            sheet.update("A1", [[number]])
    for _ in range(2):
        gate.next().answer({})
    eventually(lambda: not queue.holders())
    assert raw.zcard(keys.failed) == 0


# Pipelines that reorder -------------------------------------------------------------------------


def test_what_a_pipeline_holds_back_is_made_in_its_block(server, ws, other, background, waiting):
    """Calls that may be reordered are put in before the end of the block that they were made in."""
    with gspread.pipeline(reorder=True):
        with gspread.lock(ws):
            theirs = background(other.acell, "A1")
            eventually(lambda: waiting(ws) == 2)
            ws.update_acell("A1", "mine")
            ws.update_acell("B1", "too")
        assert theirs.result(PATIENCE).value == "mine"
    assert ws.row_values(1) == ["mine", "too"]


def test_what_was_held_back_before_a_block_is_made_before_it(server, ws):
    """What the block touches of it does not wait behind the block's own lock."""
    ws.update_acell("A1", "before")
    with gspread.pipeline(reorder=True):
        cell = ws.acell("A1")
        with gspread.lock(ws):
            assert cell.value == "before"
            ws.update_acell("A1", "in")


def test_a_pipeline_in_a_block_that_reorders(server, ws):
    """Inside a block a pipeline puts in all that it holds back at its own end."""
    with gspread.lock(ws), gspread.pipeline(reorder=True):
        for number in range(5):
            ws.update_acell("A1", number)
            assert ws.acell("A1").value == str(number)


# Forks ------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_takes_a_lock_of_its_own(server, ws):
    """A lock that a child takes in its parent's block is given to it after that."""
    ws.update_acell("A1", 0)
    lock = gspread.lock(ws)

    def count():
        with lock:
            ws.update_acell("A1", int(ws.acell("A1").value) + 1)

    with lock:
        number = int(ws.acell("A1").value)
        child = os.fork()
        if not child:
            try:
                count()
                count()
            finally:
                os._exit(0)
        ws.update_acell("A1", number + 1)
    os.waitpid(child, 0)
    assert ws.acell("A1").value == "3"
