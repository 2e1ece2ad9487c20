"""Many jobs at once, and how much of the server's memory they take."""

from __future__ import annotations

from pathlib import Path

from calls import WORKSHEET

from queued_gspread.broker.keys import remembered_ms
from queued_gspread.broker.scripts import SCRIPTS
from queued_gspread.protocol.messages import Job, new_id

_BATCH = 2000


def row_job(lane):
    """Return a job that appends a row of twenty cells to a sheet."""
    row = [f"cell number {n} of an ordinary row" for n in range(20)]
    sheet = {**WORKSHEET, "spreadsheet": {"id": lane, "title": "Book"}}
    return Job("worksheet", "append_row", sheet, (row,)).encode()


def flood(raw, keys, lane, body, count):
    """Enqueue a job in a lane many times, with the script that callers use."""
    script = SCRIPTS["enqueue"]
    places = keys.of_enqueue(lane)
    raw.script_load(script.text)
    seconds, microseconds = raw.time()
    first = seconds * 1000 + microseconds // 1000
    raw.zadd(keys.dedup, {"since:": first}, nx=True)
    for begin in range(0, count, _BATCH):
        pipeline = raw.pipeline(transaction=False)
        for _ in range(begin, min(count, begin + _BATCH)):
            args = [new_id(), body, lane, remembered_ms(), first]
            pipeline.evalsha(script.sha, len(places), *places, *args)
        pipeline.execute()


def memory_of(pid, field="VmRSS"):
    """Return a process's memory, now or at its peak (``VmHWM``), in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024
