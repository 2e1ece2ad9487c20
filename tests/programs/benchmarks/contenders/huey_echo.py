"""huey, tuned for latency: both sides block, the worker on the queue and the caller on a list."""

from __future__ import annotations

from huey import RedisHuey

from . import PAYLOAD


def _echo(where):
    broker = RedisHuey(where["namespace"], url=where["redis_url"], notify_result=True)
    return broker, broker.task(name="echo")(lambda payload: payload)


def caller(where):
    _, echo = _echo(where)

    def call(_):
        return echo(PAYLOAD).get(blocking=True, timeout=60)

    return call


def serve(where):
    broker, _ = _echo(where)
    consumer = broker.create_consumer(workers=1, periodic=False, check_worker_health=False)
    consumer.start()
    print("ready", flush=True)
    consumer.stop_flag.wait()
