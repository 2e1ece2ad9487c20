"""Where a run takes place: its Redis, its folder, and how much is measured."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass

import redis


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        rounds: How often the turns of those that are compared alternate.
        calls: Calls in a turn.
        scripts: How often the script of the added latency runs each way.
        rows: Rows of a hundred cells in a large value.
        values: How often a large value is read and written each way.
        depths: How many jobs wait.
        looks: How many jobs are enqueued and dispatched at each depth, in a turn.
        widths: How many processes wait.
        seconds: How long they do.
        starts: How often everything is started.
        files: How many spreadsheets ``openall`` opens.
        fair_calls: How many calls one spreadsheet has beside another one's.
        fair_window: Seconds of the window of their quota.
        loop: How many calls a plain loop in a pipeline makes.
        loop_turns: How often each of the loops is run.
        upserters: How many processes upsert rows.
        upserts: How many each of them does.
        pollers: How many processes poll one sheet.
        polling: Seconds for which they do.
        poll_every: Seconds from one read of a process to the next.
        max_age: How old their answers may be, in seconds.
        lent_calls: How many rows are appended where several accounts lend their quota.
        lent_books: To how many spreadsheets.

    """

    rounds: int = 10
    calls: int = 320
    scripts: int = 15
    rows: int = 10_000
    values: int = 5
    depths: tuple[int, ...] = (0, 1_000, 100_000)
    looks: int = 100
    widths: tuple[int, ...] = (1, 10, 100, 500)
    seconds: float = 5.0
    starts: int = 11
    files: int = 400
    fair_calls: int = 600
    fair_window: float = 6.0
    loop: int = 1_000
    loop_turns: int = 3
    upserters: int = 20
    upserts: int = 50
    pollers: int = 200
    polling: float = 60.0
    poll_every: float = 1.0
    max_age: float = 2.0
    lent_calls: int = 1_200
    lent_books: int = 12


FULL = Size()
QUICK = Size(
    rounds=1, calls=16, scripts=1, rows=20, values=1, depths=(0, 20), looks=5, widths=(1, 2),
    seconds=0.2, starts=1, files=3, fair_calls=12, fair_window=0.6, loop=6, loop_turns=1,
    upserters=2, upserts=2, pollers=3, polling=0.6, poll_every=0.1, max_age=0.2, lent_calls=24,
    lent_books=2,
)  # fmt: skip


class Place:
    """What all benchmarks of a run share.

    Args:
        redis_url: The Redis.
        folder: For logs and key files.
        size: How much is measured.

    """

    def __init__(self, redis_url, folder, size):
        self.redis_url, self.folder, self.size = redis_url, folder, size
        self._stem = f"bench{os.urandom(8).hex()}"
        self._numbers = itertools.count()

    def namespace(self):
        """Return a namespace that nothing else uses, in this run or another."""
        return f"{self._stem}n{next(self._numbers)}"

    def clear(self):
        """Leave nothing behind in the Redis."""
        with redis.Redis.from_url(self.redis_url) as raw:
            for key in raw.scan_iter(f"*{self._stem}*", count=10_000):
                raw.unlink(key)
