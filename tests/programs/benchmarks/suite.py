"""All benchmarks, by the names under which they are asked for."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

import redis

from . import (
    accounts,
    added_latency,
    depth,
    fairness,
    large_values,
    openall,
    pipelines,
    polling,
    round_trip,
    start_up,
    upserts,
    width,
)
from .row import Comparison, Row

BENCHMARKS = {
    "round-trip": round_trip.run,
    "added-latency": added_latency.run,
    "large-values": large_values.run,
    "depth": depth.run,
    "width": width.run,
    "start-up": start_up.run,
    "openall": openall.run,
    "fairness": fairness.run,
    "pipelines": pipelines.run,
    "upserts": upserts.run,
    "polling": polling.run,
    "accounts": accounts.run,
}
_PACKAGES = ("queued-gspread", "gspread", "redis", "hiredis", "huey", "dramatiq")


def run(place, names=(), tell=lambda _: None):
    """Run benchmarks, all by default; return their rows and comparisons."""
    rows = []
    for name in names or BENCHMARKS:
        tell(name)
        rows += BENCHMARKS[name](place)
        place.clear()  # what one leaves is not in the memory that another measures
    return rows


def as_json(rows, place):
    """Return a run's rows, with where they were measured."""
    return {
        "on": machine(place.redis_url),
        "rows": [row.as_json() for row in rows if isinstance(row, Row)],
        "comparisons": [row.as_json() for row in rows if isinstance(row, Comparison)],
    }


def machine(redis_url):
    with redis.Redis.from_url(redis_url) as connection:
        server = connection.info("server")["redis_version"]
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": sys.platform,
        "redis_server": server,
        **{name: _version(name) for name in _PACKAGES},
    }


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None
