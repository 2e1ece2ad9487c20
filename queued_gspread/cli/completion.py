"""``queued-gspread completion``: what has a shell complete the commands and their options."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any, Final

from queued_gspread._install import how_to_install
from queued_gspread._variables import ENV_PREFIX
from queued_gspread.errors import ConfigurationError

from .output import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .options import Parser

__all__ = ["ABOUT", "SHELLS", "add_options", "run"]

ABOUT: Final = (
    "Print a script that has a shell complete the commands of queued-gspread and their options. It "
    "is made from the options themselves, so print it again after an upgrade."
)

SHELLS: Final = ("bash", "zsh", "fish")


def add_options(parser: Parser) -> None:
    """Add the options."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    parser.version_option()
    parser.example("completion bash > FILE", "FILE: see docs/operations.md")


def run(options: argparse.Namespace) -> int:
    """Print the script; return the exit status.

    Raises:
        ConfigurationError: The package that makes it is not there.

    """
    try:
        import shtab  # noqa: PLC0415 - for this command alone
    except ImportError as error:
        raise ConfigurationError(
            f"completion needs the package shtab: {how_to_install('completion')}"
        ) from error
    # A variable sets a default, and may be one that cannot be used.
    for name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
        del os.environ[name]
    parser = options.whole_parser()
    for action in _actions(parser):
        if action.metavar == "FILE":
            action.complete = shtab.FILE
    say(shtab.complete(parser, options.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[Any]:
    """Return the actions of a parser, and of those of its commands."""
    for action in parser._actions:  # noqa: SLF001 - there is no public name
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the same
            for command in action.choices.values():
                yield from _actions(command)
