"""Many processes at the quota's limit: nothing is refused, and nothing of the quota is wasted."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from limits import MOVEMENTS
from valve_helpers import counted, most_in_a_window

from queued_gspread.emulator import Quotas

CALLS = 12
THREADS = 6
LIMIT = 60
# Long beside what a burst of 60 takes on a small machine.
WINDOW = 2.0
SHORT = 1.0
# One for each thread: so no call waits for another's latency.
SHEETS = 20 * THREADS
IN_THE_AIR = 10
EVERYTHING = {"reads_per_minute": 0, "project_reads_per_minute": 0}


# What a sliding window allows, the others do: of these, one latency is enough, and a short window.
@pytest.mark.parametrize(
    ("movement", "latency", "window"),
    [
        *(("sliding", latency, WINDOW) for latency in (0.0, 0.05, 0.5)),
        ("fixed", 0.5, WINDOW),
        ("staggered", 0.05, SHORT),
        ("lenient", 0.05, SHORT),
    ],
)
def test_processes_at_the_limit(
    workers,
    emulator,
    start_server,
    redis_url,
    namespace,
    new_sheets,
    tell,
    movement,
    latency,
    window,
):
    """20 processes with 12 calls each meet no 429, whatever Google's windows and latency."""
    keys = new_sheets(SHEETS)
    start_server(writes_per_minute=LIMIT, quota_window=window, no_merge=True, **EVERYTHING)
    workers.prepare(redis_url, namespace, keys, calls=CALLS, threads=THREADS)
    emulator.clear_ledger()
    emulator.latency = latency
    emulator.quotas = Quotas(
        writes=LIMIT, window=window, movement=movement, offset=0.7, counted="random"
    )
    workers.begin()
    results, seconds = workers.results()
    assert Counter(what for _, what, _ in results) == {"ok": 20 * CALLS}
    assert emulator.refusals == 0
    assert len(emulator.ledger) == 20 * CALLS
    assert most_in_a_window(counted(emulator), window) <= LIMIT
    rounds = 20 * CALLS // LIMIT
    bound = (rounds - 1) * (window + latency) + latency
    tell(
        f"{movement} windows of {window} s, {latency * 1000:g} ms latency: {len(results)} calls "
        f"in {seconds:.2f} s, {seconds / bound:.3f} times the bound of {bound:.2f} s"
    )


@pytest.mark.parametrize("movement", MOVEMENTS)
def test_a_server_that_is_killed_in_mid_burst(
    workers, emulator, start_server, redis_url, namespace, new_sheets, tell, movement
):
    """A server killed with SIGKILL in a burst, and started again, keeps to the quota."""
    keys = new_sheets(SHEETS)
    options = {"writes_per_minute": LIMIT, "quota_window": WINDOW, **EVERYTHING}
    first = start_server(**options)
    workers.prepare(redis_url, namespace, keys, calls=7, threads=THREADS)
    emulator.clear_ledger()
    emulator.latency = 0.5
    emulator.quotas = Quotas(writes=LIMIT, window=WINDOW, movement=movement, counted="random")
    workers.begin()
    emulator.wait_until_under_way(IN_THE_AIR)
    first.kill()
    start_server(**options)
    results, _ = workers.results()
    came_to = Counter(what for _, what, _ in results)
    tell(f"killed with {IN_THE_AIR} or more requests in the air: {dict(came_to)}")
    assert set(came_to) <= {"ok", "OutcomeUnknownError"}
    assert came_to["OutcomeUnknownError"] > 0
    assert emulator.refusals == 0
    written = Counter(
        value for served in emulator.ledger if served.applied for value in _rows(served)
    )
    assert set(written.values()) == {1}
    assert {row for row, what, _ in results if what == "ok"} <= set(written)


def _rows(served):
    return itertools.chain.from_iterable(served.body["values"])
