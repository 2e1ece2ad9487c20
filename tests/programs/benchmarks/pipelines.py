"""Plain loops of one process in a pipeline, under a quota, with an emulator that takes its time."""

from __future__ import annotations

import json
from urllib.request import urlopen

from .emulated import Emulated
from .row import Comparison, Row

GROUP = "pipelines"
QUOTA = 60
LATENCY = 0.05

_LOOPS = ("append_row", "acell", "update_acell", "mix", "reordered mix")
_SECONDS = 2.0
_REQUESTS = 10.0
_LINEAR = 11.0
_ENQUEUE = 0.35
_GATHERED = 1.2
_CONNECTIONS = 4


def run(place):
    count = place.size.loop
    turns = [_turn(place, count) for _ in range(place.size.loop_turns)]
    found = {name: min((turn[name] for turn in turns), key=_seconds) for name in turns[0]}
    gathered = found.pop("gather")
    round_trip = _round_trip(place)
    for (what, many), measured in found.items():
        yield Row(GROUP, f"{many:,} {what}", _figures(measured, many), _note(measured))
    yield Row(GROUP, f"{count:,} append_row in asyncio", *_of_asyncio(gathered, count))
    yield Row(GROUP, "one call, waited for", {"trip_us": 1e6 * round_trip})
    yield from _compared(place, found, round_trip)
    first, tenfold = ("append_row", count), ("append_row", 10 * count)
    what = f"{10 * count:,} append_row / {count:,}, time"
    yield Comparison(GROUP, what, "s", *_median(turns, tenfold, first), _LINEAR)
    what = f"{count:,} append_row: asyncio / pipeline"
    yield Comparison(GROUP, what, "s", *_median(turns, "gather", first), _GATHERED)


def _median(turns, one, other):
    """Return the two times of the turn in which their ratio is the median."""
    pairs = [(turn[one]["seconds"], turn[other]["seconds"]) for turn in turns]
    return sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]


def _turn(place, count):
    """Measure everything once; what else the machine does only adds to a turn's seconds."""
    return {
        ("append_row", 10 * count): _measure(place, "append_row", 10 * count),
        ("append_row", count): _measure(place, "append_row", count),
        "gather": _measure(place, "append_row", count, do="gather"),
        **{(what, count): _measure(place, what, count) for what in _LOOPS[1:]},
    }


def _seconds(measured):
    return measured["seconds"]


def _compared(place, found, round_trip):
    count = place.size.loop
    bound = place.size.fair_window
    for what in _LOOPS:
        figures = _figures(found[what, count], count)
        numbers = (figures["time_s"], figures["bound_s"])
        goal = _SECONDS / (count / QUOTA * bound)
        yield Comparison(GROUP, f"{count:,} {what}: time / plain bound", "s", *numbers, goal)
    numbers = (1e6 * found["append_row", count]["put_in"] / count, 1e6 * round_trip)
    yield Comparison(GROUP, "one call: put in / waited for", "us", *numbers, _ENQUEUE)


def _figures(measured, count):
    return {
        "time_s": measured["seconds"],
        "bound_s": measured["bound"],
        "requests": measured["requests"],
        "enqueue_us": 1e6 * measured["put_in"] / count,
        "process_mib": measured["peak_mib"],
    }


def _of_asyncio(measured, count):
    figures, most = _figures(measured, count), measured["connections"]
    del figures["enqueue_us"]  # all are put in at once
    note = _note(measured) or ("" if most <= _CONNECTIONS else "MORE CONNECTIONS THAN ALLOWED")
    return figures | {"connections": most}, note


def _note(measured):
    return "" if measured["is_right"] else "THE CELLS ARE NOT WHAT A PLAIN LOOP LEAVES"


def _measure(place, what, count, do="loop"):
    window = place.size.fair_window
    limits = [f"--{kind}-per-minute={QUOTA}" for kind in ("writes", "reads")] + [
        f"--quota-window={window}"
    ]
    with Emulated(place, LATENCY, limits) as google:
        server, user = google.server(*limits), google.user("queued")
        server.until_log("working as")
        key = user.ask(do="create", title="Book", rows=2 * count, columns=20)
        before = _requests(google)
        measured = user.ask(do=do, key=key, count=count, **({"what": what} if do == "loop" else {}))
        after = _requests(google)
    # One to open the spreadsheet, one for its sheet, and one that looks at what is left.
    return measured | {"requests": after - before - 3, "bound": count / QUOTA * window}


def _requests(google):
    with urlopen(f"{google.url}/emulator/summary") as answer:
        return json.load(answer)["requests"]


def _round_trip(place):
    """Return the seconds of one blocking call, with an emulator that answers at once."""
    with Emulated(place) as google:
        server, user = google.server(), google.user("queued")
        server.until_log("working as")
        key = user.ask(do="create", title="Book")
        return min(user.ask(do="script", key=key)[0] for _ in range(20))
