"""``python -m tests.programs.merging``: compare merged with unmerged calls in many histories."""

from __future__ import annotations

import argparse
import sys
import time

from hypothesis import HealthCheck, Phase, given, seed, settings

from . import ages, aging, lanes, upserts
from .bursts import BURSTS, USUAL
from .equivalence import Tally, check
from .histories import histories


def main(arguments=None):
    options = _parser().parse_args(arguments)
    for named, drawn, check_one in _kinds(options):
        began = time.monotonic()
        tally = _run(options, drawn, check_one)
        print(f"{named}{tally}\nnothing differs; {time.monotonic() - began:.0f} s", flush=True)
    return 0


def _run(options, drawn, check_one):
    """Check so many histories; return what they came to."""
    tally = Tally()

    @seed(options.seed)
    @settings(
        max_examples=options.histories,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, *((Phase.shrink,) if options.shrink else ())),
        print_blob=False,
    )
    @given(drawn)
    def every_history(history):
        check_one(history, tally)

    every_history()
    return tally


def _kinds(options):
    """Return the kinds of histories that are asked for: a heading, what draws them, the check."""
    if options.max_age:
        return [
            ("One spreadsheet, to which only the queue writes: ", ages.histories(), check),
            ("Two spreadsheets: ", lanes.histories(), lanes.check),
            ("Somebody else types meanwhile: ", aging.histories(), aging.check),
        ]
    return [("", upserts.histories() if options.upserts else histories(options.kinds), check)]


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tests.programs.merging", description=__doc__)
    parser.add_argument("--histories", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of the histories (default 0)")
    parser.add_argument("--kinds", nargs="+", choices=BURSTS, default=USUAL, help="of calls")
    parser.add_argument("--upserts", action="store_true", help="among other calls")
    parser.add_argument(
        "--max-age", action="store_true", help="reads whose answers may be of some age"
    )
    parser.add_argument("--no-shrink", dest="shrink", action="store_false", help="stop at once")
    return parser


if __name__ == "__main__":
    sys.exit(main())
