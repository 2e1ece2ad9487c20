"""``queued-gspread emulator``: Google's Sheets and Drive APIs, on this machine."""

from __future__ import annotations

import contextlib
import errno
import socket
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Final

from queued_gspread._variables import warn_of_slips
from queued_gspread.errors import ConfigurationError, QueuedGspreadError

from .options import Listed, Parser, count, positive_seconds, seconds, titles
from .output import say, warn

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from queued_gspread.emulator import Emulator

__all__ = ["ABOUT", "add_options", "load_emulator", "run"]

ABOUT: Final = (
    "Run a local emulator of Google's Sheets and Drive APIs until SIGTERM or Ctrl-C. It makes no "
    "requests of its own and needs no Google account. Spreadsheets are kept in memory, unless "
    "--state names a file."
)


def add_options(parser: Parser) -> None:
    """Add the options."""
    parser.section("address and files")
    _place_options(parser)
    _behaviour_options(parser)
    parser.example("emulator --service-account-out key.json", "with a server's key")
    parser.example("emulator --port 8099 --state books.json", "what is written stays")


def _place_options(parser: Parser) -> None:
    parser.listening_options(
        sees="can read and change the spreadsheets", like="container", port_number=0
    )
    parser.option(
        "--service-account-out",
        "where to write the key file of a throw-away service account for it",
        metavar="FILE",
    )
    parser.option(
        "--lender-out",
        "where to write the key file of one more service account, whose quota a server may use as "
        "well; repeat the option for more",
        type=titles,
        action=Listed,
        default=[],
        metavar="FILE",
    )
    parser.option(
        "--state",
        "where to keep the spreadsheets, so that they outlive the process; created if missing",
        metavar="FILE",
    )


def _behaviour_options(parser: Parser) -> None:
    parser.section("what is there")
    for name, what in (
        ("share", "an empty spreadsheet of somebody's, shared with the service account"),
        ("shared-drive", "a shared drive that the service account is a member of"),
    ):
        parser.option(
            f"--{name}",
            f"the title of {what}; repeat the option for more",
            type=titles,
            action=Listed,
            default=[],
            metavar="TITLE",
        )
    parser.flag(
        "--no-storage",
        "let service accounts own no files, as Google lets those of today: create() is refused "
        "outside a shared drive",
    )
    parser.section("behaviour")
    for kind in ("reads", "writes"):
        parser.option(
            f"--{kind}-per-minute",
            f"how many {kind} an account may make in a minute; more are refused with 429, as "
            "Google does; 0 for any number (default %(default)s)",
            type=count,
            default=0,
            metavar="N",
        )
    for kind in ("reads", "writes"):
        parser.option(
            f"--project-{kind}-per-minute",
            f"the same for the {kind} of all accounts together (default %(default)s)",
            type=count,
            default=0,
            metavar="N",
        )
    parser.option(
        "--quota-window",
        "the length of that minute (default %(default)s)",
        type=positive_seconds,
        default=60.0,
        metavar="SECONDS",
    )
    parser.option(
        "--quota-movement",
        "how that minute moves, which Google does not say: fixed begins anew at its bounds, "
        "staggered does so at other moments for each account, sliding is any that ends now, and "
        "lenient is the same but lets bursts through first (default %(default)s)",
        choices=("fixed", "staggered", "sliding", "lenient"),
        metavar="HOW",
        default="fixed",
    )
    parser.option(
        "--latency",
        "the time from a request's arrival to its answer (default %(default)s)",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
    )
    parser.option(
        "--append-race",
        "the time within which appends to one sheet overwrite each other, as Google's do; with 0 "
        "they take turns (default %(default)s)",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
    )
    parser.option(
        "--not-computed",
        "what happens when a formula is read that the emulator cannot compute: warn shows #NAME? "
        "and logs it, error answers with 501 (default %(default)s)",
        choices=("warn", "error"),
        default="warn",
    )


def load_emulator() -> type[Emulator]:
    """Return the emulator's class.

    Raises:
        ConfigurationError: The extra that it needs is not installed.

    """
    try:
        from queued_gspread.emulator import Emulator  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigurationError(str(error)) from error
    return Emulator


