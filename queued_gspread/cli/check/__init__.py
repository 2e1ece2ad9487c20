"""``queued-gspread check``: what stands between you and the first row."""

from __future__ import annotations

import contextlib
import json
import logging
from typing import TYPE_CHECKING, Final

import queued_gspread
from queued_gspread.broker.sandbox import check_server
from queued_gspread.cli.credentials import credentials_of, google_options
from queued_gspread.cli.output import say
from queued_gspread.cli.server import quota_options
from queued_gspread.server.pacing.quota import Quota
from queued_gspread.settings import Settings

from .findings import Finding, as_json, as_text, failed, is_well, ok, skipped, summary
from .of_credentials import Access
from .of_google import NAMES, Google
from .of_lenders import lender_finding, published_findings
from .of_redis import Queue
from .remedies import explain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from queued_gspread.cli.options import Parser

__all__ = ["ABOUT", "add_options", "run"]

ABOUT: Final = (
    "Check what stands between you and the first row: Redis, the server, its credentials, Google's "
    "APIs and a spreadsheet. Each line is ok or has the remedy; the status is 0 only if all is "
    "well. Nothing is written. If a server works, requests go through the queue; otherwise they "
    "are sent from here, with the options that the server would have."
)
# Seconds in which a server must answer.
_TIMEOUT: Final = 60.0


def add_options(parser: Parser) -> None:
    """Add the options: the server's that matter here, and those of the check."""
    parser.queue_options()
    parser.section("what to check")
    parser.option(
        "--spreadsheet",
        "also check whether this one is found, shared and may be changed",
        metavar="ID_OR_URL_OR_TITLE",
    )
    parser.flag("--json", "print one JSON object instead of lines")
    google_options(parser)
    quota_options(parser)
    parser.section("signing")
    parser.option(
        "--signing-key-file",
        "the key, if the server makes only signed calls",
        metavar="FILE",
    )
    parser.example("check --service-account key.json", "before a server starts")
    parser.example("check --spreadsheet Orders", "and one spreadsheet")


def run(options: argparse.Namespace) -> int:
    """Check everything; return 0 if all is well, else 1.

    Raises:
        ConfigurationError: An option cannot be used.

    """
    settings = Settings.resolve(
        redis_url=options.redis_url,
        namespace=options.namespace,
        timeout=_TIMEOUT,
        signing_key_file=options.signing_key_file,
    )
    check_server(settings)
    found = []
    with _silent_log():
        for finding in _findings(settings, options):
            found.append(finding)
            if not options.json:
                say(as_text(finding))
    say(json.dumps(as_json(found), indent=2) if options.json else summary(found))
    return 0 if is_well(found) else 1


def _findings(settings: Settings, options: argparse.Namespace) -> Iterator[Finding]:
    queue = Queue(settings, is_default=options.redis_url is None)
    yield from queue.findings()
    if queue.server:
        yield from _through_the_queue(settings, queue, options)
    else:
        yield from _from_here(queue.owner, settings.namespace, options)


def _through_the_queue(
    settings: Settings, queue: Queue, options: argparse.Namespace
) -> Iterator[Finding]:
    account = queue.owner or "the server's account"
    yield ok("credentials", f"the server has them: {account}")
    yield skipped("clock", "the server's machine has its own; its token shows that it will do")
    client = queued_gspread.authorize(
        redis_url=settings.redis_url,
        namespace=settings.namespace,
        timeout=_TIMEOUT,
        signing_key_file=settings.signing_key_file,
        caller="check",
    )
    google = Google(client.http_client.request, account)
    error = google.reach()
    if error is None:
        yield ok("token", "the server has one")
        yield skipped("scopes", "the server has them; what they leave out shows below")
        yield from google.findings(options.spreadsheet)
    else:
        yield failed("token", *explain(error, account))
        yield from (skipped(name, "no token") for name in ("scopes", *NAMES))
    is_of_spreadsheet = options.spreadsheet is not None
    yield from published_findings(queue.accounts, is_of_spreadsheet=is_of_spreadsheet)
    if queue.quota:
        yield ok("quota", f"the server assumes {queue.quota}{_for_each(len(queue.accounts))}")
    else:
        yield skipped("quota", "the server is of an earlier version, and does not say")


def _from_here(owner: str, namespace: str, options: argparse.Namespace) -> Iterator[Finding]:
    access = Access(credentials_of(options), options.api_endpoint, namespace)
    yield from access.findings(owner)
    key = None
    if access.client is None:
        yield from (skipped(name, "no token") for name in NAMES)
    else:
        request, place = access.client.http_client.request, options.api_endpoint or ""
        google = Google(request, access.account, place)
        google.reach()
        yield from google.findings(options.spreadsheet, is_api_key=access.is_api_key)
        key = google.key
    for number, lender in enumerate(access.lenders, 2):
        yield lender_finding(number, lender, key)
    yield _quota(options, 1 + len(access.lenders))


def _quota(options: argparse.Namespace, accounts: int) -> Finding:
    quota = Quota(
        options.reads_per_minute,
        options.writes_per_minute,
        options.project_reads_per_minute,
        options.project_writes_per_minute,
        options.quota_window,
    )
    return ok("quota", f"the server will assume {quota.about}{_for_each(accounts)}")


def _for_each(accounts: int) -> str:
    return f" for each of {accounts} accounts" if accounts > 1 else ""


@contextlib.contextmanager
def _silent_log() -> Iterator[None]:
    """Log nothing meanwhile: what is found is said by the check alone."""
    logger = logging.getLogger("queued_gspread")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
