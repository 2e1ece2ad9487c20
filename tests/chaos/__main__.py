"""``python -m tests.chaos``: run seeds, print what came of each, and of all."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from .checker import violations
from .classes import ALL, VARIABLE, chosen, parse
from .plan import plan_of
from .report import explained, named, shown, tally
from .world import run


def main(arguments=None):
    options = _parser().parse_args(arguments)
    total, is_well = Counter(), True
    for seed in options.seeds:
        folder = Path(tempfile.mkdtemp(prefix=f"chaos-{seed}-"))
        counts, is_kept = _run_one(seed, options.classes, folder)
        total += counts
        is_well = is_well and is_kept
        if is_kept and not options.keep:
            shutil.rmtree(folder)
        else:
            print(f"  history and logs: {folder}", flush=True)
    print(f"{len(options.seeds)} seeds: {shown(total)}")
    return 0 if is_well else 1


def _run_one(seed, classes, folder):
    """Run a seed and tell of it; return what was counted, and whether all rules were kept."""
    plan = plan_of(seed, classes)
    outcome = run(plan, folder)
    broken = violations(outcome.evidence)
    counts = tally(outcome, broken)
    print(f"{named(plan)}: {shown(counts)}; {outcome.seconds:.1f} s", flush=True)
    for violation in broken:
        print(explained(violation), flush=True)
    return counts, not broken


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=_seeds, default=range(4), help="FROM-TO (default 0-3)")
    parser.add_argument("--seed", type=lambda text: [int(text)], dest="seeds", help="one alone")
    parser.add_argument(
        "--classes",
        type=parse,
        default=chosen(),
        help=f"all, none or some of {','.join(sorted(ALL))} (default {VARIABLE}, or all)",
    )
    parser.add_argument("--keep", action="store_true", help="keep the histories in any case")
    return parser


def _seeds(text):
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


if __name__ == "__main__":
    sys.exit(main())
