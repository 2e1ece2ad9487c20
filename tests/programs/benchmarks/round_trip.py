"""One small call there and back: the queue, the floor beneath it, and other task queues."""

from __future__ import annotations

from contextlib import ExitStack

from .contenders import ECHOES, missing
from .figures import latencies, median
from .pair import Pair
from .row import AT_LEAST, AT_MOST, Comparison, Row

GROUP = "round trip"
CALLERS = 16
_TOGETHER = f"par{CALLERS}_cps"
_WARM_UP = 50


class Echo:
    """What was measured of one contender."""

    def __init__(self):
        self.durations, self.rates, self.together = [], [], []

    def figures(self):
        return {
            **latencies(self.durations),
            "seq_cps": median(self.rates),
            _TOGETHER: median(self.together),
        }


def measure(place, names=ECHOES):
    """Return what was measured of contenders, by name; their turns alternate."""
    size = place.size
    with ExitStack() as stack:
        pairs = [stack.enter_context(_pair(place, name)) for name in names]
        for pair in pairs:
            pair.until_ready()
        found = {name: Echo() for name in names}
        for turn in range(size.rounds + 1):
            for pair in pairs:
                _measure_turn(pair, found[pair.name], size.calls, is_warm_up=turn == 0)
        return found


def _pair(place, name):
    where = {"redis_url": place.redis_url, "namespace": place.namespace()}
    return Pair(name, where, place.folder / f"{name}.log")


def _measure_turn(pair, found, calls, *, is_warm_up):
    with pair.turn() as caller:
        durations = caller.ask(do="sequence", count=_WARM_UP if is_warm_up else calls)
        each = max(1, calls // CALLERS)
        seconds = caller.ask(do="at_once", callers=CALLERS, count=each)
    if not is_warm_up:
        found.durations += durations
        found.rates.append(len(durations) / sum(durations))
        found.together.append(CALLERS * each / seconds)


def run(place):
    absent = {name: missing(name) for name in ECHOES}
    found = measure(place, [name for name in ECHOES if not absent[name]])
    figures = {name: echo.figures() for name, echo in found.items()}
    for name in ECHOES:
        note = f"not measured: {', '.join(absent[name])} not installed" if absent[name] else ""
        yield Row(GROUP, name, figures.get(name, {}), note)
    yield from compared(figures)


def compared(figures):
    """Return every contender against the floor; pure."""
    floor = figures.get("floor")
    if floor is None:
        return
    for name in (name for name in figures if name != "floor"):
        goal = 1.0 if name.startswith("queued") else None
        for figure, unit, sense in (("p50_us", "us", AT_MOST), (_TOGETHER, "cps", AT_LEAST)):
            numbers = (figures[name][figure], floor[figure])
            shown = figure.rpartition("_")[0]
            yield Comparison(GROUP, f"{name} / floor, {shown}", unit, *numbers, goal, sense)
