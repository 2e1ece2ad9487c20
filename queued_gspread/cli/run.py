"""``python -m queued_gspread script.py``: run a program whose calls of gspread are queued."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Final

from queued_gspread._variables import ENV_PREFIX
from queued_gspread.errors import ConfigurationError

from .options import Parser, positive_seconds
from .program import run_module, run_script
from .swap import SwappingText, swap_gspread

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "Run a program with gspread's calls queued, without a change to it or to the libraries that it "
    "uses. Forked children and those of multiprocessing are included; other Python processes that "
    "it starts are not, unless they are started in this way too."
)


def add_options(parser: Parser) -> None:
    """Add the options, and what is to be run."""
    parser.queue_options()
    parser.option(
        "--timeout",
        "how long a call waits for its answer (default: without a limit while a server is alive)",
        type=positive_seconds,
        metavar="SECONDS",
    )
    parser.add_argument(
        "-m", dest="module", nargs=argparse.REMAINDER, help="run a module, with its arguments"
    )
    parser.add_argument("script", nargs=argparse.REMAINDER, help="or a script, with its arguments")
    parser.example("run script.py --its-option", "a script as it is")
    parser.example("run --timeout 60 -m package", "a module")


def run(options: argparse.Namespace) -> int:
    """Run the program; return the exit status.

    Raises:
        ConfigurationError: There is no such program, or none is named.

    """
    if not (options.module or options.script):
        raise ConfigurationError("say what to run: a script, or -m and a module")
    for name in ("redis_url", "namespace", "timeout"):
        value = getattr(options, name)
        if value is not None:
            os.environ[f"{ENV_PREFIX}{name.upper()}"] = str(value)
    program, *arguments = options.module or options.script
    sys.argv[:] = [SwappingText(program), *arguments]
    swap_gspread()
    return run_module(program) if options.module else run_script(program)
