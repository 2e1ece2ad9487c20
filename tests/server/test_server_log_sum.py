"""The sum of a server's log is the number of requests that Google has counted."""

from __future__ import annotations

import io
import json
from collections import Counter
from fractions import Fraction
from functools import partial

import pytest
from waiting import PATIENCE, eventually

from queued_gspread.emulator import Emulator
from queued_gspread.emulator.faults import Reset, Status
from queued_gspread.errors import CallTimeoutError
from queued_gspread.server.log import configure

# Pauses are in proportion to it.
QUICK = {"quota_window": 0.3}


@pytest.fixture
def emulator():
    """Return an emulator whose ledger has the requests of one test alone."""
    with Emulator(seed=1) as running:
        yield running


@pytest.fixture
def log(restored_log):
    """Return what is logged, as JSON lines."""
    stream = io.StringIO()
    configure("info", "json", stream)
    return stream


@pytest.fixture
def scene(log, book, stage, emulator):
    """Return callers of a server; all requests since are the server's."""
    emulator.clear_ledger()
    return stage(**QUICK)


def calls(log):
    return [line for line in map(json.loads, log.getvalue().splitlines()) if "method" in line]


def in_log(log):
    """Return how many requests of each kind the log tells of, each counted once."""
    found = Counter()
    for call in calls(log):
        for sent in call["sent"]:
            found[sent["kind"]] += Fraction(sent["requests"], sent["calls"])
    return found


def in_ledger(emulator):
    """Return how many requests of each kind have come to Google."""
    return Counter(served.quota for served in emulator.ledger)


def outcomes(log):
    return Counter(call["outcome"] for call in calls(log))


def test_the_sum_of_merged_and_single_requests(scene, log, emulator, client):
    """Reads and writes that left together, and those that left alone, come to what Google had."""
    sheet = scene.sheet
    scene.play(
        *[partial(sheet.append_row, [name]) for name in "abcd"],
        *[partial(sheet.update_cell, row, 2, row) for row in range(1, 6)],
        *[partial(sheet.acell, f"B{row}") for row in range(1, 4)],
        *[partial(sheet.acell, "A1")] * 3,
        partial(sheet.insert_rows, [["x"]]),
    )
    client.openall()
    eventually(lambda: outcomes(log)["ok"] == 20)
    assert in_log(log) == in_ledger(emulator)
    assert {"read", "write", "drive"} == set(in_ledger(emulator))
    assert max(sent["calls"] for call in calls(log) for sent in call["sent"]) >= 5


def test_the_sum_where_a_merged_request_goes_on_in_pieces(scene, log, emulator):
    """A merged request that Google refuses counts once, and each of its pieces too."""
    sheet = scene.sheet
    reads = [partial(sheet.acell, f"A{row}") for row in range(1, 8)]
    writes = [partial(sheet.update_cell, row, 1, row) for row in range(1, 8)]
    wrong = partial(sheet.spreadsheet.values_get, "No such sheet!A1")
    lost = partial(sheet.spreadsheet.values_update, "No such sheet!A1", {}, {"values": [[1]]})
    scene.play(*reads[:4], wrong, *reads[4:], *writes[:4], lost, *writes[4:])
    eventually(lambda: outcomes(log) == Counter(ok=17, APIError=2))
    assert in_log(log) == in_ledger(emulator)
    assert any(len(call["sent"]) > 1 for call in calls(log))


def test_the_sum_with_retries(scene, log, emulator):
    """Every attempt counts: refused for the quota, answered with 503, or with no answer."""
    for fault in (Status(429), Status(503), Reset(applied=True), Status(503)):
        emulator.faults.add(fault, path="values", count=1)
    writes = [partial(scene.sheet.update_cell, row, 1, row) for row in range(1, 6)]
    scene.play(*writes, partial(scene.sheet.acell, "A1"))
    eventually(lambda: outcomes(log)["ok"] == 9)
    assert in_log(log) == in_ledger(emulator)
    assert sum(served.fault != "" for served in emulator.ledger) == 4


def test_the_sum_with_a_call_that_was_withdrawn(scene, log, emulator, authorize, background):
    """What was sent for a call before its caller gave up is in the log all the same."""
    impatient = authorize(timeout=2.0)
    opening = background(impatient.open, "Book")
    held = scene.door.next()
    assert isinstance(opening.exception(PATIENCE), CallTimeoutError)
    held.answer()
    eventually(lambda: {"late", "withdrawn"} & set(outcomes(log)))
    assert in_log(log) == in_ledger(emulator)
    assert in_ledger(emulator)["drive"] == 1


def test_the_sum_over_two_servers(scene, log, emulator, serve, background):
    """What a server sent for a call that it leaves to the next one stands in its own log."""
    inserting = background(scene.sheet.insert_rows, [["a"], ["b"]])
    first = scene.door.next()
    stopping = background(scene.server.stop)
    eventually(lambda: scene.server.was_told_to_stop)
    first.answer()
    stopping.result(PATIENCE)
    assert outcomes(log)["left"] == 1
    scene.door.open()
    serve(emulator.gspread_client().http_client, **QUICK)
    inserting.result(PATIENCE)
    eventually(lambda: outcomes(log)["ok"] == 3)
    ledger = in_ledger(emulator)
    assert in_log(log) == ledger
    assert ledger["write"] >= 2
