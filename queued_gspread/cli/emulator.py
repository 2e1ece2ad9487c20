"""``queued-gspread emulator``: Google's Sheets and Drive APIs, on this machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from queued_gspread.errors import ConfigurationError

from .options import Parser, count, port, positive_seconds, seconds

if TYPE_CHECKING:
    import argparse

    from queued_gspread.emulator import Emulator

__all__ = ["add_options", "load_emulator", "run"]


def add_options(parser: Parser) -> None:
    """Add the options."""
    parser.option(
        "--port",
        "the port to listen on; 0 takes a free one (default %(default)s)",
        type=port,
        default=0,
        metavar="PORT",
    )
    parser.option(
        "--service-account-out",
        "where to write a throw-away service account's key file that works with it",
        metavar="FILE",
    )
    for kind in ("reads", "writes"):
        parser.option(
            f"--{kind}-per-minute",
            f"after how many {kind} of an account the next are refused with 429, as Google does; "
            "0 is never (default %(default)s)",
            type=count,
            default=0,
            metavar="N",
        )
    parser.option(
        "--quota-window",
        "the seconds that count as the minute of these (default %(default)s)",
        type=positive_seconds,
        default=60.0,
        metavar="SECONDS",
    )
    parser.option(
        "--latency",
        "the seconds from a request's arrival to its answer (default %(default)s)",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
    )
    parser.option(
        "--append-race",
        "the seconds in which appends to one sheet overwrite each other, as Google's do; with 0 "
        "they take turns (default %(default)s)",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
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
        ConfigurationError: The port is taken, the file cannot be written, or the extra is not
            installed.

    """
    emulator = load_emulator()(
        port=options.port, latency=options.latency, append_race=options.append_race
    )
    emulator.quotas = replace(
        emulator.quotas,
        reads=options.reads_per_minute,
        writes=options.writes_per_minute,
        window=options.quota_window,
    )
    try:
        emulator.serve_forever(lambda: _say_where(emulator, options.service_account_out))
    except OSError as error:
        place = error.filename or f"port {options.port}"
        raise ConfigurationError(
            f"{place} cannot be used ({error.strerror}): name another one"
        ) from error
    return 0


def _say_where(emulator: Emulator, key_file: str | None) -> None:
    if key_file is not None:
        emulator.write_service_account(key_file)
    print(f"Sheets and Drive are emulated at {emulator.url}", flush=True)
    if key_file is None:
        return
    print(f"its service account is in {key_file}; a server for it is started with", flush=True)
    print(
        f"  queued-gspread-server --service-account {key_file} --api-endpoint {emulator.url}",
        flush=True,
    )
