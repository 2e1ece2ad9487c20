"""``queued-gspread stop``: ask the server of a namespace to stop, from any machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import FORMAT, Consumer, Producer, shown_others
from queued_gspread.broker.operators import who_asks
from queued_gspread.broker.sandbox import check_server
from queued_gspread.errors import ServerUnavailableError
from queued_gspread.settings import Settings

from .options import Parser, positive_seconds
from .output import say

if TYPE_CHECKING:
    import argparse

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "Ask the server that works in a namespace to stop, from any machine, and wait until it has "
    "stopped. It finishes the requests that it has sent; calls that wait stay in the queue. If "
    "other servers stand by, one of them takes over at once. To stop them all, repeat this command "
    "until it says that no server works there."
)

_LOOK: Final = 0.1


def add_options(parser: Parser) -> None:
    """Add the options."""
    parser.queue_options()
    parser.option(
        "--stop-timeout",
        "how long to wait for it to stop (default %(default)s)",
        type=positive_seconds,
        default=60.0,
        metavar="SECONDS",
    )
    parser.example("stop", "wait for a minute")
    parser.example("stop --stop-timeout 200", "wait for longer")


def run(options: argparse.Namespace) -> int:
    """Ask the server that works to stop and wait until it has; return the exit status.

    Raises:
        ServerUnavailableError: No server works there, or it did not stop in time.
        BrokerUnavailableError: Redis cannot be reached.

    """
    settings = Settings.resolve(redis_url=options.redis_url, namespace=options.namespace)
    check_server(settings)
    where = settings.place
    queue = Producer(settings)
    state = queue.see()
    server = state.server
    if server is None or server.age > settings.grace:
        message = f"no server works in {where}: there is nothing to stop"
        if state.others:
            message += f" in queue format {FORMAT}, but {shown_others(state.others)} works there"
        raise ServerUnavailableError(message)
    Consumer(settings).request_stop(server.server_id, who_asks())
    deadline = time.monotonic() + options.stop_timeout
    while _still_works(queue, server.server_id):
        if time.monotonic() > deadline:
            raise ServerUnavailableError(
                f"the server {server.about} in {where} was asked to stop and still works after "
                f"{options.stop_timeout:g} s: look at its log, or end its process"
            )
        time.sleep(_LOOK)
    say(f"stopped {server.about} in {where}")
    return 0


def _still_works(queue: Producer, server_id: str) -> bool:
    server = queue.alive()
    return server is not None and server.server_id == server_id
