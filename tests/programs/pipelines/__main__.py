"""``python -m tests.programs.pipelines``: compare pipelined calls with plain loops."""

from __future__ import annotations

import argparse
import sys
import time

from queued_gspread.embedded import TemporaryRedis
from tests.parity.sides import both

from .histories import differences


def main(arguments=None):
    options = _parser().parse_args(arguments)
    began, wrong = time.monotonic(), 0
    with TemporaryRedis() as redis, both("pipelines", redis.url) as sides:
        for seed in range(options.seed, options.seed + options.histories):
            found = differences(seed, sides)
            if found:
                wrong += 1
                print(f"history {seed}:", *found, sep="\n ")
    print(f"{options.histories} histories, {wrong} differ; {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tests.programs.pipelines", description=__doc__)
    parser.add_argument("--histories", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of the first (default 0)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
