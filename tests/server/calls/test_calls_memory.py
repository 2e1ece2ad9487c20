"""What a long queue takes of the server's memory, and of the other lanes' turns."""

from __future__ import annotations

from pathlib import Path

import pytest
from calls import read
from flood import flood, memory_of, row_job
from waiting import PATIENCE, eventually

from queued_gspread.protocol.messages import Job, new_id

JOBS = 100_000
LANES = 200
RAW = {"valueInputOption": "RAW"}
NEEDS_PROC = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read from /proc"
)


@NEEDS_PROC
def test_a_long_lane_fills_no_memory_and_holds_up_no_other(
    start_process, google, client, raw, keys, background
):
    """With 100,000 jobs in one lane the server stays under 256 MiB and serves other lanes."""
    server = start_process("--max-queue", JOBS + 100)
    flood(raw, keys, "long", row_job("long"), JOBS)
    assert raw.get(keys.depth) == str(JOBS)
    stuck = google.gate.next()
    for n in range(20):
        call = background(read, client, f"lane{n}")
        google.gate.next().answer({"n": n})
        assert call.result(PATIENCE) == {"n": n}
    assert raw.xlen(keys.lane("long")) == JOBS
    stuck.answer({})
    google.gate.open()
    eventually(lambda: raw.xlen(keys.lane("long")) < JOBS - 50)
    assert read(client, "another") == {}
    peak = memory_of(server.process.pid, "VmHWM")
    print(f"{peak:.0f} MiB at the peak, with {JOBS} jobs in one lane")
    assert peak < 256
    server.kill()
    raw.delete(keys.lane("long"), keys.dedup)


def rows(lane, kind, count):
    """Return a job that writes so many rows."""
    values = {"values": [["cell"]] * count}
    return Job("http_client", f"values_{kind}", args=(lane, "Rows!A1", RAW, values)).encode()


@NEEDS_PROC
def test_lanes_that_wait_keep_little_of_what_stands_in_them(start_process, google, raw, keys):
    """With a large job behind each of 200 calls that wait for a slot the server stays small."""
    for lane in map("lane{}".format, range(LANES)):
        with raw.pipeline() as pipeline:
            pipeline.sadd(keys.active, lane)
            for job in (rows(lane, "update", 1), *[rows(lane, "append", 9_000)] * 3):
                pipeline.xadd(keys.lane(lane), {"id": new_id(), "body": job})
            pipeline.execute()
    server = start_process("--writes-per-minute", 1, "--quota-window", 600)
    google.gate.next()
    # All of them were looked at, and none but the first of a lane may be made.
    eventually(lambda: raw.hlen(keys.deliveries) == 4 * LANES)
    now = memory_of(server.process.pid, "VmRSS")
    print(f"{now:.0f} MiB with {LANES} lanes that wait")
    assert now < 150
    server.kill()
    raw.delete(*raw.keys(keys.lane("*")), keys.active, keys.deliveries)
