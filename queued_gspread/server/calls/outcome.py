"""How a call ended, with the reply that its caller gets."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

import requests

from queued_gspread.broker import FAILED
from queued_gspread.broker.envelope import shown_size
from queued_gspread.errors import (
    CallTimeoutError,
    MessageTooLargeError,
    OutcomeUnknownError,
    PoisonedJobError,
    RemoteError,
)
from queued_gspread.google_api.responses import made_up_response, refusal
from queued_gspread.protocol import codec
from queued_gspread.protocol.messages import Reply
from queued_gspread.server.policy.check_hints import how_to_check
from queued_gspread.server.policy.request import Request, RequestDigest, tell_request

from .titles import quoted, title_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from queued_gspread.broker import Entry
    from queued_gspread.protocol.messages import Job
    from queued_gspread.server.replay.journal import Unanswered
    from queued_gspread.server.tally import Tally

__all__ = [
    "Outcome",
    "batches",
    "ended",
    "failed",
    "in_doubt",
    "late",
    "lost",
    "poisoned",
    "unknown",
]

# Bytes of replies that one script stores: everything else in Redis waits while it runs.
_MOST_ANSWERED: Final = 4_000_000
# Follows a hint on what to check, if no answer says that the request has ended.
_UPSERT: Final = (
    'look whether its keys are in the sheet; with existing="update" or "keep" the call does so '
    "itself"
)
_SETTLE: Final = "; under the key {!r} it is not sent again until `queued-gspread keys` settles it"
_LATE: Final = ", and once more after some time, since it may land late"


@dataclass(frozen=True)
class Outcome:
    """How a call ended.

    Attributes:
        word: For the log: ``ok``, the name of an exception's class, ``withdrawn``, ``late`` or
            ``left`` (in the queue, for the next server).
        reply: The encoded reply; empty if no caller waits for one.
        job: The job; None if it could not be read.
        tally: The requests that were sent for it; None for none.
        error: What it ended with, for the log.
        failure: What is kept of its failure; b'' for nothing.
        promise: What is kept under its idempotency key; b'' for nothing.

    """

    word: str
    reply: bytes = b""
    job: Job | None = None
    tally: Tally | None = None
    error: BaseException | None = None
    failure: bytes = b""
    promise: bytes = b""

    @property
    def sort(self) -> str:
        """What sort of end it is, in one of a few words."""
        if self.word in ("ok", "withdrawn", "late", "again", "replayed"):
            return self.word
        if isinstance(self.error, OutcomeUnknownError):
            return "unknown"
        return "poisoned" if isinstance(self.error, PoisonedJobError) else "failed"

    @property
    def failure_sort(self) -> str:
        """What sort of failure it is kept as."""
        return self.sort if self.sort in ("unknown", "poisoned") else FAILED

    @property
    def has_sent(self) -> bool:
        """Whether requests went out for it."""
        return self.tally is not None and self.tally.requests > 0

    @property
    def is_left(self) -> bool:
        """Whether the job stays in the queue."""
        return self.word == "left"

    def answer_to(self, entry: Entry) -> tuple[Entry, bytes]:
        """Return a job with its caller's timeout and its failure, and the reply to it.

        There is no reply without a job id.
        """
        # A job that could not be read has an unknown timeout.
        timeout = math.inf if self.job is None else self.job.timeout
        if self.job is not None and self.job.is_unattended:
            timeout = None  # its caller looks for the reply at once, if ever
        if timeout or self.failure or self.promise:
            wait = timeout or 0.0
            entry = replace(entry, timeout=wait, failure=self.failure, promise=self.promise)
        return entry, self.reply if entry.job_id else b""


def ended(reply: Reply, job: Job, tally: Tally, limit: int) -> Outcome:
    """Return the outcome of a call that has its reply; the reply may have ``limit`` bytes."""
    if reply.error is not None:
        return failed(reply.error, job, tally, reply)
    reply.requests = tally.share
    try:
        encoded = reply.encode()
        if len(encoded) <= limit:
            return Outcome("ok", encoded, job, tally)
        return failed(
            too_large("ok", len(encoded), limit), job, tally, Reply(changes=reply.changes)
        )
    except codec.Unencodable as error:
        failure = RemoteError(f"the result of {job.method} cannot travel: {error}")
        return failed(failure, job, tally, Reply(changes=reply.changes))


def failed(
    error: BaseException,
    job: Job | None,
    tally: Tally | None = None,
    reply: Reply | None = None,
) -> Outcome:
    """Return the outcome of a call that ends with an exception."""
    reply = reply or Reply()
    reply.result, reply.error = None, error
    reply.requests = 0.0 if tally is None else tally.share
    return Outcome(type(error).__name__, reply.encode(), job, tally, error)


def too_large(word: str, size: int, limit: int) -> MessageTooLargeError:
    """Return the error for a call that ended with ``word``, but with too large a reply."""
    how = "was made" if word == "ok" else f"ended with {word}"
    return MessageTooLargeError(
        f"the call {how}, but its result of {shown_size(size)} is larger than the server's limit "
        f"of {shown_size(limit)} (--max-message-bytes): ask for less at a time, such as a range"
    )


def late(job: Job, tally: Tally, pause: str = "") -> Outcome:
    """Return the outcome of a call whose deadline passed before it wrote anything.

    A pause of an operator's that held it up is given in words.
    """
    message = (
        f"{job.method}: by Redis's clock, the timeout of {job.timeout:g} s passed before the call "
        "wrote anything"
    )
    message += f". {pause[0].upper()}{pause[1:]}" if pause else ""
    error = CallTimeoutError(message)
    return Outcome("late", Reply(error=error).encode(), job, tally, error)


def lost(job: Job, unanswered: Unanswered, request: Request | None = None) -> Outcome:
    """Return the outcome of a call whose server stopped while a request was out.

    Args:
        job: The call's job.
        unanswered: What the journal says about the request.
        request: The request that the call waits for, if it can be found out.

    """
    error = _unknown("the server stopped before the answer came")
    sent = unanswered.sent
    if sent is not None:
        if request is None or RequestDigest.of(request) != sent:
            request = Request(sent.method, sent.endpoint)
        in_doubt(error, job, request, unanswered.at, unanswered.account)
        return failed(error, job)
    error.call = _shown(job)
    return failed(error, job)


def in_doubt(
    error: OutcomeUnknownError, job: Job, request: Request, at: float | None, account: str = ""
) -> OutcomeUnknownError:
    """Add to an error which request it is about and how to check its outcome; return it.

    Args:
        error: The error.
        job: The job of the call that the request was sent for.
        request: The request.
        at: When it was sent, in seconds of Redis's clock.
        account: The account that it was sent under, if that lent its quota.

    """
    sent = RequestDigest.of(request)
    tell_request(request, None, error.response)
    error.call = _shown(job)
    error.sent = f"{sent.method.upper()} {sent.endpoint}"
    error.sent_at = _moment(at)
    error.sent_as = account
    error.how_to_check = _UPSERT if job.name == "worksheet.upsert_rows" else how_to_check(request)
    if not error.response.status_code:
        error.how_to_check += _LATE
    if job.once is not None:
        error.how_to_check += _SETTLE.format(job.once.key)
    return error


def _shown(job: Job) -> str:
    title, caller = title_of(job), quoted(str(job.caller[0]))[1:-1]
    place = f" on {title}" if title not in ("-", "?") else ""
    # Only a client's own name: its host and process tell its user nothing new.
    who = f" by {caller}" if "@" in caller else ""
    return f"{job.kind}.{job.method}{place}{who}"


def _moment(at: float | None) -> datetime | None:
    try:
        return None if at is None else datetime.fromtimestamp(at, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None  # not written by this program


def poisoned(entry: Entry) -> Outcome:
    """Return the outcome of a call that servers have died with."""
    written = "It may have been made in part" if entry.mark in ("w", "j") else "It wrote nothing"
    message = (
        f"{entry.deaths} servers died while they had job {entry.job_id}, so it is not tried again. "
        f"{written}; the job is kept in Redis for inspection"
    )
    return failed(PoisonedJobError(message), None)


def unknown(answer: object, why: str) -> OutcomeUnknownError:
    """Return the error for a write that may or may not have been applied.

    Args:
        answer: The answer, if one came.
        why: What happened, in words.

    """
    # An answer with a status of success that was cut off says nothing.
    if isinstance(answer, requests.Response) and not answer.ok:
        return OutcomeUnknownError(refusal(answer))
    return _unknown(why)


def _unknown(message: str) -> OutcomeUnknownError:
    error = {"message": message, "status": "OUTCOME_UNKNOWN"}
    return OutcomeUnknownError(made_up_response(0, "OUTCOME_UNKNOWN", error))


def batches(
    ended: Sequence[tuple[Entry, Outcome]],
) -> Iterator[list[tuple[Entry, Outcome]]]:
    """Yield ended calls in batches so small that Redis handles each in a moment."""
    batch: list[tuple[Entry, Outcome]] = []
    size = 0
    for entry, outcome in ended:
        if batch and size + len(outcome.reply) > _MOST_ANSWERED:
            yield batch
            batch, size = [], 0
        batch.append((entry, outcome))
        size += len(outcome.reply)
    if batch:
        yield batch
