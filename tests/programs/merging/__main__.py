"""``python -m tests.programs.merging``: compare merged with unmerged calls in many histories."""

from __future__ import annotations

import argparse
import sys
import time

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from . import ages, aging, upserts
from .bursts import BURSTS, USUAL
from .equivalence import Tally, check
from .histories import histories


def main(arguments=None):
    options = _parser().parse_args(arguments)
    tally, typed_tally, began = Tally(), Tally(), time.monotonic()

    @seed(options.seed)
    @settings(
        max_examples=options.histories,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, *((Phase.shrink,) if options.shrink else ())),
        print_blob=False,
    )
    @given(_histories(options), aging.histories() if options.max_age else st.none())
    def every_history(history, typed):
        check(history, tally)
        if typed is not None:
            aging.check(typed, typed_tally)

    every_history()
    if options.max_age:
        print(f"what somebody else types meanwhile:\n{typed_tally}\nwhat only the queue writes:")
    print(f"{tally}\nnothing differs; {time.monotonic() - began:.0f} s")
    return 0


def _histories(options):
    if options.max_age:
        return ages.histories()
    return upserts.histories() if options.upserts else histories(options.kinds)


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
