"""``python -m tests.programs.measure``: make all loads in all ways, and print one table."""

from __future__ import annotations

import argparse
import math
import sys

from .loads import LOADS
from .stage import LIMIT, measure
from .ways import WAYS

WINDOW, QUICK_WINDOW = 6.0, 1.0
QUICK_CAP = 20.0
_ROW = "{:<49} {:<20} {:>6} {:>9} {:>8} {:>9} {:>7} {:>7} {:>7}"
_HEAD = ("what", "way", "calls", "requests", "refused", "seconds", "right", "failed", "there")


def main(arguments=None):
    options = _parser().parse_args(arguments)
    window, cap = (QUICK_WINDOW, QUICK_CAP) if options.quick else (WINDOW, math.inf)
    print(f"quota: {LIMIT} reads and {LIMIT} writes in {window:g} s; '>': not ended, given up")
    print(_ROW.format(*_HEAD), flush=True)
    for name in options.loads:
        load = LOADS[name].shortened() if options.quick else LOADS[name]
        found = {}
        for way in options.ways:
            found[way] = measure(load, way, window=window, cap=min(cap, WAYS[way].cap))
            print(_shown(load, way, found[way]), flush=True)
        print(*_gains(load, found), sep="\n", flush=True)
    return 0


def _shown(load, way, found):
    seconds = f"{'' if found.is_whole else '>'}{found.seconds:.1f}"
    counts = (load.total, found.requests, found.refused, seconds)
    return _ROW.format(str(load), WAYS[way].name, *counts, found.right, found.failed, found.there)


def _gains(load, found):
    """Yield what merging saves, in words."""
    if "merged" in found:
        merged = found["merged"]
        yield f"  {load.total / merged.requests:.1f} calls a request when merged"
        if "no-merge" in found:
            faster = found["no-merge"].seconds / merged.seconds
            yield f"  {faster:.1f} times faster than with --no-merge"


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tests.programs.measure", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer calls, a shorter window")
    parser.add_argument("--loads", nargs="+", choices=LOADS, default=list(LOADS))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    return parser


if __name__ == "__main__":
    sys.exit(main())
