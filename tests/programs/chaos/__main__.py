"""``python -m tests.programs.chaos``: run seeds, print what came of each, and of all.

With ``--topology sentinels`` or ``--topology cluster`` it is masters of Redis that are struck, and
``--durability`` says what the servers wait for; see docs/architecture.md.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from .checker import is_foretold, violations
from .classes import ALL, VARIABLE, chosen, parse
from .failovers import ALONE, CLASSES, TOPOLOGIES, failovers_of
from .plan import plan_of
from .report import by_blow, causes_of, explained, named, shown, tally
from .world import run


def main(arguments=None):
    options = _parser().parse_args(arguments)
    total, causes, is_well = Counter(), Counter(), True
    run_one = partial(_run_one, options=options)
    with ProcessPoolExecutor(options.at_once) as pool:
        for counts, found, is_kept, told in pool.map(run_one, options.seeds):
            print(told, flush=True)
            total += counts
            causes += found
            is_well = is_well and is_kept
    print("\n".join([f"{len(options.seeds)} seeds: {shown(total)}", *by_blow(causes)]))
    return 0 if is_well else 1


def _run_one(seed, options):
    """Run a seed; return what was counted, by blow too, whether all is well, and what to tell."""
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{seed}-"))
    plan = _plan(seed, options)
    try:
        outcome = run(plan, folder)
    except Exception:  # noqa: BLE001 - the other seeds go on
        told = f"{named(plan)}: could not be run to its end: {traceback.format_exc()}"
        return Counter({"other violations": 1}), Counter(), False, told
    found = violations(outcome.evidence)
    broken = [violation for violation in found if not is_foretold(violation, plan)]
    counts = tally(outcome, found)
    told = [f"{named(plan)}: {shown(counts)}; {outcome.seconds:.1f} s", *map(explained, broken)]
    causes = causes_of(outcome, found)
    told += by_blow(causes)
    if broken or options.keep:
        told.append(f"  history and logs: {folder}")
    else:
        shutil.rmtree(folder)
    return counts, causes, not broken, "\n".join(told)


def _plan(seed, options):
    if options.topology == ALONE:
        return plan_of(seed, chosen() if options.classes is None else parse(options.classes))
    classes = CLASSES if options.classes is None else parse(options.classes, CLASSES)
    return failovers_of(seed, options.topology, options.durability, classes)


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tests.programs.chaos", description=__doc__)
    parser.add_argument("--seeds", type=_seeds, default=range(4), help="FROM-TO (default 0-3)")
    parser.add_argument("--seed", type=lambda text: [int(text)], dest="seeds", help="one alone")
    parser.add_argument(
        "--classes",
        help=f"all, none or some of {','.join(sorted(ALL))} (default {VARIABLE}, or all); with "
        f"another topology, of {','.join(sorted(CLASSES))} (default all)",
    )
    parser.add_argument("--topology", choices=TOPOLOGIES, default=ALONE, help="what Redis is")
    parser.add_argument(
        "--durability", choices=("local", "replicated"), default="local", help="with another one"
    )
    parser.add_argument("--at-once", type=int, default=1, help="how many seeds (default 1)")
    parser.add_argument("--keep", action="store_true", help="keep the histories in any case")
    return parser


def _seeds(text):
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


if __name__ == "__main__":
    sys.exit(main())
