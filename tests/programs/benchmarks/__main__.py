"""``python -m tests.programs.benchmarks``: measure, print one table, and write it."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from pathlib import Path

from queued_gspread.embedded import TemporaryRedis

from .contenders import ECHOES, missing
from .place import FULL, QUICK, Place
from .plots import draw
from .round_trip import measure
from .suite import BENCHMARKS, as_json, machine, run
from .table import table


def main(arguments=None):
    options = _parser().parse_args(arguments)
    with _place(options) as place:
        if options.json_line:
            return _print_line(place, options.json_line)
        rows = run(place, options.only, tell=_tell)
        print(_heading(place))
        print(table(rows))
        if options.json:
            options.json.write_text(json.dumps(as_json(rows, place), indent=1) + "\n")
        if options.plots:
            draw(rows, options.plots)
    return 0


@contextlib.contextmanager
def _place(options):
    """Give what a run needs; its Redis is one of its own where none is named."""
    size = QUICK if options.quick else FULL
    with contextlib.ExitStack() as stack:
        url = options.redis_url or stack.enter_context(TemporaryRedis()).url
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-"))
        place = Place(url, Path(folder), size)
        stack.callback(place.clear)
        yield place


def _print_line(place, name):
    absent = missing(name)
    if absent:
        print(f"{name} needs {', '.join(absent)}: pip install '.[benchmarks]'", file=sys.stderr)
        return 2
    print(json.dumps({"name": name, **measure(place, [name])[name].figures()}))
    return 0


def _heading(place):
    on = machine(place.redis_url)
    told = ", ".join(f"{name} {what}" for name, what in on.items() if what and name != "system")
    return f"{told}\n"


def _tell(name):
    print(f"{name} …", file=sys.stderr, flush=True)


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.benchmarks", description=__doc__
    )
    parser.add_argument(
        "--redis-url", metavar="URL", help="a Redis that runs; by default one is started"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there, as JSON")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw charts there, as SVG")
    parser.add_argument(
        "--only", nargs="+", choices=list(BENCHMARKS), default=[], metavar="NAME",
        help=f"measure these alone: {', '.join(BENCHMARKS)}",
    )  # fmt: skip
    parser.add_argument(
        "--json-line", choices=ECHOES, metavar="NAME",
        help=f"print one line of one way to make a call: {', '.join(ECHOES)}",
    )  # fmt: skip
    parser.add_argument(
        "--quick", action="store_true", help="measure little, to see that everything runs"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
