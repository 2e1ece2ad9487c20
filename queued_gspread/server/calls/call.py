"""A call in progress: its job, its exchanges so far, and the request that it needs next."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import NO_UPDATE, AcquireArgs, JournalUpdate
from queued_gspread.server.merging import Mergeable, part
from queued_gspread.server.policy.idempotency import is_idempotent
from queued_gspread.server.policy.request import (
    Exchange,
    Failure,
    Recalled,
    RecordedExchange,
    Request,
    RequestDigest,
    is_read,
)
from queued_gspread.server.policy.retry import Attempts
from queued_gspread.server.policy.upsert_requests import UpsertRequest
from queued_gspread.server.replay.advance import sends_once
from queued_gspread.server.replay.journal import Journals, intend
from queued_gspread.server.tally import Tally

if TYPE_CHECKING:
    from queued_gspread._tracing import Span
    from queued_gspread.broker import Entry
    from queued_gspread.protocol.messages import Job
    from queued_gspread.server.policy.promises import Promise
    from queued_gspread.server.replay.advance import Decoded
    from queued_gspread.server.replay.held import Suspended

__all__ = ["JOURNALLED", "MAY_HAVE_WRITTEN", "MOST_BYTES", "Call", "Cohort"]

JOURNALLED: Final = "j"
"""The mark of a call whose journal must be read before it goes on."""

MOST_BYTES: Final = 1_000_000
"""Bytes of the jobs of calls that run together. The request may be twice as long, and Google
recommends at most 2 MB (https://developers.google.com/workspace/sheets/api/limits)."""

MAY_HAVE_WRITTEN: Final = ("w", JOURNALLED)
"""The marks of calls that may have written."""

# A job larger than this keeps digests of its requests: the next run makes them all again.
_LARGE: Final = 100_000


@dataclass(eq=False)
class Cohort:
    """Upserts that share their requests with each other alone, after a larger group failed.

    Attributes:
        attempts: The attempts at the failed request, which go on.

    """

    attempts: Attempts


@dataclass(eq=False)
class Call:
    """A call in progress.

    Attributes:
        entry: Its job, as it was let in.
        job: The decoded job, without its arguments: every run needs them as they came.
        exchanges: Its requests so far, with their outcomes.
        mark: How far it has certainly come: '' nothing was sent, 'r' it has only read, 'w' it may
            have made idempotent writes, 'j' its journal says how far.
        journalled: How many of the exchanges are in its journal.
        sent: How many attempts at its requests were made.
        tally: The requests that went out for it.
        journal_update: What its journal must hold before the next request; None until that is
            worked out.
        began: When it was begun, on this machine's monotonic clock.
        held: Its run, if that is held at the request that it needs next.
        decoded: Its job with the arguments, for the first run.
        is_as_listed: Whether its method does what ``policy.gspread_methods`` lists it for, as far
            as this server has seen.
        is_suspect: Whether the request that it needs next has failed before, for another call.
        cohort: The calls that it shares requests with, if it is an upsert and not with all.
        span: Its span; None if this server does not trace.
        promise: Its idempotency key; None without one.
        claim: What it asks Redis for before each request, on account of that.
        is_out: Whether that request was sent and its outcome is not known.
        request: That request. It is there from :meth:`needs` to :meth:`answered`: it may be large.

    """

    entry: Entry
    job: Job
    exchanges: list[Exchange | RecordedExchange] = field(default_factory=list)
    mark: str = ""
    journalled: int = 0
    sent: int = 0
    tally: Tally = field(default_factory=Tally, repr=False)
    journal_update: JournalUpdate | None = None
    began: float = field(default_factory=time.monotonic)
    held: Suspended | None = None
    decoded: Decoded | None = field(default=None, repr=False)
    is_as_listed: bool = True
    is_suspect: bool = False
    is_out: bool = False
    cohort: Cohort | None = None
    span: Span | None = None
    promise: Promise | None = None
    claim: bytes = b""
    request: Request = field(init=False, repr=False)
    _parts: list[Mergeable | None] = field(default_factory=list)

    @property
    def part(self) -> Mergeable | None:
        """What that request adds to a merged one; None if it must be sent alone."""
        if not self._parts:
            is_alone = self.is_suspect or len(self.entry.body) > MOST_BYTES
            if isinstance(self.request, UpsertRequest):
                self._parts.append(self._upsert_part(is_alone=is_alone))
            else:
                self._parts.append(None if is_alone else part(self.request))
        return self._parts[0]

    def _upsert_part(self, *, is_alone: bool) -> Mergeable | None:
        """Return the part even of a call that is sent alone: its answer is worked out from it."""
        mine, company = part(self.request), self if is_alone else self.cohort
        return mine and replace(mine, options=(*mine.options, ("company", company)))

    @cached_property
    def sends_once(self) -> bool:
        """Whether it ends after its first request. Found out only if it may join other calls."""
        return sends_once(self.entry.body)

    @property
    def is_fresh(self) -> bool:
        """Whether no request was sent for it, by this server or another."""
        return not (self.mark or self.exchanges or self.sent)

    @property
    def may_have_written(self) -> bool:
        """Whether it may have changed anything at Google."""
        return self.mark in MAY_HAVE_WRITTEN

    @property
    def is_in_doubt(self) -> bool:
        """Whether a non-idempotent request is out and its outcome is not known."""
        return self.is_out and self.journal_update is not None and bool(self.journal_update.attempt)

    @property
    def sent_as(self) -> str:
        """The account that its journal's intent names: one that lends its quota, or ''."""
        return self.journal_update.attempt.partition("@")[2] if self.journal_update else ""

    def needs(self, request: Request) -> None:
        """Record which request it needs next."""
        self.request = request
        self._parts.clear()

    def leaves(self) -> None:
        """Record that the request that it needs is being sent."""
        self.sent += 1
        self.tally.begin()
        self.journalled = self.journal_update.length if self.journal_update else self.journalled
        self.is_out = True

    def given_up(self, error: Exception) -> Exchange:
        """Record that its request will not be sent; return its failed exchange."""
        self.tally.give_up()
        return Exchange(self.request, Failure(error))

    def answered(self, exchange: Exchange, *, is_last: bool = False) -> None:
        """Record the outcome of the request that it needed; keep only a digest of a large one.

        Args:
            exchange: The request and its outcome.
            is_last: Whether no other request follows; then even the digest is left out, to save
                time.

        """
        if isinstance(exchange, Recalled):
            self.tally.recall()
        kept: Exchange | RecordedExchange = exchange
        if len(self.entry.body) > _LARGE:
            sent = RequestDigest.place_of(exchange.request) if is_last else exchange.sent
            kept = RecordedExchange(sent, exchange.outcome)
        self.exchanges.append(kept)
        self.is_out = False
        del self.request
        self._parts.clear()

    @property
    def attempts(self) -> Attempts:
        """The attempts that its next request goes on with."""
        return Attempts() if self.cohort is None else self.cohort.attempts

    def join(self, cohort: Cohort) -> None:
        """Share requests with a cohort alone from now on."""
        self.cohort = cohort
        self._parts.clear()

    def begin_anew(self) -> None:
        """Forget its exchanges: what it has read no longer holds."""
        self.close()
        self.held = None
        self.exchanges.clear()

    def close(self) -> None:
        """Release what it holds; it is not advanced again."""
        if self.held is not None:
            self.held.close()

    def share(self, attempt: str, journals: Journals) -> AcquireArgs:
        """Return what Redis must know before the next request is sent.

        Args:
            attempt: A name for the attempt.
            journals: Writes the entries of the journal.

        """
        if self.journal_update is None:
            self.journal_update = self._note_before(attempt, journals)
        elif self.journal_update.attempt not in ("", attempt):  # another account is asked
            self.journal_update = replace(self.journal_update, attempt=attempt)
        mark, timeout = self.mark_after(), self.job.timeout
        return AcquireArgs(self.entry, mark, timeout, self.journal_update, self.claim)

    def mark_after(self) -> str:
        """Return its mark once the next request has been sent."""
        if self.journal_update or self.mark == JOURNALLED:
            return JOURNALLED
        return (self.mark or "r") if is_read(self.request) else "w"

    def _note_before(self, attempt: str, journals: Journals) -> JournalUpdate:
        """Return what its journal must hold before the next request is sent.

        An idempotent request needs no journal, unless it depends on earlier reads: if the call
        read again, it might write something else.
        """
        request = self.request
        if is_read(request):
            return NO_UPDATE
        if isinstance(request, UpsertRequest):
            return self._note_before_upsert(attempt)
        start, job_id = self.journalled, self.entry.job_id
        places = enumerate(self.exchanges[start:], start)
        entries = tuple(journals.record(job_id, place, exchange) for place, exchange in places)
        if is_idempotent(request):
            return JournalUpdate(start, entries)
        return JournalUpdate(start, entries, attempt, intend(request))

    def _note_before_upsert(self, attempt: str) -> JournalUpdate:
        """Return the same for an upsert, which begins anew with a read until it has appended."""
        if is_idempotent(self.request):
            return NO_UPDATE
        return JournalUpdate(self.journalled, (), attempt, intend(self.request))
