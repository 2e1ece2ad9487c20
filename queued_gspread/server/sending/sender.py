"""One request and its retries: wait, mark, send, judge, retry.

A request is for one call, or for several whose requests are merged. Whether it is sent again is
decided here and nowhere else, in :meth:`Sender._goes_on`: by what the failure means
(:mod:`~queued_gspread.server.policy.verdict`), by whether the request is idempotent
(:mod:`~queued_gspread.server.policy.idempotency`) and by the time that is left
(:mod:`~queued_gspread.server.policy.retry`). gspread's method does not see a failure that is
retried, and nothing below the transport retries. After a server's death the next one goes by the
call's journal instead (:mod:`queued_gspread.server.calls.runner`).
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from google.auth.exceptions import GoogleAuthError

from queued_gspread.broker import AnsweredSlot, ReleaseArgs, StaleEpochError
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.server import merging
from queued_gspread.server.calls.recovery import Recovery
from queued_gspread.server.figures import Figures
from queued_gspread.server.pacing.ticket_queue import Ticket
from queued_gspread.server.pacing.valve import TURN
from queued_gspread.server.policy.request import Exchange, Failure, Response, answer_of
from queued_gspread.server.policy.verdict import NOT_APPLIED, Verdict, VerdictKind, judge

from .counters import Counters
from .incidents import UNREPLICATED, IncidentLog, log_repeat, unreplicated
from .outgoing import Cause, SendResult, end_of_waiting
from .quota_waits import QuotaWaits
from .releases import Releases
from .remembering import Remembering
from .request_span import sent_in_span
from .results import answers_of, drop_ineligible, may_still_land
from .suspects import Suspects

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from queued_gspread.broker import Consumer, Pause, Permit, Slot
    from queued_gspread.server.calls.call import Call
    from queued_gspread.server.calls.outcome import Outcome
    from queued_gspread.server.google.transport import Transport
    from queued_gspread.server.pacing.quota import Quota
    from queued_gspread.server.pacing.valve import Valve
    from queued_gspread.server.policy.retry import Attempts, RetryPolicy

    from .loans import Loans
    from .outgoing import OutgoingRequest
    from .results import Results

__all__ = ["Sender"]

_FINAL: Final = Verdict(VerdictKind.FINAL)
_NOT_KNOWN: Final = SendResult([], Verdict(VerdictKind.UNKNOWN))
_UNSENT: Final = SendResult([], Verdict(VerdictKind.NOT_SENT))


class Sender:
    """Sends the requests of calls, any number at a time.

    Args:
        queue: The servers' side of the queue.
        transport: The way to Google.
        quota: How many requests may be sent.
        retry_policy: What to do about failures.
        valve: Gives requests their turn, and is notified of slots that are released.
        clock: A monotonic clock, in seconds.
        recovery: Has the calls' journals, and guards lanes in which a write may still land.
        counters: Counts requests, and the calls that they are for.
        figures: Counts them for those who look at the queue.
        remembering: Keeps the answers to reads, and forgets what writes may change.
        loans: Decides under which account each goes out; None if there is one account.

    """

    def __init__(
        self,
        queue: Consumer,
        transport: Transport,
        quota: Quota,
        retry_policy: RetryPolicy,
        valve: Valve,
        clock: Callable[[], float] = time.monotonic,
        *,
        recovery: Recovery | None = None,
        counters: Counters | None = None,
        figures: Figures | None = None,
        remembering: Remembering | None = None,
        loans: Loans | None = None,
    ) -> None:
        self._queue = queue
        self._transport = transport
        self._quota = quota
        self._retry_policy = retry_policy
        self._valve = valve
        self._clock = clock
        self.recovery = recovery or Recovery(queue, retry_policy.late_write_guard, clock)
        self._counters = counters or Counters()
        self._figures = figures or Figures()
        self.remembering = remembering or Remembering()
        self._loans = loans
        self._incidents = IncidentLog(clock)
        self._waits = QuotaWaits(quota, queue, clock)
        self._suspects = Suspects(clock)
        # Returns whether to send a request alone, because one like it has failed lately.
        self.suspects = self._suspects.has
        self.releases = Releases(queue, valve)

    def send(
        self, outgoing: OutgoingRequest, ended: Results | None = None
    ) -> Generator[Ticket, Permit, Results]:
        """Send a request; return each call's answer, or how the call ended without one.

        Calls that go on in pieces have no answer yet: see ``outgoing.result``. It yields a ticket
        where the request must wait: the lane passes it on to the scheduler, and goes on with the
        permit that comes back.

        Args:
            outgoing: The request, with its calls.
            ended: A list to which the results are added as they come; it is returned.

        Raises:
            StaleEpochError: Another server has taken over; nothing more was sent.
            BrokerUnavailableError: Redis is gone; the calls are left to the next server.

        """
        ended, attempts = [] if ended is None else ended, outgoing.attempts
        attempts.begin()
        while outgoing.calls:
            first = outgoing.calls[0].request
            slot = self._quota.slot(first, self._queue.epoch, outgoing.spreadsheet)
            if self._loans is not None:
                slot = self._loans.widened(slot, outgoing)
            try:
                permit = yield from self._permit(outgoing, slot, attempts)
            except GoogleAuthError as error:
                ended += [(call, call.given_up(error)) for call in outgoing.calls]
                break
            promises = self.recovery.promises
            ended += drop_ineligible(outgoing, attempts, permit, self._clock(), promises)
            if permit.word != "go":
                continue
            if self._loans is not None:
                slot = self._loans.slot_of(slot, permit.account)
            outgoing.result = self._attempt(outgoing, slot, permit)
            if self._loans and self._loans.is_own_again(outgoing, slot, outgoing.result):
                continue
            if not self._goes_on(outgoing, attempts, outgoing.result):
                ended += self._ends(outgoing, outgoing.result, permit)
                break
        return ended

    def recalled(self, calls: Sequence[Call]) -> Results:
        """Return the remembered answers to calls; see :meth:`Remembering.recalled`."""
        return self.remembering.recalled(calls, self._transport.confirm)

    def _permit(
        self, outgoing: OutgoingRequest, slot: Slot, attempts: Attempts
    ) -> Generator[Ticket, Permit, Permit]:
        """Wait for the request's turn and ask Redis; if it must wait, go back into the queue."""
        ticket = self._ticket(outgoing, slot, attempts)
        turn = self._valve.turn_now(ticket)
        attempts.number = ticket.number
        try:
            if turn is None:
                self._begin_to_wait(outgoing, ticket, attempts)
                turn = yield ticket
            while turn is TURN:
                permit = self._ask(outgoing, ticket, attempts)
                if permit.word not in ("wait", "paused"):
                    return permit
                attempts.has_waited = True
                if permit.pause is not None:
                    turn = yield from self._park(outgoing, ticket, attempts, permit.pause)
                else:
                    turn = yield ticket
        except GeneratorExit:
            self._valve.told(ticket)
            raise
        return turn

    def _ends(self, outgoing: OutgoingRequest, result: SendResult, permit: Permit) -> Results:
        """Return each call's answer to a request that is not retried as it was."""
        if result.cause is not None:
            return []
        if result.verdict.kind is VerdictKind.UNKNOWN:
            self._suspects.note(call.request for call in outgoing.calls)
        elif isinstance(result.exchanges[0].outcome, Response) and len(outgoing.calls) == 1:
            self._suspects.clear(outgoing.calls[0].request)
        return answers_of(outgoing, result, permit)

    def _ticket(self, outgoing: OutgoingRequest, slot: Slot, attempts: Attempts) -> Ticket:
        for call in outgoing.calls:
            call.journal_update = None
        lane = outgoing.spreadsheet
        return Ticket(
            slot.line,
            attempts.number,
            self.recovery.not_before(lane, attempts.not_before),
            outgoing.end_of_waiting,
            slot,
            lane,
        )

    def _begin_to_wait(self, outgoing: OutgoingRequest, ticket: Ticket, attempts: Attempts) -> None:
        attempts.has_waited = True
        self.releases.now(outgoing.lane)
        self._waits.held_back(ticket.slot, self._valve.held_back(ticket))

    def _ask(self, outgoing: OutgoingRequest, ticket: Ticket, attempts: Attempts) -> Permit:
        """Ask Redis whether a request may go now that its turn has come; report it to the valve."""
        permit = None
        try:
            if attempts.has_waited:
                self._join_late(outgoing, attempts)
                if over := self._valve.end_of(ticket):
                    return over
            ask = partial(self._acquire, outgoing)
            loans, slot = self._loans, ticket.slot
            asked = ask(slot) if loans is None else loans.ask(outgoing, slot, ask)
            permit = self._waits.noted(ticket.slot, asked, attempts)
        finally:
            # A pause of an operator's says nothing of the quota.
            is_paused = permit is not None and permit.word == "paused"
            self._valve.told(ticket, None if is_paused else permit)
        return permit

    def _park(
        self, outgoing: OutgoingRequest, ticket: Ticket, attempts: Attempts, pause: Pause
    ) -> Generator[Ticket, Permit, Permit]:
        """Wait for the end of an operator's pause; the callers' timeouts count meanwhile."""
        self.releases.now(outgoing.lane)
        if outgoing.may_be_set_back():
            raise outgoing.set_back(ticket.slot.kind, pause.key)
        attempts.rest(self._clock())
        attempts.pause = pause.shown
        ticket.pause, ticket.until = pause.key, outgoing.end_of_waiting
        turn = yield ticket
        if turn is TURN:
            attempts.pause = ""
        attempts.go_on(self._clock())
        ticket.until = outgoing.end_of_waiting
        return turn

    @staticmethod
    def _join_late(outgoing: OutgoingRequest, attempts: Attempts) -> None:
        """Take in calls that have arrived while the request waited, before its first attempt."""
        if attempts.last is None:
            outgoing.calls += outgoing.join_late(outgoing)

    def _acquire(self, outgoing: OutgoingRequest, slot: Slot) -> Permit:
        self.releases.settle_kept()
        attempt, journals = slot.attempt, self.recovery.journals
        acquire_args = [call.share(attempt, journals) for call in outgoing.calls]
        acquire = partial(self._queue.acquire, acquire_args, slot)
        return self.releases.with_next(outgoing.lane, acquire)

    def _attempt(self, outgoing: OutgoingRequest, slot: Slot, permit: Permit) -> SendResult:
        """Send a request once, and release its slot whether or not that succeeds."""
        for call in outgoing.calls:
            call.leaves()
        self._counters.note(merging.name_of(outgoing.calls[0].request), len(outgoing.calls))
        transport, result = self._transport, _NOT_KNOWN
        sent = self.remembering.leaves(outgoing) if self.remembering.is_used else None
        if slot.account and self._loans:
            transport = self._loans.transport(slot.account)
        token, began = transport.token_version, time.monotonic()
        try:
            result = self._send_once(outgoing, slot, transport)
        except (StaleEpochError, BrokerUnavailableError):
            result = _UNSENT
            raise
        finally:
            if self._loans is not None:
                result = self._loans.landed(outgoing, slot, result)
            # A lender that may not is none of the caller's answers.
            self.remembering.landed(outgoing, result, sent)
            kind = slot.kind * result.has_gone_out
            for call in outgoing.calls:
                call.tally.end(kind, len(outgoing.calls))
            if kind:
                self._count(outgoing, slot, result, time.monotonic() - began)
            self._settle(outgoing, slot, permit, result)
        if result.verdict.kind is VerdictKind.UNAUTHENTICATED:
            transport.token_refused(token)
        elif answer_of(result.exchanges[0].outcome) is not None:
            transport.token_accepted(token)
        return result

    def _count(
        self, outgoing: OutgoingRequest, slot: Slot, result: SendResult, took: float
    ) -> None:
        is_again, calls = outgoing.attempts.last is not None, len(outgoing.calls)
        self._figures.note_request((slot.kind, result.end, calls, took, is_again))
        if self._loans is not None:
            self._figures.note_sent_as((slot.account, slot.kind))

    def _send_once(self, outgoing: OutgoingRequest, slot: Slot, transport: Transport) -> SendResult:
        if outgoing.attempt_name and not self._are_journals_durable(outgoing):
            return outgoing.land(Exchange(outgoing.request, Failure(unreplicated())), UNREPLICATED)
        first, request = outgoing.calls[0], outgoing.request
        timeout, lane = first.job.http_timeout, outgoing.spreadsheet
        if first.span is None or not slot.kind:
            exchange = transport.send(request, timeout, lane)
        else:
            send, place = transport.send, transport.place_of(request)
            send_once = partial(send, request, timeout, lane)
            exchange = sent_in_span(send_once, outgoing, request, place)
        # A request for the server's own credentials does not go to Google, so it has no slot.
        verdict = judge(exchange.outcome, request=exchange.request) if slot.kind else _FINAL
        return outgoing.land(exchange, verdict)

    def _are_journals_durable(self, outgoing: OutgoingRequest) -> bool:
        """Return whether the journals are stored durably enough to send what they intend."""
        is_local = self._retry_policy.durability == "local"
        return is_local or self._queue.is_replicated([call.entry for call in outgoing.calls])

    def _settle(
        self, outgoing: OutgoingRequest, slot: Slot, permit: Permit, result: SendResult
    ) -> None:
        """Record in Redis, if it must know, that a request is no longer in the air."""
        verdict = result.verdict
        is_unwritten = verdict.kind in NOT_APPLIED or result.is_refused
        attempt = outgoing.attempt_name if result.exchanges or is_unwritten else ""
        answers = dict(answers_of(outgoing, result, permit)) if attempt and not is_unwritten else {}
        jobs = [self._release_of(call, answers.get(call), is_unwritten) for call in outgoing.calls]
        concerned = [job for job in jobs if attempt or job.back_to]
        refused = verdict.kind is VerdictKind.REFUSED_QUOTA
        if not (slot.is_noted or permit.is_held or refused or concerned):
            return
        # A request that is retried, or goes on in pieces, needs a slot: this may be the only one.
        is_over = verdict.kind is VerdictKind.FINAL and result.cause is None
        if is_over and not (permit.is_trial or concerned):
            self.releases.add(outgoing.lane, AnsweredSlot(slot, permit.sent))
            return
        answer: dict[str, Any] = {"refused": refused, "passed": result.has_passed}
        answer |= {"pause": self._retry_policy.pause(verdict), "attempt": attempt}
        try:
            quota_state = self.releases.settle(concerned, slot, permit.sent, **answer)
        finally:
            self._valve.answered(slot)
        if refused:
            self._incidents.note_refusal(slot, verdict, quota_state)
            if self._loans is not None:
                settle, alone = self.releases.settle, {**answer, "attempt": ""}
                pause = partial(settle, [], sent=permit.sent, **alone)
                self._loans.refused(slot, verdict, quota_state, pause)

    def _release_of(
        self, call: Call, answer: Exchange | Outcome | None, is_unwritten: bool
    ) -> ReleaseArgs:
        """Note a call's progress after a request; return what Redis must record of it."""
        before, marked = call.mark or "r", call.mark_after()
        back_to = before if is_unwritten and marked != before else ""
        call.mark, call.is_out = back_to or marked, not is_unwritten
        if not isinstance(answer, Exchange):
            return ReleaseArgs(call.entry, back_to)
        answered = self.recovery.journals.record(call.entry.job_id, call.journalled, answer)
        call.journalled += 1
        return ReleaseArgs(call.entry, back_to, answered)

    def _goes_on(self, outgoing: OutgoingRequest, attempts: Attempts, result: SendResult) -> bool:
        """Decide whether a request is retried, whole or in pieces, and when."""
        guard, verdict, exchange = 0.0, result.verdict, result.exchanges[0]
        if verdict.kind is VerdictKind.FINAL:
            attempts.passed()
            return False
        if may_still_land(exchange, verdict):
            guard = self.recovery.guard(outgoing.lane)
        is_unknown = verdict.kind is VerdictKind.UNKNOWN
        if result.cause is not None or (is_unknown and not outgoing.is_idempotent):
            return False
        now, attempts.is_shared = self._clock(), outgoing.is_shared
        goes_on = attempts.goes_on_after(exchange, verdict, self._retry_policy, now)
        jitter = random.random()  # noqa: S311 - a jitter
        end = max(end_of_waiting(call, attempts) for call in outgoing.calls)
        pause = attempts.wait(verdict, self._retry_policy, now, jitter, guard, end)
        is_spent = not goes_on or attempts.not_before >= attempts.give_up_at
        goes_on = not is_spent and attempts.not_before < end
        if not goes_on:
            attempts.not_before, pause = now, 0.0
        if attempts.divides(verdict, is_in_time=goes_on, is_spent=is_spent) and attempts.is_shared:
            outgoing.result, goes_on = replace(result, cause=Cause.FAILED), False
        elif not goes_on:
            return False
        if verdict is UNREPLICATED:
            self._incidents.note_unreplicated(self._retry_policy)
        elif verdict.kind is VerdictKind.NOT_SENT:
            place = self._transport.place_of(exchange.request)
            self._incidents.note_outage(verdict, place, self._retry_policy)
        log_repeat(outgoing.calls[0].job, verdict, pause, self._transport.time_out)
        return goes_on
