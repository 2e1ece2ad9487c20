"""One request, sent as often as it takes: wait, mark, send, judge, send again.

It is for one call, or for several whose requests leave as one. Failures are judged here and
nowhere above or below: gspread's method does not see a failure that is repeated, and nothing below
the transport repeats one.
"""

from __future__ import annotations

import random
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from google.auth.exceptions import GoogleAuthError

from queued_gspread.broker import Due, Settled, StaleEpochError
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.server import merging
from queued_gspread.server.calls.outcome import Outcome, in_doubt, late, unknown
from queued_gspread.server.calls.recovery import Recovery
from queued_gspread.server.pacing.ticket_queue import Ticket
from queued_gspread.server.policy.idempotency import may_repeat
from queued_gspread.server.policy.request import Exchange, Failure, Response, answer_of, is_read
from queued_gspread.server.policy.verdict import Judgement, Verdict, judge

from .counters import Counters
from .incidents import Setbacks, log_repeat
from .outgoing import Cause, Landing
from .quota_waits import QuotaWaits
from .suspects import Suspects

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from queued_gspread.broker import Permit, Servers, Setback, Slot
    from queued_gspread.server.calls.call import Call
    from queued_gspread.server.google.transport import Transport
    from queued_gspread.server.pacing.quota import Quota
    from queued_gspread.server.policy.request import Request
    from queued_gspread.server.policy.retry import Effort, Patience

    from .outgoing import Flight

    Results = list[tuple[Call, Exchange | Outcome]]

__all__ = ["Sender"]

_FINAL: Final = Judgement(Verdict.FINAL)
_UNREPLICATED: Final = Judgement(
    Verdict.NOT_SENT, why="the replicas of Redis do not all have the journal"
)
_UNSENT: Final = Judgement(Verdict.NOT_SENT)
_NOT_APPLIED: Final = (Verdict.REFUSED_QUOTA, Verdict.UNAUTHENTICATED, Verdict.NOT_SENT)


