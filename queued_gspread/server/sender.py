"""One request of a call, sent as often as it takes: wait, mark, send, judge, send again.

Failures are judged here and nowhere above or below: gspread's method does not see a failure that
is repeated, and nothing below the transport repeats one.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from google.auth.exceptions import GoogleAuthError

from queued_gspread.broker import NO_NOTE, Note, StaleEpochError
from queued_gspread.errors import BrokerUnavailableError

from .calllog import LOGGER, title_of
from .effort import Effort
from .journal import Journal, Journals, announce
from .line import Ticket
from .outcome import Outcome, in_doubt, late, unknown
from .repeat import may_repeat
from .request import Exchange, Failure, Remembered, Request, Response, is_read
from .setbacks import Setbacks
from .verdict import Judgement, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from queued_gspread.broker import Entry, Permit, Servers, Setback, Slot
    from queued_gspread.job import Job

    from .effort import Patience
    from .quota import Quota
    from .transport import Transport

__all__ = ["JOURNALLED", "MAY_HAVE_WRITTEN", "Call", "Sender"]

JOURNALLED: Final = "j"
"""The mark of a call whose journal has to be read before it goes on."""

MAY_HAVE_WRITTEN: Final = ("w", JOURNALLED)
"""The marks of calls that may have written."""

_FINAL: Final = Judgement(Verdict.FINAL)
_UNREPLICATED: Final = Judgement(Verdict.NOT_SENT, why="no replica of Redis has the journal")
_UNSENT: Final = Judgement(Verdict.NOT_SENT)
_NOT_APPLIED: Final = (Verdict.REFUSED_QUOTA, Verdict.UNAUTHENTICATED, Verdict.NOT_SENT)


@dataclass
class Call:
    """A call under way.

    Attributes:
        entry: Its job, as it stands in the queue.
        job: The same, decoded.
        exchanges: Its requests so far, with what came of them.
        mark: How far it certainly is: '', 'r' it has only read, 'w' it may have written what may
            be written twice, 'j' its journal tells.
        journalled: How many of the exchanges are in its journal.
        sent: How many requests were sent for it, counting each time.

    """

    entry: Entry
    job: Job
    exchanges: list[Exchange | Remembered] = field(default_factory=list)
    mark: str = ""
    journalled: int = 0
    sent: int = 0

    @property
    def may_have_written(self) -> bool:
        """Whether anything may have changed at Google because of it."""
        return self.mark in MAY_HAVE_WRITTEN

    def mark_after(self, request: Request, note: Note) -> str:
        """Return how far it is once a request has been sent."""
        if note or self.mark == JOURNALLED:
            return JOURNALLED
        return (self.mark or "r") if is_read(request) else "w"

    def note_before(self, request: Request, attempt: str, journals: Journals) -> Note:
        """Return what its journal has to hold before a request is sent.

        What may be repeated needs no journal, unless it is made of what was read before: a call
        that reads again might write something else.
        """
        if is_read(request):
            return NO_NOTE
        start, job_id = self.journalled, self.entry.job_id
        places = enumerate(self.exchanges[start:], start)
        entries = tuple(journals.record(job_id, place, exchange) for place, exchange in places)
        if may_repeat(request):
            return Note(start, entries)
        return Note(start, entries, attempt, announce(request))


class Sender:
    """Sends requests of calls, any number at a time.

    Args:
        queue: The servers' side of the queue.
        transport: The way to Google.
        quota: How many requests may be sent.
        patience: What is done about failures.
        on_answer: Called with the kind of a request once its slot is given back.
        clock: A monotonic clock, in seconds.
        journals: Writes and reads what is kept of calls.

    """

    def __init__(
        self,
        queue: Servers,
        transport: Transport,
        quota: Quota,
        patience: Patience,
        on_answer: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        journals: Journals | None = None,
    ) -> None:
        self._queue = queue
        self._transport = transport
        self._quota = quota
        self._patience = patience
        self._on_answer = on_answer
        self._clock = clock
        self._journals = journals or Journals()
        self._setbacks = Setbacks(clock)
        # What Redis would not take, and why a slot is held until it does.
        self._unsettled: deque[tuple[Entry, Slot, int]] = deque()
        # Lanes in which a write without a response may still land, and until when.
        self._guarded: dict[str, float] = {}
        self._guarding = threading.Lock()

    def send(self, call: Call, request: Request) -> Generator[Ticket, Permit, Exchange | Outcome]:
        """Send a request; return what came of it, or how the call ended instead.

        Raises:
            StaleEpochError: Another server works by now; nothing more was sent.
            BrokerUnavailableError: Redis is gone; the call's fate is left to the next server.

        """
        effort = Effort()
        while True:
            slot = self._quota.slot(request, self._queue.epoch)
            note = call.note_before(request, slot.name, self._journals)
            ticket = self._ticket(call, request, slot, note, effort)
            try:
                permit = yield ticket
            except GoogleAuthError as error:
                return Exchange(request, Failure(error))
            if permit.word != "go":
                return _not_sent(call, effort, permit)
            effort.number = ticket.number
            call.journalled = note.length if note else call.journalled
            exchange, judgement = self._attempt(call, request, slot, note, permit)
            if not self._goes_on(call, effort, exchange, judgement):
                return _final(exchange, judgement, call.job, permit)

    def journal(self, entry: Entry) -> Journal:
        """Return what the journal of a call that was begun before tells."""
        return self._journals.read(entry.job_id, self._queue.journal(entry))

    def set_aside(self, entry: Entry) -> None:
        """Keep a job of which servers have died, for inspection."""
        self._queue.poison(entry)

    def guard(self, lane: str) -> float:
        """Close a lane to what may still land in it; return for how many seconds."""
        seconds = self._patience.late_write_guard
        now = self._clock()
        if seconds:
            with self._guarding:
                kept = {name: end for name, end in self._guarded.items() if end > now}
                self._guarded = {**kept, lane: now + seconds}
        return seconds

    def _ticket(
        self, call: Call, request: Request, slot: Slot, note: Note, effort: Effort
    ) -> Ticket:
        entry, job, mark = call.entry, call.job, call.mark_after(request, note)
        return Ticket(
            slot.kind,
            lambda: self._start(entry, mark, job.timeout, slot, note),
            effort.number,
            max(effort.not_before, self._guarded.get(entry.lane, effort.not_before)),
            self._end_of_waiting(call, effort),
        )

    def _start(
        self, entry: Entry, mark: str, timeout: float | None, slot: Slot, note: Note
    ) -> Permit:
        for _ in range(len(self._unsettled)):
            left = self._unsettled.popleft()
            self._settle_or_keep(*left)
        return self._queue.start(entry, mark, timeout, slot, note)

    def _settle_or_keep(self, entry: Entry, slot: Slot, sent: int, **answer: Any) -> Setback:
        """Give a slot back; where Redis fails, keep it in mind, or it would be held for ever."""
        try:
            return self._queue.settle(entry, slot, sent, **answer)
        except BrokerUnavailableError:
            self._unsettled.append((entry, slot, sent))
            raise

    @staticmethod
    def _end_of_waiting(call: Call, effort: Effort) -> float:
        deadline = call.entry.deadline(call.job.timeout)
        if deadline is None or (call.may_have_written and effort.last is None):
            return effort.give_up_at
        return min(deadline, effort.give_up_at)

    def _attempt(
        self, call: Call, request: Request, slot: Slot, note: Note, permit: Permit
    ) -> tuple[Exchange, Judgement]:
        """Send a request once, and give its slot back whatever comes of it."""
        call.sent += 1
        exchange, judgement = None, Judgement(Verdict.UNKNOWN)
        token = self._transport.token_generation
        try:
            if note.attempt and not self._is_durable(call.entry):
                exchange, judgement = Exchange(request, Failure(_unreplicated())), _UNREPLICATED
            else:
                exchange = self._transport.send(request, call.job.http_timeout)
                # What asks for the server's own credentials is not sent to Google.
                judgement = judge(exchange.outcome) if slot.kind else _FINAL
        except (StaleEpochError, BrokerUnavailableError):
            judgement = _UNSENT
            raise
        finally:
            self._settle(call, request, slot, note, permit, exchange, judgement)
        if judgement.verdict is Verdict.UNAUTHENTICATED:
            self._transport.token_refused(token)
        elif _answer(exchange) is not None:
            self._transport.token_accepted(token)
        return exchange, judgement

    def _is_durable(self, entry: Entry) -> bool:
        """Tell whether the journal is where it has to be; what is announced in it may be sent."""
        if self._patience.durability == "local":
            return True
        return self._queue.is_replicated(entry)

    def _settle(
        self,
        call: Call,
        request: Request,
        slot: Slot,
        note: Note,
        permit: Permit,
        exchange: Exchange | None,
        judgement: Judgement,
    ) -> None:
        """Tell Redis, as far as it has to know, that a request is no longer in the air."""
        before, marked = call.mark or "r", call.mark_after(request, note)
        is_unwritten = judgement.verdict in _NOT_APPLIED
        back_to = before if is_unwritten and marked != before else ""
        call.mark = back_to or marked
        refused = judgement.verdict is Verdict.REFUSED_QUOTA
        attempt = note.attempt if exchange or is_unwritten else ""
        if not (slot.is_noted or permit.is_trial or refused or back_to or attempt):
            return
        answered = b""
        if exchange and attempt and not is_unwritten:
            final = _final(exchange, judgement, call.job, permit)
            answered = self._journals.record(call.entry.job_id, note.length, final)
            call.journalled += 1
        # No longer than anybody would wait, whatever Google asks for.
        pause = min(judgement.retry_after or 0.0, self._patience.retry_for)
        answer: dict[str, Any] = {"pause": pause, "refused": refused, "back_to": back_to}
        answer |= {"attempt": attempt, "answered": answered}
        try:
            setback = self._settle_or_keep(call.entry, slot, permit.sent, **answer)
        finally:
            self._on_answer(slot.kind)
        if refused:
            self._setbacks.note_refusal(slot, judgement, setback)

    def _goes_on(
        self, call: Call, effort: Effort, exchange: Exchange, judgement: Judgement
    ) -> bool:
        """Decide whether a request is sent again, and set the time for that."""
        guard = 0.0
        if _may_still_land(exchange, judgement):
            guard = self.guard(call.entry.lane)
        if not _may_go_on(exchange.request, judgement):
            return False
        now = self._clock()
        if not effort.goes_on_after(exchange, judgement, self._patience, now):
            return False
        jitter = random.random()  # noqa: S311 - a jitter
        pause = effort.wait(judgement, self._patience, now, jitter, guard)
        if effort.not_before >= self._end_of_waiting(call, effort):
            return False
        if judgement is _UNREPLICATED:
            self._setbacks.note_unreplicated(self._patience)
        elif judgement.verdict is Verdict.NOT_SENT:
            place = self._transport.place_of(exchange.request)
            self._setbacks.note_outage(judgement, place, self._patience)
        _log_repeat(call, judgement, pause)
        return True


def _unreplicated() -> BrokerUnavailableError:
    return BrokerUnavailableError(
        "no replica of Redis had the journal, so that nothing was sent that may not be sent twice: "
        "look at its replicas, or start the server with --durability local"
    )


def _log_repeat(call: Call, judgement: Judgement, pause: float) -> None:
    # Refusals for the quota come in heaps, and are told of as one.
    level = logging.DEBUG if judgement.verdict is Verdict.REFUSED_QUOTA else logging.INFO
    about = (title_of(call.job), call.job.kind, call.job.method, judgement.why, pause)
    LOGGER.log(level, "%s  %s.%s: %s; sent again in %.1f s", *about)


def _not_sent(call: Call, effort: Effort, permit: Permit) -> Exchange | Outcome:
    """Return what becomes of a request that is not sent, or not once more."""
    if permit.word == "late":
        return effort.last or late(call.job, call.sent)
    return Outcome(permit.word, job=call.job, requests=call.sent)


def _may_go_on(request: Request, judgement: Judgement) -> bool:
    if judgement.verdict is Verdict.UNKNOWN:
        return may_repeat(request)
    return judgement.verdict is not Verdict.FINAL


def _answer(exchange: Exchange) -> Any:
    """Return the answer that came, whether or not the client has raised it; None if none came."""
    if isinstance(exchange.outcome, Response):
        return exchange.outcome.value
    return getattr(exchange.outcome.error, "response", None)


def _may_still_land(exchange: Exchange, judgement: Judgement) -> bool:
    """Tell whether a write without a response may be applied later than now."""
    is_unknown = judgement.verdict is Verdict.UNKNOWN
    return is_unknown and not is_read(exchange.request) and _answer(exchange) is None


def _final(exchange: Exchange, judgement: Judgement, job: Job, permit: Permit) -> Exchange:
    """Return what the call gets to see of a request that is not sent again."""
    request, outcome = exchange.request, exchange.outcome
    if judgement.verdict is not Verdict.UNKNOWN or may_repeat(request):
        return exchange
    told = in_doubt(unknown(_answer(exchange), judgement.why), job, request, permit.sent / 1000)
    told.__cause__ = outcome.error if isinstance(outcome, Failure) else None
    return Exchange(request, Failure(told))
