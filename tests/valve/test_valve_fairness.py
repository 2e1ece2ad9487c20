"""Lanes share the quota's slots in turn."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from limits import MOVEMENTS
from waiting import PATIENCE

from queued_gspread.broker.keys import Keys
from queued_gspread.emulator import Quotas
from queued_gspread.protocol.messages import Job, new_id
from queued_gspread.server.pacing.fairness import burst_of

SHEETS_API = "https://sheets.googleapis.com/v4/spreadsheets"
LIMIT = 20
WINDOW = 1.0
LANES = 50
CALLS = 2_000
SELDOM = 4


@pytest.fixture
def raw(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        yield client


def write(client, key):
    """Write a cell; return the seconds that took."""
    began = time.monotonic()
    client.http_client.values_update(
        key, "A1", params={"valueInputOption": "RAW"}, body={"values": [["mine"]]}
    )
    return time.monotonic() - began


def writes_of_all(client, keys):
    """Write to every lane at once; return how long each had to wait."""
    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(lambda key: write(client, key), keys))


def fill(raw, namespace, key, count):
    """Put calls into a lane that nobody waits for."""
    names = Keys(namespace)
    url = f"{SHEETS_API}/{key}/values/A1"
    call = {"params": {"valueInputOption": "RAW"}, "json": {"values": [["long"]]}}
    body = Job("http_client", "request", None, ("put", url), call).encode()
    pipeline = raw.pipeline()
    for _ in range(count):
        pipeline.xadd(names.lane(key), {"id": new_id(), "body": body})
    pipeline.sadd(names.active, key)
    pipeline.execute()


def test_a_burst_leaves_slots_to_others(emulator, start_server, client, raw, namespace, new_sheets):
    """Two lanes without end take their burst, and a third one's writes go at once."""
    long, other, seldom = new_sheets(3)
    for key in (long, other):
        fill(raw, namespace, key, LIMIT)
    emulator.clear_ledger()
    start_server(writes_per_minute=LIMIT, no_merge=True)
    come = burst_of(LIMIT)
    emulator.wait_for(lambda served: served.quota == "write", count=come, timeout=PATIENCE)
    # With the two in turn, these would be more than the minute's.
    for _ in range(SELDOM):
        write(client, seldom)
    served = [s.path.split("/")[3] for s in emulator.ledger if s.quota == "write"]
    assert served.count(seldom) == SELDOM
    assert len(served) < LIMIT


def test_no_fair_lets_lanes_take_all_slots(emulator, start_server, raw, namespace, new_sheets):
    """With --no-fair lanes take all slots of a window as they come."""
    lanes = new_sheets(2)
    for key in lanes:
        fill(raw, namespace, key, LIMIT)
    emulator.clear_ledger()
    start_server(writes_per_minute=LIMIT, no_merge=True, no_fair=True)
    assert emulator.wait_for(lambda served: served.quota == "write", count=LIMIT, timeout=PATIENCE)


@pytest.mark.parametrize("movement", MOVEMENTS)
def test_a_long_lane_holds_up_no_other(
    emulator, start_server, client, raw, namespace, new_sheets, tell, movement
):
    """One lane with 2,000 waiting calls costs each of 49 others no more than one slot in turn."""
    long, *others = new_sheets(LANES)
    options = {"writes_per_minute": LIMIT, "quota_window": WINDOW}
    first = start_server(**options)
    emulator.clear_ledger()
    emulator.quotas = Quotas(writes=LIMIT, window=WINDOW, movement=movement)
    alone = writes_of_all(client, others)
    first.kill()
    fill(raw, namespace, long, CALLS)
    emulator.clear_ledger()
    start_server(**options)
    emulator.wait_for(lambda served: long in served.path)
    together = writes_of_all(client, others)
    tell(
        f"{LANES - 1} lanes of one call, {LIMIT} writes in {WINDOW} s. Waiting alone: "
        f"{statistics.mean(alone):.2f} s (longest {max(alone):.2f} s), beside a lane with "
        f"{CALLS} calls: {statistics.mean(together):.2f} s (longest {max(together):.2f} s)"
    )
    served = [s.path.split("/")[3] for s in emulator.ledger if s.quota == "write"]
    ours = [index for index, key in enumerate(served) if key != long]
    between = served[ours[0] : ours[-1] + 1].count(long)
    # The long lane is one in fifty that stand in line, though it never leaves it.
    assert len(ours) == LANES - 1
    assert between <= 2 * len(ours) / LANES + LIMIT
    assert emulator.refusals == 0
