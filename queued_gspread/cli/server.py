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
from queued_gspread.server.log import configure
from queued_gspread.server.policy.retry import DURABILITIES
from queued_gspread.settings import DEFAULT_LEASE, DEFAULT_MAX_MESSAGE_BYTES, DEFAULT_REDIS_URL

from .options import Parser, count, message_bytes, positive_seconds, seconds
from .output import warn

if TYPE_CHECKING:
    import argparse

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "Make the calls that clients put into the queue, in turn and within Google's quota, until "
    "SIGTERM, Ctrl-C or queued-gspread stop. It is the only one that needs Google's credentials. "
    "One server works in a namespace; more of them stand by."
)


def add_options(parser: Parser) -> None:
    """Add the server's options: the keyword arguments of :class:`Server`, and two for its log."""
    parser.queue_options()
    parser.section("Google")
    parser.option(
        "--service-account",
        "a service account's key file (default: gspread's own place, then "
        "GOOGLE_APPLICATION_CREDENTIALS)",
        metavar="FILE",
    )
    parser.flag("--oauth", "use the authorised-user file that gspread.oauth() writes")
    parser.flag("--adc", "use Application Default Credentials")
    parser.option("--api-key", "use an API key", metavar="KEY")
    parser.option(
        "--api-endpoint",
        "send what is meant for Google's hosts to this URL, path kept",
        metavar="URL",
    )
    _quota_options(parser)
    _merge_options(parser)
    _failure_options(parser)
    parser.section("beginning and end")
    parser.option(
        "--shutdown-timeout",
        "how long to wait at the end for requests under way (default %(default)s)",
        type=seconds,
        default=10.0,
        metavar="SECONDS",
    )
    parser.option(
        "--lease",
        "after how long without a sign of life one that stands by takes over (default %(default)s)",
        type=positive_seconds,
        default=DEFAULT_LEASE,
        metavar="SECONDS",
    )
    _limit_options(parser)
    parser.option(
        "--signing-key-file",
        "sign replies, and make signed calls alone: a file with a key that clients have too",
        metavar="FILE",
    )
    parser.option(
        "--replace-account",
        "once, to change the account that the namespace belongs to: the account that it was",
        metavar="ACCOUNT",
    )
    _log_options(parser)


def _quota_options(parser: Parser) -> None:
    parser.section("quota")
    for name, what, default in (
        ("reads", "how many reads the account may make in a minute", 60),
        ("writes", "how many writes the account may make in a minute", 60),
        ("project-reads", "how many of the project's reads are this namespace's", 300),
        ("project-writes", "how many of the project's writes are this namespace's", 300),
    ):
        parser.option(
            f"--{name}-per-minute",
            f"{what}; 0 for any number (default %(default)s)",
            type=count,
            default=default,
            metavar="NUMBER",
        )
    parser.option(
        "--quota-window",
        "the length of that minute, and of pauses in proportion; for an emulator and for tests "
        "(default %(default)s)",
        type=positive_seconds,
        default=60.0,
        metavar="SECONDS",
    )
    parser.option(
        "--interval",
        "the least time between two requests (default %(default)s)",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
    )

    parser.flag(
        "--no-fair",
        "let one spreadsheet take all requests of a minute as they come, beside others too",
    )


def _merge_options(parser: Parser) -> None:
    parser.section("merging")
    parser.flag("--no-merge", "send a request of its own for every call")
    parser.option(
        "--linger",
        "how long to wait, after calls that shared a request, for more to merge (default "
        "%(default)s)",
        type=seconds,
        default=0.005,
        metavar="SECONDS",
    )


def _failure_options(parser: Parser) -> None:
    parser.section("failures")
    parser.option(
        "--retry-for",
        "how long to go on sending a request that fails (default %(default)s)",
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
        "how long a spreadsheet is left alone after a write without a response, which may still "
        "land (default %(default)s)",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
    )
    parser.option(
        "--durability",
        "local, or replicated: what may not be sent twice waits until every replica of Redis that "
        "is up knows of it (default %(default)s)",
        choices=list(DURABILITIES),
        default="local",
    )
    parser.option(
        "--refresh-every",
        "renew the access token whenever that long has passed; 0 does so ahead of its expiry "
        "alone (default %(default)s)",
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
        "--max-message-bytes",
        "how large a job or a reply may be (default %(default)s)",
        type=message_bytes,
        default=DEFAULT_MAX_MESSAGE_BYTES,
        metavar="BYTES",
    )
    parser.option(
        "--max-memory-bytes",
        "how much memory calls may take at a time, by an estimate; others wait; 0 for any amount "
        "(default %(default)s)",
        type=count,
        default=DEFAULT_MAX_MEMORY,
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
    server = Server(
        redis_url=options.redis_url,
        namespace=options.namespace,
        service_account=options.service_account,
        oauth=options.oauth,
        adc=options.adc,
        api_key=options.api_key,
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
        max_message_bytes=options.max_message_bytes,
        max_memory_bytes=options.max_memory_bytes,
        signing_key_file=options.signing_key_file,
        replace_account=options.replace_account,
    )
    if options.redis_url is None:
        _start_redis()
    status = 0 if _until_told(server) else 1
    if server.has_calls_left:
        # Their threads may wait for Google for minutes yet; the next server knows of them.
        sys.stderr.flush()
        os._exit(status)
    return status


def _until_told(server: Server) -> bool:
    """Run a server; return whether it ended because it was told to.

    The main thread only waits, so that a signal is answered at once.
    """
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    server.start()
    while not told.wait(_LOOK) and server.is_running:
        pass
    was_told = told.is_set() or server.was_told_to_stop
    server.request_stop()
    try:
        server.wait()
    except QueuedGspreadError as error:
        warn(f"queued-gspread-server: {error}")
        return False
    return was_told


# Signals wake the wait by themselves; this is for a stop that comes through the queue.
_LOOK = 0.5


def _start_redis() -> None:
    """Start a Redis for this user where none is configured and none answers.

    Raises:
        ConfigurationError: There is none to start.

    """
    try:
        ensure_running(tell=warn)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"no Redis answers at {DEFAULT_REDIS_URL}, and none was started: {error}"
        ) from error
