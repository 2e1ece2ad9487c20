"""What is kept of calls under idempotency keys, so that each is made once.

A call asks for its key before each of its requests, in the script that marks it (``acquire.lua``),
and what came of it is kept in the script that answers it. So there is no moment between the two at
which a key says something else than mark and journal do, and a server that takes over needs
nothing but these.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from queued_gspread._clock import shown_utc
from queued_gspread.broker import spreadsheet_lane
from queued_gspread.broker.envelope import shown_size
from queued_gspread.broker.promises import (
    ANSWERED,
    BEGUN,
    FREE,
    MADE,
    MOST_ANSWER,
    UNKNOWN,
    claim,
    encoded,
)
from queued_gspread.errors import (
    AnswerNotKeptError,
    IdempotencyKeyError,
    IdempotencyKeyReusedError,
    OutcomeUnknownError,
    PoisonedJobError,
    QueuedGspreadError,
    SignatureError,
)
from queued_gspread.protocol.messages import Job, NoObjects, Once, Reply
from queued_gspread.server.policy.promises import End, Promise, digest_of, end_of

from .call import JOURNALLED, MAY_HAVE_WRITTEN
from .outcome import Outcome, failed, unknown

if TYPE_CHECKING:
    from queued_gspread.broker import Consumer, Entry
    from queued_gspread.broker.promises import Kept
    from queued_gspread.protocol.signing import Keyring

    from .call import Call

__all__ = ["DEFAULT_MAX_KEYS", "DEFAULT_MAX_KEY_BYTES", "Bounds", "Promises", "promise_in"]

DEFAULT_MAX_KEYS: Final = 100_000
DEFAULT_MAX_KEY_BYTES: Final = 64 * 1024**2

_STATES: Final = {End.FINAL: ANSWERED, End.UNKNOWN: UNKNOWN, End.NOT_MADE: FREE}
# What else leaves it open whether a call was made, and tells so.
_SAY_SO: Final = (OutcomeUnknownError, PoisonedJobError)
_ONCE: Final = b'"once"'


@dataclass(frozen=True)
class Bounds:
    """How much may be kept; 0 for any number.

    Attributes:
        most: How many calls.
        most_bytes: How many bytes they may take.

    """

    most: int = DEFAULT_MAX_KEYS
    most_bytes: int = DEFAULT_MAX_KEY_BYTES


class Promises:
    """Reads and writes what is kept, for one epoch.

    Args:
        queue: The servers' side of the queue.
        namespace: Its namespace.
        keyring: Signs what is kept; None if nothing is signed.
        bounds: How much may be kept.

    """

    def __init__(
        self,
        queue: Consumer,
        namespace: str = "",
        keyring: Keyring | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        self._queue = queue
        self._namespace = namespace
        self._keyring = keyring
        self._bounds = bounds or Bounds()

    def of(self, entry: Entry, once: Once) -> Promise:
        """Return the key of a job's call."""
        return Promise(once, digest_of(entry.body, spreadsheet_lane(entry.lane)))

    def claim(self, promise: Promise) -> bytes:
        """Return what a call asks for before its requests."""
        bounds = self._bounds
        return claim(promise.field, promise.digest, bounds.most, bounds.most_bytes)

    def kept(self, call: Call) -> Outcome | None:
        """Return the outcome that a call has had before, under its key; None if it had none."""
        if call.promise is None:
            return None
        kept = self._queue.promise(call.promise.field, call.entry.job_id)
        return None if kept is None else self._outcome(call, call.promise, kept)

    def refused(self, call: Call, word: str) -> Outcome:
        """Return the outcome of a call that did not get its key."""
        if word == "full":
            return failed(IdempotencyKeyError(self._full(call)), call.job, call.tally)
        return self.kept(call) or failed(
            IdempotencyKeyError(
                f"{call.promise} was in use by another call a moment ago. This one was not made: "
                "make it again"
            ),
            call.job,
            call.tally,
        )

    def ended(self, call: Call, promise: Promise, outcome: Outcome) -> Outcome:
        """Return a call's outcome with what is to be kept of it."""
        if outcome.error is None and outcome.reply:
            state = ANSWERED if call.mark else FREE
        else:
            marks = {"is_marked": call.may_have_written, "is_journalled": call.mark == JOURNALLED}
            state = _STATES[end_of(outcome.error, call.exchanges, **marks)]
        return self._with(outcome, promise, state)

    def ended_unbegun(self, entry: Entry, outcome: Outcome) -> Outcome:
        """Return the same for a job whose call could not be begun, or not again.

        Nothing is to be kept unless an earlier run of the call may have written.
        """
        may_be_made = isinstance(outcome.error, OutcomeUnknownError)
        is_over = bool(outcome.reply) and not outcome.promise
        if not is_over or not (may_be_made or entry.mark in MAY_HAVE_WRITTEN):
            return outcome
        promise = promise_in(entry)
        return outcome if promise is None else self._with(outcome, promise, UNKNOWN)

    def _with(self, outcome: Outcome, promise: Promise, state: str) -> Outcome:
        word, answer = outcome.word, b""
        if state != FREE and outcome.reply:
            answer = _without_own(outcome.reply)
        if state == UNKNOWN and not isinstance(outcome.error, _SAY_SO):
            word, answer = OutcomeUnknownError.__name__, _unknown_after(promise, word)
        if len(answer) > MOST_ANSWER and state == ANSWERED:
            state, answer = MADE, _digest_of_answer(outcome.word, answer)
        elif len(answer) > MOST_ANSWER:
            word, answer = OutcomeUnknownError.__name__, _unknown_after(promise, word)
        field, keep = promise.field.encode(), round(promise.once.keep * 1000)
        head = f"{state} {keep} {len(field)} ".encode() + field
        kept = encoded(
            self._keyring, self._namespace, promise.field, promise.digest, state, word, answer
        )
        return replace(outcome, promise=b" ".join((head, kept)))

    def _outcome(self, call: Call, promise: Promise, kept: Kept) -> Outcome:
        if kept.digest != promise.digest:
            return failed(_reused(promise), call.job)
        if kept.state == BEGUN:
            return failed(_lost(promise, "has no outcome"), call.job)
        try:
            word, answer = kept.decoded(self._keyring, self._namespace, promise.field)
        except SignatureError as error:
            return failed(_unsigned(promise, error), call.job)
        if kept.state == MADE:
            return failed(_not_kept(promise, kept.since, answer), call.job)
        raised = None if word == "ok" else _error_in(answer)
        return Outcome(word, answer, call.job, error=raised)

    def _full(self, call: Call) -> str:
        bounds = self._bounds
        return (
            f"{call.promise} is new, and no more can be kept: a server keeps {bounds.most} calls "
            f"(--max-keys) and {bounds.most_bytes} bytes (--max-key-bytes) of its namespace at "
            "most, and drops none before its time. The call was not made. Give the server larger "
            "bounds, or keys a shorter keep=; settle unknown outcomes with `queued-gspread keys`"
        )


