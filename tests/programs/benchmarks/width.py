"""Many processes that wait at once for one spreadsheet."""

from __future__ import annotations

import threading

import redis
from flood import memory_of

from .figures import evenness, median
from .peer import Peer
from .row import Comparison, Row

GROUP = "width"
_MIB = 1024 * 1024


def run(place):
    figures = {width: _measure(place, width) for width in place.size.widths}
    for width, of_width in figures.items():
        yield Row(GROUP, f"queued, {width} waiting", of_width)
    least, most = min(figures), max(figures)
    numbers = (figures[most]["rate_cps"], figures[least]["rate_cps"])
    yield Comparison(GROUP, f"calls, {most} / {least} waiting", "cps", *numbers)


def _measure(place, width):
    where = {"redis_url": place.redis_url, "namespace": place.namespace()}
    log = (place.folder / f"width-{width}.log").open("w")
    server, crowd = Peer("answerer", {"contender": "queued", **where}, log), Peer("crowd", where)
    try:
        server.until_ready()
        with Watch(place.redis_url) as watch:
            found = crowd.ask(do="gather", width=width, seconds=place.size.seconds)
        return figures(found) | {
            "connections": watch.connections,
            "redis_mib": watch.memory / _MIB,
            "server_mib": memory_of(server.pid, "VmHWM"),
        }
    finally:
        crowd.end()
        server.end()
        log.close()


def figures(found):
    """Return what is told of the calls that each process made; pure."""
    counts = found["counts"]
    return {
        "rate_cps": sum(counts) / found["seconds"],
        "least_calls": min(counts),
        "most_calls": max(counts),
        "fairness_jain": evenness(counts),
        "process_mib": median(found["memory"]),
    }


class Watch:
    """Looks at a Redis for as long as the context lasts: the most connections and memory."""

    def __init__(self, url):
        self.connections = self.memory = 0
        self._url = url
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _look(self):
        with redis.Redis.from_url(self._url) as connection:
            while not self._over.wait(0.1):
                self.connections = max(
                    self.connections, connection.info("clients")["connected_clients"] - 1
                )
                self.memory = max(self.memory, connection.info("memory")["used_memory"])
