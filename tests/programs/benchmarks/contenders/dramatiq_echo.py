"""dramatiq, tuned for latency: one worker thread that looks every millisecond, blocking results."""

from __future__ import annotations

import threading

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from . import PAYLOAD

_LOOK_MS = 1


def _echo(where):
    url, namespace = where["redis_url"], where["namespace"]
    broker = RedisBroker(url=url, namespace=namespace, middleware=[])
    broker.add_middleware(Results(backend=RedisBackend(url=url, namespace=f"{namespace}-results")))
    dramatiq.set_broker(broker)

    @dramatiq.actor(store_results=True, broker=broker)
    def echo(payload):
        return payload

    return broker, echo


def caller(where):
    _, echo = _echo(where)

    def call(_):
        return echo.send(PAYLOAD).get_result(block=True, timeout=60_000)

    return call


def serve(where):
    broker, _ = _echo(where)
    dramatiq.Worker(broker, worker_timeout=_LOOK_MS, worker_threads=1).start()
    print("ready", flush=True)
    threading.Event().wait()
