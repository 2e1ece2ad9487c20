"""``queued-gspread health``: whether a queue works, as an exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from queued_gspread.broker.sandbox import check_server
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.monitor import look
from queued_gspread.settings import Settings

from .options import positive_seconds, seconds
from .output import say
from .screen import seconds as shown

if TYPE_CHECKING:
    import argparse

    from queued_gspread.monitor import Snapshot

    from .options import Parser

__all__ = ["ABOUT", "add_options", "run", "troubles"]

ABOUT: Final = (
    "Find out whether a queue works: Redis answers, a server works, it has an access token, and no "
    "call is older than --max-call-age. The exit status is 0 if so, else 1, with a line for each "
    "trouble. It takes no longer than --health-timeout."
)


def add_options(parser: Parser) -> None:
    """Add the options."""
    parser.queue_options()
    parser.option(
        "--max-call-age",
        "how old the oldest call may be; 0 for any age (default %(default)s)",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
    )
    parser.option(
        "--health-timeout",
        "how long it may take at the most (default %(default)s)",
        type=positive_seconds,
        default=5.0,
        metavar="SECONDS",
    )
    parser.example("health", "for a container's health check")
    parser.example("health --max-call-age 300 || page-somebody", "for cron")


def run(options: argparse.Namespace) -> int:
    """Say whether the queue works; return the exit status."""
    settings = Settings.resolve(redis_url=options.redis_url, namespace=options.namespace)
    check_server(settings)
    try:
        found = troubles(look(settings, options.health_timeout), options.max_call_age)
    except BrokerUnavailableError as error:
        found = [str(error)]
    for trouble in found:
        say(f"unhealthy: {trouble}")
    if not found:
        say(f"healthy: {settings.place}")
    return 1 if found else 0


def troubles(snapshot: Snapshot, max_call_age: float) -> list[str]:
    """Return what keeps a queue from working. Pure.

    Args:
        snapshot: The queue.
        max_call_age: How old the oldest call may be; 0 for any age.

    """
    worker = snapshot.worker
    if worker is None:
        return [snapshot.problems[0] if snapshot.problems else "no server works"]
    found = [] if worker.has_token else ["the server has no access token: see its log"]
    age = snapshot.oldest_call
    if age is not None and 0 < max_call_age < age:
        found.append(f"the oldest call has been there for {shown(age)}")
    return found
