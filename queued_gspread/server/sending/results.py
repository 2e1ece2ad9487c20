"""What each call gets of its request: an answer, or an outcome without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from queued_gspread.broker import lock_lost
from queued_gspread.server import merging
from queued_gspread.server.calls.outcome import Outcome, failed, in_doubt, late, unknown
from queued_gspread.server.policy.idempotency import is_idempotent
from queued_gspread.server.policy.request import Exchange, Failure, answer_of, is_read
from queued_gspread.server.policy.verdict import Verdict, VerdictKind

from .outgoing import end_of_waiting

if TYPE_CHECKING:
    from queued_gspread.broker import Permit
    from queued_gspread.server.calls.call import Call
    from queued_gspread.server.calls.promises import Promises
    from queued_gspread.server.policy.retry import Attempts

    from .outgoing import OutgoingRequest, SendResult

    Results = list[tuple[Call, Exchange | Outcome]]

__all__ = ["answers_of", "drop_ineligible", "may_still_land"]

_NO_KEY: Final = ("promised", "full")


def drop_ineligible(
    outgoing: OutgoingRequest, attempts: Attempts, permit: Permit, now: float, promises: Promises
) -> Results:
    """Drop the calls that may not go, or not be retried; return how they end.

    Args:
        outgoing: The request, whose calls are left with those that may go.
        attempts: The attempts to send it.
        permit: The answer to whether it may be sent.
        now: The time, on the clock of the attempts.
        promises: Has the errors of calls whose idempotency key is taken.

    """
    going: list[Call] = []
    ended: Results = []
    for place, call in enumerate(outgoing.calls):
        word = permit.word_of(place)
        is_waiting = word == "late" and not permit.words
        if word == "go" or (is_waiting and end_of_waiting(call, attempts) > now):
            going.append(call)
        elif word in _NO_KEY:
            call.tally.give_up()
            ended.append((call, promises.refused(call, word)))
        else:
            ended.append((call, _unsent(call, attempts, word)))
    outgoing.calls = going
    return ended


def _unsent(call: Call, attempts: Attempts, word: str) -> Exchange | Outcome:
    """Return how a call ends whose request is not sent, or not retried."""
    call.tally.give_up()
    if word == "lost":
        return failed(lock_lost(), call.job, call.tally)
    if word != "late":
        return Outcome(word, job=call.job, tally=call.tally)
    if attempts.last is None:
        return late(call.job, call.tally, attempts.pause)
    exchange = Exchange(call.request, attempts.last.outcome)
    return merging.as_alone(exchange) if attempts.is_shared else exchange


def answers_of(outgoing: OutgoingRequest, result: SendResult, permit: Permit) -> Results:
    """Return each call's answer to a request that is not retried."""
    at, verdict = permit.sent / 1000, result.verdict
    is_final = verdict.kind is VerdictKind.FINAL
    exchanges = merging.each_as_alone(result.exchanges, is_final=is_final)
    pairs = zip(outgoing.calls, exchanges, strict=True)
    if verdict.kind is not VerdictKind.UNKNOWN:
        return [*pairs]
    account = permit.account
    return [(call, _in_doubt(call, exchange, verdict.why, at, account)) for call, exchange in pairs]


def _in_doubt(call: Call, exchange: Exchange, why: str, at: float, account: str) -> Exchange:
    """Return what a call sees of its request if it is unknown whether it was applied."""
    request, outcome = call.request, exchange.outcome
    if is_idempotent(request):
        return exchange
    error = in_doubt(unknown(answer_of(outcome), why), call.job, request, at, account)
    error.__cause__ = outcome.error if isinstance(outcome, Failure) else None
    return Exchange(request, Failure(error))


def may_still_land(exchange: Exchange, verdict: Verdict) -> bool:
    """Return whether a write without a response may still be applied later."""
    is_unknown = verdict.kind is VerdictKind.UNKNOWN
    return is_unknown and not is_read(exchange.request) and answer_of(exchange.outcome) is None