class Sender:
    """Sends requests of calls, any number at a time.

    Args:
        queue: The servers' side of the queue.
        transport: The way to Google.
        quota: How many requests may be sent.
        patience: What is done about failures.
        on_answer: Called with the slot of a request once it is given back.
        clock: A monotonic clock, in seconds.
        recovery: Has the journals of calls, and guards lanes in which a write may still land.
        counters: Counts requests, and the calls that they are for.

    """

    def __init__(
        self,
        queue: Servers,
        transport: Transport,
        quota: Quota,
        patience: Patience,
        on_answer: Callable[[Slot], None],
        clock: Callable[[], float] = time.monotonic,
        *,
        recovery: Recovery | None = None,
        counters: Counters | None = None,
    ) -> None:
        self._queue = queue
        self._transport = transport
        self._quota = quota
        self._patience = patience
        self._on_answer = on_answer
        self._clock = clock
        self.recovery = recovery or Recovery(queue, patience.late_write_guard, clock)
        self._counters = counters or Counters()
        self._setbacks = Setbacks(clock)
        self._waits = QuotaWaits(quota, queue, clock)
        self._suspects = Suspects(clock)
        # What Redis would not take, and why a slot is held until it does.
        self._unsettled: deque[tuple[list[Settled], Slot, int]] = deque()

    def send(
        self, flight: Flight, ended: Results | None = None
    ) -> Generator[Ticket, Permit, Results]:
        """Send a request; return of each call what came of it, or how the call ended instead.

        Calls that go on in pieces have no result yet: the flight's landing tells.

        Args:
            flight: The request, with its calls.
            ended: A list that holds what is returned, as far as it has come.

        Raises:
            StaleEpochError: Another server works by now; nothing more was sent.
            BrokerUnavailableError: Redis is gone; the calls' fate is left to the next server.

        """
        ended, effort = [] if ended is None else ended, flight.effort
        effort.begin()
        while flight.calls:
            slot = self._quota.slot(flight.calls[0].request, self._queue.epoch, flight.lane)
            ticket = self._ticket(flight, slot, effort)
            try:
                permit = yield ticket
            except GoogleAuthError as error:
                ended += [(call, call.given_up(error)) for call in flight.calls]
                break
            effort.number = ticket.number
            ended += self._grounded(flight, effort, permit)
            if permit.word != "go":
                continue
            flight.landing = self._attempt(flight, slot, permit)
            if not self._goes_on(flight, effort, flight.landing):
                ended += self._ends(flight, flight.landing, permit)
                break
        return ended

    def _ends(self, flight: Flight, landing: Landing, permit: Permit) -> Results:
        """Return what each call gets to see of a request that is not sent again as it was."""
        if landing.cause is not None:
            return []
        if landing.judgement.verdict is Verdict.UNKNOWN:
            self._suspects.note(call.request for call in flight.calls)
        elif isinstance(landing.exchanges[0].outcome, Response) and len(flight.calls) == 1:
            self._suspects.clear(flight.calls[0].request)
        return _final(flight, landing, permit)

    def suspects(self, request: Request) -> bool:
        """Tell whether a request is to be sent alone, since its like has just failed."""
        return self._suspects.has(request)

    def pay(self, debts: list[Due]) -> None:
        """Give slots back, as far as that was not done with an answer."""
        owed = debts.copy()
        debts.clear()
        for due in owed:
            if not due.is_settled:
                with suppress(BrokerUnavailableError):  # it is kept in mind
                    self._settle_or_keep([], due.slot, due.sent)
            self._on_answer(due.slot)

    def _ticket(self, flight: Flight, slot: Slot, effort: Effort) -> Ticket:
        for call in flight.calls:
            call.note = None
        return Ticket(
            slot.kind,
            lambda: self._waits.noted(slot, self._start(flight, slot, effort), effort),
            effort.number,
            self.recovery.not_before(flight.lane, effort.not_before),
            min(self._end_of_waiting(call, effort) for call in flight.calls),
            on_wait=lambda held_back: self._begins_to_wait(flight, slot, effort, held_back),
            slot=slot,
        )

    def _begins_to_wait(self, flight: Flight, slot: Slot, effort: Effort, held_back: float) -> None:
        effort.has_waited = True
        self.pay(_debts_of(flight))
        self._waits.held_back(slot, held_back)

    def _start(self, flight: Flight, slot: Slot, effort: Effort) -> Permit:
        for _ in range(len(self._unsettled)):
            with suppress(IndexError):  # another thread has been quicker
                self._settle_or_keep(*self._unsettled.popleft(), passed=False)
        if effort.has_waited and effort.last is None:
            flight.calls += flight.grow(flight)
        shares = [call.share(slot.name, self.recovery.journals) for call in flight.calls]
        debts = _debts_of(flight)
        try:
            return self._queue.start(shares, slot, debts)
        finally:
            self.pay(debts)

    def _grounded(self, flight: Flight, effort: Effort, permit: Permit) -> Results:
        """Take those calls off a flight that do not go, or not once more; return their ends."""
        now, ended, going = self._clock(), [], []
        for place, call in enumerate(flight.calls):
            word = permit.word_of(place)
            is_waiting = word == "late" and not permit.words
            if word == "go" or (is_waiting and self._end_of_waiting(call, effort) > now):
                going.append(call)
            else:
                ended.append((call, _not_sent(call, effort, word)))
        flight.calls = going
        return ended

    def _settle_or_keep(self, jobs: list[Settled], slot: Slot, sent: int, **answer: Any) -> Setback:
        """Give a slot back; where Redis fails, keep it in mind, or it would be held for ever."""
        try:
            return self._queue.settle(jobs, slot, sent, **answer)
        except BrokerUnavailableError:
            self._unsettled.append(([Settled(job.entry) for job in jobs], slot, sent))
            raise

    @staticmethod
    def _end_of_waiting(call: Call, effort: Effort) -> float:
        deadline = call.entry.deadline(call.job.timeout)
        if deadline is None or (call.may_have_written and effort.last is None):
            return effort.give_up_at
        return min(deadline, effort.give_up_at)

    def _attempt(self, flight: Flight, slot: Slot, permit: Permit) -> Landing:
        """Send a request once, and give its slot back whatever comes of it."""
        for call in flight.calls:
            call.leaves()
        self._counters.note(flight.kind, len(flight.calls))
        landing = Landing([], Judgement(Verdict.UNKNOWN))
        token = self._transport.token_generation
        try:
            landing = self._sent(flight, slot)
        except (StaleEpochError, BrokerUnavailableError):
            landing = Landing([], _UNSENT)
            raise
        finally:
            for call in flight.calls:
                call.tally.end(slot.kind * landing.has_gone_out, len(flight.calls))
            self._settle(flight, slot, permit, landing)
        if landing.judgement.verdict is Verdict.UNAUTHENTICATED:
            self._transport.token_refused(token)
        elif answer_of(landing.exchanges[0].outcome) is not None:
            self._transport.token_accepted(token)
        return landing

    def _sent(self, flight: Flight, slot: Slot) -> Landing:
        if _attempt_of(flight) and not self._is_durable(flight):
            return flight.land(Exchange(flight.request, Failure(_unreplicated())), _UNREPLICATED)
        job, lane = flight.calls[0].job, flight.calls[0].entry.lane
        exchange = self._transport.send(flight.request, job.http_timeout, lane)
        # What asks for the server's own credentials is not sent to Google.
        judgement = judge(exchange.outcome, request=exchange.request) if slot.kind else _FINAL
        return flight.land(exchange, judgement)

    def _is_durable(self, flight: Flight) -> bool:
        """Tell whether the journals are where they have to be; what they announce may be sent."""
        is_local = self._patience.durability == "local"
        return is_local or self._queue.is_replicated([call.entry for call in flight.calls])

    def _settle(self, flight: Flight, slot: Slot, permit: Permit, landing: Landing) -> None:
        """Tell Redis, as far as it has to know, that a request is no longer in the air."""
        judgement = landing.judgement
        is_unwritten = judgement.verdict in _NOT_APPLIED or landing.is_refused
        attempt = _attempt_of(flight) if landing.exchanges or is_unwritten else ""
        told = dict(_final(flight, landing, permit)) if attempt and not is_unwritten else {}
        jobs = [self._settled(call, told.get(call), is_unwritten) for call in flight.calls]
        concerned = [job for job in jobs if attempt or job.back_to]
        refused = judgement.verdict is Verdict.REFUSED_QUOTA
        if not (slot.is_noted or permit.is_held or refused or concerned):
            return
        # What is sent once more, or in pieces, waits for a slot: this one may be the last there is.
        is_over = judgement.verdict is Verdict.FINAL and landing.cause is None
        if is_over and flight.debts is not None and not (permit.is_trial or concerned):
            flight.debts.append(Due(slot, permit.sent))
            return
        answer: dict[str, Any] = {"refused": refused, "passed": landing.has_passed}
        answer |= {"pause": self._patience.pause(judgement), "attempt": attempt}
        try:
            setback = self._settle_or_keep(concerned, slot, permit.sent, **answer)
        finally:
            self._on_answer(slot)
        if refused:
            self._setbacks.note_refusal(slot, judgement, setback)

    def _settled(self, call: Call, told: Exchange | Outcome | None, is_unwritten: bool) -> Settled:
        """Note how far a call is after a request; return what Redis has to know of it."""
        before, marked = call.mark or "r", call.mark_after()
        back_to = before if is_unwritten and marked != before else ""
        call.mark, call.is_out = back_to or marked, not is_unwritten
        if not isinstance(told, Exchange):
            return Settled(call.entry, back_to)
        answered = self.recovery.journals.record(call.entry.job_id, call.journalled, told)
        call.journalled += 1
        return Settled(call.entry, back_to, answered)

    def _goes_on(self, flight: Flight, effort: Effort, landing: Landing) -> bool:
        """Decide whether a request is sent again, or in pieces, and set the time for that."""
        guard, judgement, exchange = 0.0, landing.judgement, landing.exchanges[0]
        if judgement.verdict is Verdict.FINAL:
            effort.passed()
        if _may_still_land(exchange, judgement):
            guard = self.recovery.guard(flight.lane)
        if landing.cause is not None or not _may_go_on(flight, judgement):
            return False
        now, effort.is_shared = self._clock(), flight.is_shared
        goes_on = effort.goes_on_after(exchange, judgement, self._patience, now)
        jitter = random.random()  # noqa: S311 - a jitter
        end = max(self._end_of_waiting(call, effort) for call in flight.calls)
        pause = effort.wait(judgement, self._patience, now, jitter, guard, end)
        is_spent = not goes_on or effort.not_before >= effort.give_up_at
        goes_on = not is_spent and effort.not_before < end
        if not goes_on:
            effort.not_before, pause = now, 0.0
        if effort.divides(judgement, is_in_time=goes_on, is_spent=is_spent) and effort.is_shared:
            flight.landing, goes_on = replace(landing, cause=Cause.FAILED), False
        elif not goes_on:
            return False
        if judgement is _UNREPLICATED:
            self._setbacks.note_unreplicated(self._patience)
        elif judgement.verdict is Verdict.NOT_SENT:
            place = self._transport.place_of(exchange.request)
            self._setbacks.note_outage(judgement, place, self._patience)
        log_repeat(flight.calls[0].job, judgement, pause, self._transport.time_out)
        return goes_on


