"""``queued-gspread-server``: run the server until it is told to stop."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

from queued_gspread.embedded import ensure_running
from queued_gspread.errors import ConfigurationError, QueuedGspreadError
from queued_gspread.server import Server
from queued_gspread.server.calls.memory import DEFAULT_MAX_MEMORY
from queued_gspread.server.calls.promises import DEFAULT_MAX_KEY_BYTES, DEFAULT_MAX_KEYS
from queued_gspread.server.log import configure
from queued_gspread.server.policy.retry import DURABILITIES
from queued_gspread.server.sending.read_cache import DEFAULT_CACHE_BYTES
from queued_gspread.settings import DEFAULT_LEASE, DEFAULT_MAX_MESSAGE_BYTES, DEFAULT_REDIS_URL

from . import metrics
from .credentials import credentials_of, google_options
from .notify import Notifier, status_of
from .options import Parser, count, message_bytes, positive_seconds, seconds
from .output import warn

if TYPE_CHECKING:
    import argparse

__all__ = ["ABOUT", "add_options", "quota_options", "run"]

ABOUT: Final = (
    "Make the calls that clients put into the queue, in turn and within Google's quota, until "
    "SIGTERM, Ctrl-C or queued-gspread stop. Only the server needs Google's credentials. One "
    "server works in a namespace; any others stand by."
)


def add_options(parser: Parser) -> None:
    """Add the server's options: the keyword arguments of :class:`Server`, and its log's."""
    parser.queue_options()
    google_options(parser)
    quota_options(parser)
    _pace_options(parser)
    _merge_options(parser)
    _failure_options(parser)
    _life_options(parser)
    _limit_options(parser)
    _signing_options(parser)
    _log_options(parser)
    metrics.add_options(parser)
    parser.example("server --service-account key.json", "as that account")
    parser.example("server --redis-url redis://queue/0 --adc", "at another Redis")
    parser.example("server --writes-per-minute 300", "with a larger quota")


def _life_options(parser: Parser) -> None:
    parser.section("start and stop")
    parser.option(
        "--shutdown-timeout",
        "how long to wait for unfinished requests when it stops (default %(default)s)",
        type=seconds,
        default=10.0,
        metavar="SECONDS",
    )
    parser.option(
        "--lease",
        "how long a server may be silent before one that stands by takes over (default "
        "%(default)s)",
        type=positive_seconds,
        default=DEFAULT_LEASE,
        metavar="SECONDS",
    )


def _signing_options(parser: Parser) -> None:
    parser.option(
        "--signing-key-file",
        "sign replies and make only signed calls: a file with a key that clients have too",
        metavar="FILE",
    )
    parser.option(
        "--replace-account",
        "use once to change the account that the namespace belongs to: the account until now",
        metavar="ACCOUNT",
    )


def quota_options(parser: Parser) -> None:
    """Add the options that say how many requests may be sent."""
    parser.section("quota")
    for name, about, default in (
        ("reads", "how many reads the account may make in a minute", 60),
        ("writes", "how many writes the account may make in a minute", 60),
        ("project-reads", "how many of the project's reads are this namespace's", 300),
        ("project-writes", "how many of the project's writes are this namespace's", 300),
    ):
        parser.option(
            f"--{name}-per-minute",
            f"{about}; 0 for any number (default %(default)s)",
            type=count,
            default=default,
            metavar="NUMBER",
        )
    parser.option(
        "--quota-window",
        "the length of that minute; pauses scale with it; for emulators and tests (default "
        "%(default)s)",
        type=positive_seconds,
        default=60.0,
        metavar="SECONDS",
    )


def _pace_options(parser: Parser) -> None:
    parser.option(
        "--interval",
        "the least time between two requests as one account (default %(default)s)",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
    )

    parser.flag(
        "--no-fair",
        "let one spreadsheet take all requests of a minute, even if others wait",
    )


def _merge_options(parser: Parser) -> None:
    parser.section("merging")
    parser.flag("--no-merge", "send a separate request for every call")
    parser.option(
        "--linger",
        "after a merged request, how long to wait for more calls to merge (default %(default)s)",
        type=seconds,
        default=0.005,
        metavar="SECONDS",
    )


def _failure_options(parser: Parser) -> None:
    parser.section("failures")
    parser.option(
        "--retry-for",
        "how long to retry a request that fails (default %(default)s)",
        type=seconds,
        default=600.0,
        metavar="SECONDS",
    )
    parser.option(
        "--request-timeout",
        "how long Google may be silent during a request (default %(default)s)",
        type=positive_seconds,
        default=180.0,
        metavar="SECONDS",
    )
    parser.option(
        "--late-write-guard",
        "how long to leave a spreadsheet alone after a write without a response, since that may "
        "still land (default %(default)s)",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
    )
    parser.option(
        "--durability",
        "local, or replicated: a non-idempotent request waits until every replica of Redis that "
        "is up has its journal (default %(default)s)",
        choices=list(DURABILITIES),
        default="local",
    )
    parser.option(
        "--refresh-every",
        "how often to renew the access token; 0 renews it only ahead of its expiry (default "
        "%(default)s)",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
    )


def _limit_options(parser: Parser) -> None:
    parser.section("limits and signing")
    parser.option(
        "--max-queue",
        "how many calls may wait in the namespace; 0 for any number (default %(default)s)",
        type=count,
        default=100_000,
        metavar="NUMBER",
    )
    parser.option(
        "--max-keys",
        "how many calls may be kept under idempotency keys; 0 for any number (default %(default)s)",
        type=count,
        default=DEFAULT_MAX_KEYS,
        metavar="NUMBER",
    )
    parser.option(
        "--max-key-bytes",
        "how much of Redis's memory they may take; 0 for any amount (default %(default)s)",
        type=count,
        default=DEFAULT_MAX_KEY_BYTES,
        metavar="BYTES",
    )
    parser.option(
        "--max-message-bytes",
        "how large a job or a reply may be (default %(default)s)",
        type=message_bytes,
        default=DEFAULT_MAX_MESSAGE_BYTES,
        metavar="BYTES",
    )
    parser.option(
        "--max-memory-bytes",
        "how much memory calls may take at a time, by estimate; others wait; 0 for any amount "
        "(default %(default)s)",
        type=count,
        default=DEFAULT_MAX_MEMORY,
        metavar="BYTES",
    )
    parser.option(
        "--cache-bytes",
        "how much memory answers may take that are kept for calls with a max_age; 0 to keep none "
        "(default %(default)s)",
        type=count,
        default=DEFAULT_CACHE_BYTES,
        metavar="BYTES",
    )


def _log_options(parser: Parser) -> None:
    parser.section("log")
    parser.option(
        "--log-level",
        "debug, info, warning or error (default %(default)s); info has a line for every call",
        choices=["debug", "info", "warning", "error"],
        type=str.lower,
        default="info",
    )
    parser.option(
        "--log-format",
        "text or json (default %(default)s)",
        choices=["text", "json"],
        default="text",
    )


def run(options: argparse.Namespace) -> int:
    """Run the server until SIGTERM, SIGINT or ``queued-gspread stop``; return the exit status.

    Raises:
        QueuedGspreadError: The server could not start; the text says why.

    """
    configure(options.log_level, options.log_format)
    notifier = Notifier()
    server = Server(
        redis_url=options.redis_url,
        namespace=options.namespace,
        **credentials_of(options),
        api_endpoint=options.api_endpoint,
        request_timeout=options.request_timeout,
        reads_per_minute=options.reads_per_minute,
        writes_per_minute=options.writes_per_minute,
        project_reads_per_minute=options.project_reads_per_minute,
        project_writes_per_minute=options.project_writes_per_minute,
        quota_window=options.quota_window,
        interval=options.interval,
        retry_for=options.retry_for,
        late_write_guard=options.late_write_guard,
        refresh_every=options.refresh_every,
        no_fair=options.no_fair,
        no_merge=options.no_merge,
        linger=options.linger,
        durability=options.durability,
        shutdown_timeout=options.shutdown_timeout,
        lease=options.lease,
        max_queue=options.max_queue,
        max_keys=options.max_keys,
        max_key_bytes=options.max_key_bytes,
        max_message_bytes=options.max_message_bytes,
        max_memory_bytes=options.max_memory_bytes,
        cache_bytes=options.cache_bytes,
        signing_key_file=options.signing_key_file,
        replace_account=options.replace_account,
    )
    metrics.serve(server, options)
    if options.redis_url is None:
        _start_redis()
    status = 0 if _run_until_stopped(server, notifier) else 1
    if server.has_calls_left:
        # Their threads may wait for Google for minutes; the next server takes care of them.
        sys.stderr.flush()
        os._exit(status)
    return status


def _run_until_stopped(server: Server, notifier: Notifier) -> bool:
    """Run a server; return whether it ended because it was asked to.

    The main thread only waits, so that a signal is handled at once.
    """
    signalled = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: signalled.set())
    notifier.tell("starts")
    server.start()
    notifier.tell(status_of(server), READY="1")
    while not signalled.wait(_LOOK) and server.is_running:
        notifier.tell(status_of(server))
        notifier.feed(server.pulse.beat)
    was_asked = signalled.is_set() or server.was_told_to_stop
    notifier.tell("stops: waits for the requests in the air", STOPPING="1")
    server.request_stop()
    try:
        server.wait()
    except QueuedGspreadError as error:
        warn(f"queued-gspread-server: {error}")
        return False
    return was_asked


# Signals end the wait at once; this is for a stop that comes through the queue,
# and for the service manager.
_LOOK = 0.5


def _start_redis() -> None:
    """Start a Redis for this user if none is configured and none answers.

    Raises:
        ConfigurationError: There is no Redis to start.

    """
    try:
        ensure_running(tell=warn)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"no Redis answers at {DEFAULT_REDIS_URL}, and none was started: {error}"
        ) from error