def run(options: argparse.Namespace) -> int:
    """Run the emulator until SIGTERM or SIGINT; return the exit status.

    Raises:
        ConfigurationError: The address or a file cannot be used, or the extra is not installed.
        QueuedGspreadError: The spreadsheets could not be saved at the end.

    """
    warn_of_slips()
    kind = load_emulator()
    _check_two_files(options)
    with _explained(options):
        emulator = kind(
            options.host,
            options.port,
            state=options.state,
            allowed_hosts=options.allow_host,
            latency=options.latency,
            append_race=options.append_race,
            not_computed=options.not_computed,
            storage=not options.no_storage,
        )
        _limit(emulator, options)
        while len(emulator.accounts) <= len(options.lender_out):
            emulator.add_account()
        there = _add_what_is_there(emulator, options)
        emulator.serve_forever(lambda: _say_where(emulator, options, there))
    return 0


def _check_two_files(options: argparse.Namespace) -> None:
    given = [("--service-account-out", options.service_account_out)]
    given += [("--lender-out", path) for path in options.lender_out]
    given += [("--state", options.state)]
    named = [(option, path) for option, path in given if path]
    for (one, path), (other, same) in combinations(named, 2):
        if Path(path).resolve() == Path(same).resolve():
            raise ConfigurationError(
                f"{one} and {other} are both {path}, and one would overwrite the other: name two "
                "files"
            )


def _add_what_is_there(emulator: Emulator, options: argparse.Namespace) -> list[str]:
    """Add what the options name, unless a state has it already; return what to say of it."""
    for title in options.share:
        if title not in emulator.spreadsheets:
            emulator.add_spreadsheet(title)
    for name in options.shared_drive:
        if name not in emulator.shared_drives:
            emulator.add_shared_drive(name)
    there = [(title, emulator.spreadsheets[title]) for title in options.share]
    there += [(name, emulator.shared_drives[name]) for name in options.shared_drive]
    return [f"{title!r} is shared with its service account: {key}" for title, key in there]


def _limit(emulator: Emulator, options: argparse.Namespace) -> None:
    emulator.quotas = replace(
        emulator.quotas,
        reads=options.reads_per_minute,
        writes=options.writes_per_minute,
        project_reads=options.project_reads_per_minute,
        project_writes=options.project_writes_per_minute,
        window=options.quota_window,
        movement=options.quota_movement,
    )


@contextlib.contextmanager
def _explained(options: argparse.Namespace) -> Iterator[None]:
    """Turn any failure into an error that fits on one line."""
    from queued_gspread.emulator import StateError, UnsavedError  # noqa: PLC0415 - an extra

    try:
        yield
    except UnsavedError as error:
        raise QueuedGspreadError(str(error)) from error
    except StateError as error:
        raise ConfigurationError(str(error)) from error
    except FileExistsError as error:
        raise ConfigurationError(f"{error.filename} {error.strerror}: name another file") from error
    except OSError as error:
        place, remedy = _blamed(error, options)
        raise ConfigurationError(f"{place} cannot be used ({error.strerror}): {remedy}") from error


def _blamed(error: OSError, options: argparse.Namespace) -> tuple[str, str]:
    """Return the file or the part of the address that failed, and the remedy."""
    if error.filename:
        return str(error.filename), "name another one"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"host {options.host}", "name an address of this machine"
    return f"port {options.port} of {options.host}", "name another one"


def _say_where(emulator: Emulator, options: argparse.Namespace, there: list[str]) -> None:
    key_file, lenders = options.service_account_out, options.lender_out
    if key_file is not None:
        emulator.write_service_account(key_file)
    for account, path in zip(emulator.accounts[1:], lenders, strict=False):
        account.write_service_account(path)
    say(f"Sheets and Drive are emulated at {emulator.url}")
    say("open that address in a browser to see the spreadsheets and the requests")
    if emulator.exposed:
        warning = "anybody who can reach this machine can read and change the spreadsheets"
        warn(f"Other machines may reach it: {warning}")
    for line in there:
        say(line)
    if key_file is None:
        return
    say(f"its service account is in {key_file}; start a server for it with")
    names = " ".join(f"--service-account {path}" for path in (key_file, *lenders))
    say(f"  queued-gspread-server {names} --api-endpoint {emulator.url}")
    say("a plain gspread script needs an adapter (docs/emulator.md, As a process):")
    adapter = f'EmulatorAdapter("{emulator.url}")'
    say(f'  client.http_client.session.mount("https://", {adapter})')
    if emulator.storage:
        say("its service account may own files, as Google's of today may not: --no-storage")
