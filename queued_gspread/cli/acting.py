"""What the commands that act on a queue have in common: where, what, why, and who asks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from queued_gspread.broker import EVERYTHING, READS, WRITES
from queued_gspread.broker.operators import Operator
from queued_gspread.broker.sandbox import check_server
from queued_gspread.errors import ConfigurationError
from queued_gspread.protocol.routing import lane_name
from queued_gspread.settings import Settings

from .options import count
from .output import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from .options import Parser

__all__ = [
    "check_ids",
    "confirmed",
    "details",
    "job_arguments",
    "lane_in",
    "limit_option",
    "operator_for",
    "reason_option",
    "signing_option",
    "spreadsheet_option",
    "what_in",
    "what_options",
]


def spreadsheet_option(parser: Parser, about: str) -> None:
    """Add the option that names a spreadsheet."""
    parser.option("--spreadsheet", about, metavar="ID")


def what_options(parser: Parser) -> None:
    """Add the options that say what is paused."""
    spreadsheet_option(parser, "the id of the only spreadsheet that it is about")
    parser.flag("--reads", "only what reads")
    parser.flag("--writes", "only what writes")


def job_arguments(parser: Parser, *actions: str) -> None:
    """Add what a command does with jobs, which is to list them otherwise, and their ids."""
    parser.add_argument(
        "what",
        nargs="?",
        choices=["list", *actions],
        default="list",
        metavar="WHAT",
        help=f"list (what it does otherwise), {', '.join(actions[:-1])} or {actions[-1]}",
    )
    parser.add_argument("ids", nargs="*", metavar="JOB", help="the ids of the jobs")


def check_ids(command: str, options: argparse.Namespace, *, wants: bool) -> None:
    """Make sure that ids of jobs are given where they are wanted, and nowhere else.

    Raises:
        ConfigurationError: They are not.

    """
    if bool(options.ids) is not wants:
        what = "the ids of jobs" if wants else "no ids"
        raise ConfigurationError(f"{command} {options.what} takes {what}")


def limit_option(parser: Parser) -> None:
    """Add the option that says how many are listed."""
    parser.option(
        "--limit",
        "how many to list (default %(default)s)",
        type=count,
        default=100,
        metavar="NUMBER",
    )


def reason_option(parser: Parser) -> None:
    """Add the option that gives a reason."""
    parser.option(
        "--reason", "the reason, for callers and for the server's log", metavar="TEXT", default=""
    )


def signing_option(parser: Parser) -> None:
    """Add the option that names the signing keys."""
    parser.option(
        "--signing-key-file",
        "if callers sign: a copy of the server's key, so that they believe what they are told",
        metavar="FILE",
    )


def operator_for(options: argparse.Namespace) -> Operator:
    """Return what acts on the queue that the options name."""
    settings = Settings.resolve(
        redis_url=options.redis_url,
        namespace=options.namespace,
        signing_key_file=getattr(options, "signing_key_file", None),
    )
    check_server(settings)
    return Operator(settings)


def what_in(options: argparse.Namespace) -> str:
    """Return what the options name.

    Raises:
        ConfigurationError: They contradict each other.

    """
    if options.reads and options.writes:
        raise ConfigurationError("--reads and --writes together are everything: give neither")
    return READS if options.reads else WRITES if options.writes else EVERYTHING


def lane_in(options: argparse.Namespace) -> str:
    """Return the lane of the spreadsheet that the options name; '' for none."""
    return "" if options.spreadsheet is None else lane_name(options.spreadsheet)


def details(shown: Mapping[str, Any]) -> list[str]:
    """Return what is shown of one thing, a line for each part."""
    width = max(map(len, shown))
    return [f"{name.replace('_', ' '):{width}} {_value(value)}" for name, value in shown.items()]


def _value(value: Any) -> str:
    if value in (None, ""):
        return "-"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def confirmed(question: str, *, is_given: bool) -> bool:
    """Return whether the user agrees.

    Raises:
        ConfigurationError: Nobody can be asked.

    """
    if is_given:
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConfigurationError(f"{question} Nobody can be asked here: give --yes")
    say(f"{question} [y/N] ", end="")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
