"""What the tests of the broker ask of a queue."""

from __future__ import annotations

from queued_gspread.broker import FORMAT, Producer
from queued_gspread.broker.connection.client import connect
from queued_gspread.broker.waiting.wait import Wait
from queued_gspread.protocol.messages import new_id


def enqueue(settings, lane="lane", body=b"body", job_id=None):
    """Put a job in, once; return its id and its entry, 0-1 where it was there before."""
    job_id = job_id or new_id()
    return job_id, Producer(settings).enqueue(Wait(job_id, lane, None), body)


def withdraw(settings, job_id, entry, lane="lane"):
    """Take a job back, once; return what became of it."""
    return Producer(settings).withdraw(Wait(job_id, lane, None, entry))


def names(raw, namespace):
    """Return what a namespace keeps, by the last part of the keys' names."""
    keys = raw.keys(f"*{{{namespace}}}*")
    return {key.split("}:")[1].removeprefix(f"{FORMAT}:") for key in keys}


def contents(raw, namespace):
    """Return all that a namespace keeps, to be compared."""
    return {key: raw.dump(key) for key in sorted(raw.keys(f"*{{{namespace}}}*"))}


def milliseconds_of(raw):
    """Return what the clock of a Redis shows."""
    seconds, microseconds = raw.time()
    return seconds * 1000 + microseconds // 1000


def connection_of(queue):
    """Return this process's connection to the Redis of one side of the queue."""
    return connect(queue.settings.redis_url, queue.settings.namespace)
