"""One spreadsheet with calls without end, and another with few, under one quota."""

from __future__ import annotations

from .emulated import Emulated
from .figures import percentile
from .row import AT_LEAST, Comparison, Row

GROUP = "fairness"
QUOTA = 60
CALLERS = 20
ALONE = "A alone, queued"

# How many calls B makes at once, and what part of a window lies between.
_SELDOM, _TEN = (1, 1 / 6), (10, 5 / 6)
_CASES = {
    ALONE: (None, ()),
    "B one call a second, queued": (_SELDOM, ()),
    "B ten at once, queued": (_TEN, ()),
    "B one call a second, --no-fair": (_SELDOM, ("--no-fair",)),
    "B ten at once, --no-fair": (_TEN, ("--no-fair",)),
}
_SHARE_OF_A_WINDOW = 0.1
_LEFT_FOR_A = 0.95
_BOUND = 1.05


def run(place):
    results = {name: _measure(place, *case) for name, case in _CASES.items()}
    figures = {name: _figures(place, result) for name, result in results.items()}
    for name, of_case in figures.items():
        yield Row(GROUP, name, of_case)
    alone = figures[ALONE]
    yield Comparison(GROUP, f"{ALONE} / bound, time", "s", alone["a_s"], alone["bound_s"], _BOUND)
    for name, of_case in figures.items():
        if name != ALONE:
            yield from _compared(name, of_case, results[name]["request"])


def _compared(name, figures, request):
    has_goal = "no-fair" not in name
    numbers = (figures["b_p99_ms"], figures["window_ms"])
    goal = _SHARE_OF_A_WINDOW if has_goal and "one call" in name else None
    slack = round(1000 * request, 1)
    yield Comparison(GROUP, f"{name}: p99 of B / window", "ms", *numbers, goal, slack=slack)
    numbers = (figures["a_cps"], figures["left_cps"])
    goal = _LEFT_FOR_A if has_goal else None
    yield Comparison(GROUP, f"{name}: A / what B leaves", "cps", *numbers, goal, AT_LEAST)


def _measure(place, beside, options):
    size = place.size
    window = size.fair_window
    limits = [f"--writes-per-minute={QUOTA}", f"--quota-window={window}"]
    with Emulated(place, quota=limits) as google:
        server = google.server(*limits, "--no-merge", *options)
        user = google.user("queued")
        server.until_log("working as")
        keys = [user.ask(do="create", title=title) for title in ("A", "B")[: 1 + bool(beside)]]
        at_once, part = beside or (0, 1)
        return user.ask(
            do="contend",
            keys=keys,
            callers=CALLERS,
            count=size.fair_calls,
            at_once=at_once,
            every=window * part,
            rest=window,
        )


def _figures(place, result):
    window, seconds, waits = place.size.fair_window, result["seconds"], result["waits"]
    count = place.size.fair_calls
    if not waits:
        return {"a_s": seconds, "bound_s": max(1, count / QUOTA - 1) * window}
    return {
        "a_cps": count / seconds,
        "left_cps": QUOTA / window - len(waits) / seconds,
        "b_p50_ms": 1000 * percentile(waits, 0.5),
        "b_p99_ms": 1000 * percentile(waits, 0.99),
        "b_worst_ms": 1000 * max(waits),
        "window_ms": 1000 * window,
    }
