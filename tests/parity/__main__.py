"""``python -m tests.parity``: make calls with plain gspread and through the queue, and compare."""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import multiprocessing
import operator
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "support"))

from queued_gspread.embedded import TemporaryRedis

from .session import limit_memory, run


def main(arguments=None):
    options = _parser().parse_args(arguments)
    with TemporaryRedis() as redis:
        tally = functools.reduce(operator.add, _parts(options, redis.url))
    print("\n".join(tally.lines(options.examples)))
    if options.methods:
        print("\n".join(f"{count:6} {name}" for name, count in sorted(tally.methods.items())))
    return 1 if tally.differences else 0


def _parts(options, redis_url):
    """Make the calls in several processes, and return the tally of each."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(options.workers, context, limit_memory) as pool:
        futures = [
            pool.submit(
                run,
                redis_url,
                options.seed,
                part,
                options.workers,
                options.calls,
            )
            for part in range(options.workers)
        ]
        return [future.result() for future in futures]


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("--calls", type=int, default=2500, help="how many (default 2500)")
    parser.add_argument("--seed", type=int, default=0, help="of the calls (default 0)")
    parser.add_argument("--workers", type=int, default=4, help="processes (default 4)")
    parser.add_argument("--examples", type=int, default=3, help="shown of a cause (default 3)")
    parser.add_argument("--methods", action="store_true", help="tell how many calls of each method")
    return parser


if __name__ == "__main__":
    sys.exit(main())