def promise_in(entry: Entry) -> Promise | None:
    """Return the key of a job that may not have been verified; None if it has none."""
    if _ONCE not in entry.body:
        return None
    body = entry.body[max(0, entry.body.find(b"{")) :]  # without a signature
    try:
        job = Job.decode(body, NoObjects())
        digest = digest_of(body, spreadsheet_lane(entry.lane))
    except QueuedGspreadError:
        return None  # it is no job
    return None if job.once is None else Promise(job.once, digest)


def _without_own(reply: bytes) -> bytes:
    """Return a reply as another caller may get it: without its requests, and what it has counted.

    A worksheet that was opened since has the rows that were appended.
    """
    message: dict[str, Any] = json.loads(reply)
    message.pop("requests", None)
    message["changes"] = [change for change in message["changes"] if change[0] != "add"]
    text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def _digest_of_answer(word: str, answer: bytes) -> bytes:
    how = "it was made" if word == "ok" else f"it ended with {word}"
    digest = hashlib.sha256(answer).hexdigest()
    size = shown_size(len(answer))
    return f"{how}, and its answer of {size} (SHA-256 {digest}) was not kept".encode()


def _lost(promise: Promise, how: str) -> OutcomeUnknownError:
    return unknown(
        None,
        f"an earlier call under {promise} {how}: look whether it was made, and settle it with "
        "`queued-gspread keys`",
    )


def _unknown_after(promise: Promise, word: str) -> bytes:
    """Return the reply to later calls where the one that may have been made ended otherwise."""
    return failed(_lost(promise, f"ended with {word}"), None).reply


def _error_in(answer: bytes) -> BaseException | None:
    try:
        return Reply.decode(answer, NoObjects()).error
    except QueuedGspreadError:
        return None  # the caller is told what is wrong with it


def _reused(promise: Promise) -> IdempotencyKeyReusedError:
    return IdempotencyKeyReusedError(
        f"{promise} was used for another call: another method, spreadsheet or other arguments. "
        "This one was not made. Give each piece of work a key of its own, and make the same calls "
        "in the same order under it"
    )


def _unsigned(promise: Promise, error: SignatureError) -> SignatureError:
    return SignatureError(
        f"what Redis has of {promise} cannot be believed: {error}. The call was not made now; "
        "whether it was made before is not known. Find out who else writes to this Redis, and "
        "settle it with `queued-gspread keys`"
    )


def _not_kept(promise: Promise, since: float, answer: bytes) -> AnswerNotKeptError:
    moment = shown_utc(since)
    return AnswerNotKeptError(
        f"the call under {promise} has ended at {moment}: {answer.decode(errors='replace')}. It "
        "was not made again"
    )
