"""What the queue adds to a script at an API of 50 ms, with the valve at work."""

from __future__ import annotations

from .emulated import WAYS, Emulated
from .figures import latencies
from .row import Comparison, Row

GROUP = "added latency"
LATENCY = 0.05


def run(place):
    durations = _measure(place)
    figures = {way: _figures(found) for way, found in durations.items()}
    for way in WAYS:
        yield Row(GROUP, way, figures[way])
    for figure, goal in (("p50_ms", 1.02), ("script_ms", None)):
        numbers = (figures["queued"][figure], figures["direct"][figure])
        shown = figure.partition("_")[0]
        yield Comparison(GROUP, f"queued / direct, {shown}", "ms", *numbers, goal)


def _measure(place):
    """Return the seconds of all calls, by way; the ways alternate."""
    durations = {way: [] for way in WAYS}
    with Emulated(place, LATENCY) as google:
        server, users = google.server(), {way: google.user(way) for way in WAYS}
        server.until_log("working as")
        keys = {way: user.ask(do="create", title=way) for way, user in users.items()}
        for turn in range(place.size.scripts + 1):
            for way, user in users.items():
                found = user.ask(do="script", key=keys[way])
                if turn:  # the first makes connections
                    durations[way].append(found)
    return durations


def _figures(scripts):
    calls = latencies([call for script in scripts for call in script])
    whole = latencies([sum(script) for script in scripts])
    return {
        **{name.replace("_us", "_ms"): value / 1000 for name, value in calls.items()},
        "script_ms": whole["p50_us"] / 1000,
    }