def _debts_of(flight: Flight) -> list[Due]:
    return [] if flight.debts is None else flight.debts


def _attempt_of(flight: Flight) -> str:
    """Return the name under which the journals announce a flight; '' where they do not."""
    return next((call.note.attempt for call in flight.calls if call.note), "")


def _unreplicated() -> BrokerUnavailableError:
    return BrokerUnavailableError(
        "the replicas of Redis did not all have the journal, so that nothing was sent that may not "
        "be sent twice: look at them, or start the server with --durability local"
    )


def _not_sent(call: Call, effort: Effort, word: str) -> Exchange | Outcome:
    """Return what becomes of a request that is not sent, or not once more."""
    call.tally.give_up()
    if word != "late":
        return Outcome(word, job=call.job, tally=call.tally)
    if effort.last is None:
        return late(call.job, call.tally)
    exchange = Exchange(call.request, effort.last.outcome)
    return merging.as_alone(exchange) if effort.is_shared else exchange


def _may_go_on(flight: Flight, judgement: Judgement) -> bool:
    if judgement.verdict is Verdict.UNKNOWN:
        return flight.is_repeatable
    return judgement.verdict is not Verdict.FINAL


def _may_still_land(exchange: Exchange, judgement: Judgement) -> bool:
    """Tell whether a write without a response may be applied later than now."""
    is_unknown = judgement.verdict is Verdict.UNKNOWN
    return is_unknown and not is_read(exchange.request) and answer_of(exchange.outcome) is None


def _final(flight: Flight, landing: Landing, permit: Permit) -> Results:
    """Return what each call gets to see of a request that is not sent again."""
    at, judgement = permit.sent / 1000, landing.judgement
    is_final = judgement.verdict is Verdict.FINAL
    exchanges = merging.each_as_alone(landing.exchanges, is_final=is_final)
    return [
        (call, _seen(call, exchange, judgement, at))
        for call, exchange in zip(flight.calls, exchanges, strict=True)
    ]


def _seen(call: Call, exchange: Exchange, judgement: Judgement, at: float) -> Exchange:
    request, outcome = call.request, exchange.outcome
    if judgement.verdict is not Verdict.UNKNOWN or may_repeat(request):
        return exchange
    told = in_doubt(unknown(answer_of(outcome), judgement.why), call.job, request, at)
    told.__cause__ = outcome.error if isinstance(outcome, Failure) else None
    return Exchange(request, Failure(told))
