"""``python -m tests.programs.locks``: hold histories of locks and upserts against serial orders."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from queued_gspread.embedded import TemporaryRedis

from .world import world


def main(arguments=None):
    options = _parser().parse_args(arguments)
    began, wrong, counts = time.monotonic(), 0, Counter()
    with TemporaryRedis() as redis, world(redis.url) as place:
        for seed in range(options.seed, options.seed + options.histories):
            made, is_serial = place.history(seed)
            counts.update(counted(made))
            if not is_serial:
                wrong += 1
                print(f"history {seed}:", *map(shown, made), sep="\n  ", flush=True)
    told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    print(
        f"{options.histories} histories, {wrong} have no serial order; {told}; "
        f"{time.monotonic() - began:.0f} s"
    )
    return 1 if wrong else 0


def counted(made):
    """Return what a history was made of, counted."""
    results = Counter(
        f"{result[1]}s" for unit in made for _, result in unit.steps if _is_failure(result)
    )
    calls = Counter(f"{step.what} calls" for unit in made for step, _ in unit.steps)
    return results + calls + Counter({"units": len(made)})


def _is_failure(result):
    return isinstance(result, tuple) and result[0] == "error"


def shown(unit):
    """Return a unit as a line."""
    steps = "; ".join(
        f"{step.book} {step.what}{step.args} -> {result}" for step, result in unit.steps
    )
    return f"{unit.caller} {unit.began:.4f}-{unit.ended:.4f}: {steps}"


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tests.programs.locks", description=__doc__)
    parser.add_argument("--histories", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of the first (default 0)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
