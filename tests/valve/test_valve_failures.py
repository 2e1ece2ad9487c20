"""Google refuses, fails and cuts off: callers learn what happened, and nothing is doubled."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from gspread.exceptions import APIError
from limits import MOVEMENTS, UNLIMITED

from queued_gspread.emulator import Quotas
from queued_gspread.emulator.faults import ExpiredToken, Html, Reset, Status

WINDOW = 1.5
LIMIT = 60
CALLS = 50
RATE = 0.05
SHEETS = 40


def rows_of(outsider, keys):
    """Return how often every row stands in the sheets."""
    sheets = [outsider.open_by_key(key).sheet1 for key in keys]
    return Counter(cell for sheet in sheets for row in sheet.get_all_values() for cell in row)


@pytest.mark.parametrize("movement", MOVEMENTS)
def test_an_outside_client_eats_half_of_the_quota(
    workers, emulator, start_server, redis_url, namespace, new_sheets, outsider, tell, movement
):
    """All calls succeed although something else uses the account; the log names the cause once."""
    keys = new_sheets(SHEETS)
    sheet = outsider.open_by_key(new_sheets(1)[0]).sheet1
    server = start_server(**(UNLIMITED | {"writes_per_minute": LIMIT, "quota_window": WINDOW}))
    workers.prepare(redis_url, namespace, keys, calls=10, threads=4)
    emulator.clear_ledger()
    emulator.quotas = Quotas(writes=LIMIT, window=WINDOW, movement=movement)
    over = threading.Event()

    def eat():
        while not over.wait(2 * WINDOW / LIMIT):
            try:
                sheet.update_acell("A1", "mine")
            except APIError:
                eaten["refused"] += 1
            else:
                eaten["written"] += 1

    eaten = Counter()
    eater = threading.Thread(target=eat)
    eater.start()
    workers.begin()
    results, seconds = workers.results()
    over.set()
    eater.join()
    assert Counter(what for _, what, _ in results) == {"ok": 20 * 10}
    refused = emulator.refusals - eaten["refused"]
    tell(
        f"{len(results)} calls in {seconds / WINDOW:.1f} windows of {LIMIT} writes, of which an "
        f"outside client wrote {eaten['written']}: {refused} requests of the server were refused"
    )
    assert refused > 0
    assert server.log.count("Google refuses writes for the quota") == 1
    assert "something else uses the same account" in server.log
    assert rows_of(outsider, keys) == Counter(row for row, _, _ in results)


def test_a_thousand_calls_under_all_failures(
    workers, emulator, start_server, redis_url, namespace, new_sheets, outsider, tell
):
    """Every caller has a result or OutcomeUnknownError; no row reported is lost, none doubled."""
    keys = new_sheets(SHEETS)
    start_server(quota_window=WINDOW, **UNLIMITED)
    workers.prepare(redis_url, namespace, keys, calls=CALLS, threads=4)
    emulator.clear_ledger()
    rules = {
        "429": emulator.faults.add(Status(429), rate=RATE),
        "500": emulator.faults.add(Status(500), rate=RATE / 2),
        "500 after": emulator.faults.add(Status(500, applied=True), rate=RATE / 2),
        "503": emulator.faults.add(Status(503), rate=RATE / 2),
        "503 after": emulator.faults.add(Status(503, applied=True), rate=RATE / 2),
        "HTML 502": emulator.faults.add(Html(502), rate=RATE / 2),
        "HTML 502 after": emulator.faults.add(Html(502, applied=True), rate=RATE / 2),
        "reset before": emulator.faults.add(Reset(), rate=RATE),
        "reset after": emulator.faults.add(Reset(applied=True), rate=RATE),
        "expired token": emulator.faults.add(ExpiredToken(), rate=RATE),
    }
    workers.begin()
    results, seconds = workers.results()
    emulator.faults.clear()
    came_to = Counter(what for _, what, _ in results)
    tell(
        f"{len(results)} calls in {seconds:.1f} s: {dict(came_to)}; "
        f"faults met: { {name: rule.hits for name, rule in rules.items()} }"
    )
    assert len(results) == 20 * CALLS
    assert set(came_to) == {"ok", "OutcomeUnknownError"}
    assert all(rule.hits for rule in rules.values())
    written = rows_of(outsider, keys)
    assert {row for row, what, _ in results if what == "ok"} <= set(written)
    assert set(written) <= {row for row, _, _ in results}
    assert set(written.values()) == {1}
