"""What a long queue takes of the server's memory, and of the other lanes' turns."""

from __future__ import annotations

from pathlib import Path

import pytest
from calls import read
from flood import flood, memory_of, row_job
from waiting import PATIENCE, eventually

JOBS = 100_000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_long_lane_fills_no_memory_and_holds_up_no_other(
    start_process, google, client, raw, keys, background
):
    """With 100,000 jobs in one lane the server stays under 256 MiB and serves other lanes."""
    server = start_process("--max-queue", JOBS + 100)
    flood(raw, keys, "long", row_job("long"), JOBS)
    assert raw.get(keys.waiting) == str(JOBS)
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
    raw.delete(keys.lane("long"), keys.recent)
