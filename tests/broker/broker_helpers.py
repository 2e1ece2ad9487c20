"""What the tests of the broker ask of a queue."""

from __future__ import annotations

from queued_gspread.broker.connection import connect
from queued_gspread.job import new_id

MEMORY_MS = 120_000


def enqueue(settings, keys, lane="lane", body=b"body", job_id=None):
    """Run the enqueue script once; return the job's id and its entry."""
    job_id = job_id or new_id()
    entry = connect(settings.redis_url).run(
        "enqueue",
        [keys.lane(lane), keys.recent, keys.active, keys.ready],
        [job_id, body, lane, MEMORY_MS],
    )
    return job_id, entry.decode()


def withdraw(settings, keys, job_id, entry, lane="lane"):
    """Run the withdraw script once; return its word."""
    return (
        connect(settings.redis_url)
        .run(
            "withdraw",
            [keys.lane(lane), keys.started, keys.reply(job_id), keys.recent],
            [job_id, entry],
        )
        .decode()
    )


def names(raw, namespace):
    """Return what a namespace keeps, by the last part of the keys' names."""
    return {key.split("}:")[1] for key in raw.keys(f"*{{{namespace}}}*")}


def contents(raw, namespace):
    """Return all that a namespace keeps, to be compared."""
    return {key: raw.dump(key) for key in sorted(raw.keys(f"*{{{namespace}}}*"))}


def milliseconds_of(raw):
    """Return what the clock of a Redis shows."""
    seconds, microseconds = raw.time()
    return seconds * 1000 + microseconds // 1000
