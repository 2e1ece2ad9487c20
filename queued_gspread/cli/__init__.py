"""The two commands: ``queued-gspread-server``, and ``queued-gspread`` for everything else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from queued_gspread.errors import ConfigurationError, QueuedGspreadError

from . import (
    callers,
    check,
    completion,
    dashboard,
    demo,
    drain,
    emulator,
    health,
    jobs,
    keys,
    lanes,
    locks,
    outcomes,
    pause,
    purge,
    resume,
    run,
    server,
    status,
    stop,
)
from .options import Parser
from .output import READER_GONE, ReaderGoneError, prepare, warn

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

__all__ = ["COMMANDS", "main", "server_main", "with_command"]

COMMANDS: Final = (
    ("demo", demo, "see it work: no Google account, no Redis, no configuration"),
    ("server", server, "make the calls that clients put into the queue"),
    ("check", check, "find out what stands between you and the first row"),
    ("run", run, "run a script or a module, with gspread's calls queued"),
    ("status", status, "show a queue on one screen: servers, quota, waits, failures"),
    ("lanes", lanes, "show the spreadsheets whose calls are in the queue"),
    ("callers", callers, "show who puts calls into the queue"),
    ("dashboard", dashboard, "show queues on a page for the browser, and act on them there"),
    ("health", health, "find out whether a queue works, as an exit status"),
    ("stop", stop, "ask the server that works to stop; one that stands by takes over"),
    ("pause", pause, "send nothing more for now: all, one spreadsheet, reads or writes"),
    ("resume", resume, "end what was paused or drained"),
    ("drain", drain, "make the calls that are there, and take no new ones"),
    ("jobs", jobs, "list the calls that wait or are being made, show one, or cancel some"),
    ("outcomes", outcomes, "list the calls that failed, show one, export or dismiss them"),
    ("purge", purge, "cancel all calls that wait"),
    ("locks", locks, "show who holds the locks of spreadsheets, or break one"),
    ("keys", keys, "show what is kept under idempotency keys, or settle an outcome"),
    ("completion", completion, "have a shell complete commands and options"),
    ("emulator", emulator, "take Google's place on this machine, for trying and testing"),
)
_OWN_OPTIONS: Final = ("-h", "--help", "--version")


def server_main(arguments: Sequence[str] | None = None) -> int:
    """Run ``queued-gspread-server``; return the exit status."""
    prepare()
    parser = Parser("queued-gspread-server", description=server.ABOUT)
    server.add_options(parser)
    return _run(server.run, parser.parse_args(arguments), parser)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``queued-gspread``; return the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    named = next((word for word in arguments if not word.startswith("-")), "")
    if named != "run":  # a program's output is its own
        prepare()
    parser = _parser(named)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        options.parser.refuse(unknown)
    return _run(options.run, options, options.parser)


def _parser(named: str | None = None) -> Parser:
    """Return the parser of ``queued-gspread``, with the options of one command or of all."""
    parser = Parser(
        "queued-gspread",
        description="gspread for many processes: their calls wait in Redis, and one server makes "
        "them within Google's quota.",
        epilog="Each command has its own help, such as: queued-gspread server --help",
    )
    parser.version_option()
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, module, about in COMMANDS:
        command = commands.add_parser(name, help=about, description=module.ABOUT)
        if named in (name, None):
            # Only for the command that runs: an invalid variable of the server's must not stop
            # the other commands.
            module.add_options(command)
        command.set_defaults(run=module.run, parser=command, whole_parser=_parser)
    return parser


def with_command(arguments: Sequence[str]) -> Sequence[str]:
    """Return arguments with the command ``run``, unless they begin with a command."""
    names = (*_OWN_OPTIONS, *(name for name, _, _ in COMMANDS))
    return arguments if not arguments or arguments[0] in names else ["run", *arguments]


def _run(
    command: Callable[[argparse.Namespace], int], options: argparse.Namespace, parser: Parser
) -> int:
    """Run a command; print an error that a user can fix on one line. Exit with 2 for settings."""
    try:
        return command(options)
    except ReaderGoneError:
        return READER_GONE
    except QueuedGspreadError as error:
        warn(f"{parser.prog}: {error}")
        return 2 if isinstance(error, ConfigurationError) else 1
    except KeyboardInterrupt:
        return 130
