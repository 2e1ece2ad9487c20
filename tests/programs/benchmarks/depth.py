"""What one enqueue and one dispatch cost while many jobs wait in the same lane."""

from __future__ import annotations

import time

import redis
from flood import flood, row_job

from queued_gspread.broker import Consumer, Producer
from queued_gspread.broker.connection.client import connect
from queued_gspread.broker.keys import Keys, remembered_ms
from queued_gspread.protocol.messages import new_id
from queued_gspread.settings import Settings

from .figures import MICRO, median
from .row import Comparison, Row

GROUP = "depth"
_LANE = "book"
# Nobody else works here, and nothing beats.
_LEASE = 3600.0


class FilledQueue:
    """A queue in which so many jobs wait, and keep waiting: one is taken for each that comes."""

    def __init__(self, place, depth):
        settings = Settings.resolve(redis_url=place.redis_url, namespace=place.namespace())
        keys = Keys(settings.namespace)
        self._connection = connect(settings.redis_url, settings.namespace)
        self._servers = Consumer(settings, "bench", "bench")
        self._servers.beat(_LEASE)
        Producer(settings).alive()  # what Redis's clock shows
        self._body = row_job(_LANE)
        self._places = keys.of_enqueue(_LANE)
        with redis.Redis.from_url(place.redis_url) as raw:
            flood(raw, keys, _LANE, self._body, depth)

    def enqueue(self):
        clock = self._connection.clock
        arguments = [new_id(), self._body, _LANE, remembered_ms(), clock.at_least()]
        clock.saw(self._connection.run("enqueue", self._places, arguments)[-1])

    def dispatch(self):
        """Look at the head, answer it, and see the next one, as a server does for each job."""
        self._servers.answer([(self._servers.head(_LANE), b"{}")])

    def leave(self):
        self._servers.release()


def run(place):
    found = _measure(place)
    figures = {
        depth: {name: MICRO * median(seconds) for name, seconds in of_depth.items()}
        for depth, of_depth in found.items()
    }
    for depth, of_depth in figures.items():
        yield Row(GROUP, f"{depth:,} waiting", of_depth)
    yield from compared(figures)


def compared(figures):
    """Return the deepest queue against the empty one; pure."""
    least, most = min(figures), max(figures)
    for name in ("enqueue_us", "dispatch_us"):
        numbers = (figures[most][name], figures[least][name])
        told = f"{name.partition('_')[0]}, {most:,} / {least:,} waiting"
        yield Comparison(GROUP, told, "us", *numbers, 1.2)


def _measure(place):
    """Return the seconds of each step, by depth; the depths alternate."""
    queues = {depth: FilledQueue(place, depth) for depth in place.size.depths}
    found = {depth: {"enqueue_us": [], "dispatch_us": []} for depth in queues}
    for turn in range(place.size.rounds + 1):
        for depth, queue in queues.items():
            for _ in range(place.size.looks):
                seconds = {
                    "enqueue_us": _timed(queue.enqueue),
                    "dispatch_us": _timed(queue.dispatch),
                }
                for name, value in seconds.items() if turn else ():
                    found[depth][name].append(value)
    for queue in queues.values():
        queue.leave()
    return found


def _timed(step):
    began = time.perf_counter()
    step()
    return time.perf_counter() - began
