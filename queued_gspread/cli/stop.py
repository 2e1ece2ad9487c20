"""``queued-gspread stop``: ask the server of a namespace to stop, from any machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from queued_gspread.broker import Callers, Servers
from queued_gspread.errors import ServerUnavailableError
from queued_gspread.settings import Settings

from .options import Parser, positive_seconds

if TYPE_CHECKING:
    import argparse

__all__ = ["add_options", "run"]

_LOOK = 0.1


def add_options(parser: Parser) -> None:
    """Add the options."""
    parser.queue_options()
    parser.option(
        "--stop-timeout",
        "how long to wait until it has stopped (default %(default)s)",
        type=positive_seconds,
        default=60.0,
        metavar="SECONDS",
    )


def run(options: argparse.Namespace) -> int:
    """Ask the server that works to stop, and wait until it has; return the exit status.

    Raises:
        ServerUnavailableError: No server works there, or it did not stop in time.
        BrokerUnavailableError: Redis cannot be reached.

    """
    settings = Settings.resolve(redis_url=options.redis_url, namespace=options.namespace)
    where = f"namespace {settings.namespace!r} at {settings.shown_url}"
    servers = Servers(settings)
    found = servers.working()
    alive = Callers(settings).alive()
    if found is None or alive is None or alive[0] > settings.grace:
        raise ServerUnavailableError(f"no server works in {where}: there is nothing to stop")
    server_id, about = found
    servers.request_stop(server_id)
    deadline = time.monotonic() + options.stop_timeout
    while _still_works(servers, server_id):
        if time.monotonic() > deadline:
            raise ServerUnavailableError(
                f"the server {about} in {where} was asked to stop and still works after "
                f"{options.stop_timeout:g} s: look at its log, or end its process"
            )
        time.sleep(_LOOK)
    print(f"stopped {about} in {where}")
    return 0


def _still_works(servers: Servers, server_id: str) -> bool:
    found = servers.working()
    return found is not None and found[0] == server_id
