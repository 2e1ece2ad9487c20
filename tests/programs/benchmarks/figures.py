"""Figures that are drawn from measured numbers; pure."""

from __future__ import annotations

import math

MICRO = 1e6


def percentile(values, share):
    """Return the least value that at least that share (0 to 1) of the values does not exceed."""
    if not values:
        raise ValueError("there is no percentile of nothing")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values):
    return percentile(values, 0.5)


def latencies(durations):
    """Return p50, p95 and p99 in microseconds of durations in seconds."""
    return {f"p{share}_us": MICRO * percentile(durations, share / 100) for share in (50, 95, 99)}


def evenness(counts):
    """Return Jain's index of fairness: 1 where all got the same, 1/n where one got everything."""
    squares = sum(count * count for count in counts)
    return sum(counts) ** 2 / (len(counts) * squares) if squares else 1.0
