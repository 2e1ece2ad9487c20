"""One request on its way to Google, and the calls that it is for."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.google_api.responses import error_in
from queued_gspread.server import merging
from queued_gspread.server.pacing.ticket_queue import FREE, Ticket
from queued_gspread.server.policy.idempotency import is_idempotent
from queued_gspread.server.policy.request import Exchange, Failure, Request, Response, answer_of
from queued_gspread.server.policy.retry import Attempts
from queued_gspread.server.policy.upsert_requests import is_append
from queued_gspread.server.policy.verdict import Verdict, VerdictKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queued_gspread.server.calls.call import Call
__all__ = [
    "Cause",
    "OutgoingRequest",
    "Pieces",
    "SendResult",
    "SetBackError",
    "end_of_waiting",
    "unsplit",
]

# Seconds before their time is over at which calls that were set back are there again, to say so.
_BACK_BEFORE: Final = 0.5
_UNREADABLE: Final = Verdict(VerdictKind.UNKNOWN, why="answer not readable")
# Errors that can be about the whole spreadsheet, whatever the request.
_OF_ALL: Final = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_SAYS_SO: Final = re.compile(
    r"The caller does not have permission|Requested entity was not found\.?"
    r"|Request had insufficient authentication scopes\.?"
)


# Refusals may cost one extra request for this many calls, and never fewer than two in all.
_BEARABLE: Final = 10
_LEAST_SPARE: Final = 2
# Finding a single bad call takes the steps of halving, the whole request, and one wrong name.
_MORE_STEPS: Final = 2


def _no_calls(_: OutgoingRequest) -> list[Call]:
    """Return no calls: none join the request late."""
    return []


def end_of_waiting(call: Call, attempts: Attempts) -> float:
    """Return when a call waits no longer for an attempt: by its caller's time, or its retries'."""
    deadline = call.entry.deadline(call.job.timeout)
    if deadline is None or (call.may_have_written and attempts.last is None):
        return attempts.give_up_at
    return min(deadline, attempts.give_up_at)


class SetBackError(Exception):
    """For the lane: an operator's pause holds its calls up, which are to begin anew after it.

    Args:
        ticket: What to wait with for the end of the pause.

    """

    def __init__(self, ticket: Ticket) -> None:
        super().__init__()
        self.ticket = ticket


class Cause(Enum):
    """Why a merged request goes on in pieces."""

    REFUSED = auto()
    """Google has refused it as a whole, so none of it was applied."""
    REFUSED_FOR_ALL = auto()
    """The same, with an error that is about the whole spreadsheet."""
    UNREADABLE = auto()
    """The answer cannot be split between the calls."""
    FAILED = auto()
    """It keeps failing and is idempotent: one of the calls may be the cause."""


@dataclass(eq=False)
class OutgoingRequest:
    """Calls whose next requests are sent as one.

    Attributes:
        calls: One or more, in the order of their arrival.
        join_late: Returns calls that join the request before it is sent; they then belong to it.
        attempts: The attempts to send it; its pieces share them.
        result: The result of the latest attempt.
        may_be_set_back: Returns whether its calls may begin anew after an operator's pause.
        is_own: Whether it may go out under the namespace's own account alone.

    """

    calls: list[Call]
    join_late: Callable[[OutgoingRequest], Sequence[Call]] = field(default=_no_calls, repr=False)
    attempts: Attempts = field(default_factory=Attempts, repr=False)
    result: SendResult | None = field(default=None, repr=False)
    may_be_set_back: Callable[[], bool] = field(default=bool, repr=False)
    is_own: bool = field(default=False, repr=False)

    @property
    def parts(self) -> list[merging.Mergeable]:
        """What each call adds to the merged request."""
        return [part for call in self.calls if (part := call.part) is not None]

    @property
    def request(self) -> Request:
        """The one request that is sent for all calls."""
        return self.calls[0].request if len(self.calls) == 1 else merging.merge(self.parts)

    @property
    def lane(self) -> str:
        """The lane of all its calls."""
        return self.calls[0].entry.lane

    @property
    def spreadsheet(self) -> str:
        """The lane of their spreadsheet, whoever holds its lock."""
        return self.calls[0].entry.spreadsheet

    @property
    def is_idempotent(self) -> bool:
        """Whether it is safe to retry when it is unknown whether it was applied."""
        return all(is_idempotent(call.request) for call in self.calls)

    @property
    def is_shared(self) -> bool:
        """Whether it merges requests that differ, so that one can fail without the others."""
        if len(self.calls) == 1:
            return False
        parts = self.parts
        return merging.merge(parts) is not parts[0].request

    @property
    def is_split(self) -> bool:
        """Whether its calls go on in pieces."""
        return self.result is not None and self.result.cause is not None

    @property
    def attempt_name(self) -> str:
        """The name of the attempt in the journals' intent; '' if they have none."""
        for call in self.calls:
            if call.journal_update:
                return call.journal_update.attempt
        return ""

    @property
    def end_of_waiting(self) -> float:
        """When the first of its calls waits no longer, on the clock of its attempts."""
        return min([end_of_waiting(call, self.attempts) for call in self.calls])

    def set_back(self, kind: str, pause: str) -> SetBackError:
        """Return what has its calls begin anew after a pause that holds up a kind of request."""
        until = self.end_of_waiting - _BACK_BEFORE
        return SetBackError(Ticket(FREE, until=until, pause=pause, held_kind=kind))

    def pieces(self, cuts: Sequence[Sequence[int]]) -> list[OutgoingRequest]:
        """Return its calls as several requests; each cut lists the places of the calls of one."""
        return [self._piece([self.calls[place] for place in cut]) for cut in cuts]

    def alone(self) -> list[OutgoingRequest]:
        """Return its calls, each as a request of its own."""
        return [self._piece([call]) for call in self.calls]

    def _piece(self, calls: list[Call]) -> OutgoingRequest:
        return OutgoingRequest(calls, attempts=self.attempts)

    def land(self, exchange: Exchange, verdict: Verdict) -> SendResult:
        """Return what an exchange means for each of the calls."""
        if len(self.calls) == 1 and not is_append(self.calls[0].request):
            return SendResult([exchange], verdict)
        shared = [Exchange(call.request, exchange.outcome) for call in self.calls]
        if verdict.kind is not VerdictKind.FINAL:
            return SendResult(shared, verdict)
        if isinstance(exchange.outcome, Failure):
            return SendResult(shared, verdict, self._cause_of(exchange.outcome))
        return self._split(exchange.outcome, shared)

    def _split(self, outcome: Response, shared: list[Exchange]) -> SendResult:
        answers = self._answers(outcome.value)
        if answers is None:
            return SendResult(shared, _UNREADABLE, Cause.UNREADABLE if self.is_idempotent else None)
        pairs = zip(self.calls, answers, strict=True)
        own = [Exchange(call.request, Response(answer)) for call, answer in pairs]
        return SendResult(own, Verdict(VerdictKind.FINAL))

    def _answers(self, shared: Any) -> list[Any] | None:
        try:
            return merging.split(self.parts, shared)
        except Exception:  # noqa: BLE001 - an answer of an unexpected form cannot be split
            return None

    def _cause_of(self, outcome: Failure) -> Cause | None:
        """Return why the calls go on in pieces after a refusal, if they do."""
        # Where all calls made the same request, its answer is the answer to each.
        if answer_of(outcome) is None or not self.is_shared:
            return None
        return Cause.REFUSED_FOR_ALL if _is_for_all(outcome) else Cause.REFUSED


@dataclass(frozen=True)
class SendResult:
    """The result of an attempt to send a request.

    Attributes:
        exchanges: Each call's own request, with its outcome.
        verdict: What the outcome means.
        cause: Why the calls go on in pieces, if they do: it was not applied, or it is idempotent.

    """

    exchanges: list[Exchange]
    verdict: Verdict
    cause: Cause | None = None

    @property
    def is_refused(self) -> bool:
        """Whether Google has refused it as a whole, so none of it was applied."""
        return self.cause in (Cause.REFUSED, Cause.REFUSED_FOR_ALL)

    @property
    def has_passed(self) -> bool:
        """Whether Google's quota has let it through, unless it was refused for the quota.

        A request without an answer does not show that, nor does a token that was not accepted.
        """
        return self._is_answered and self.verdict.kind is not VerdictKind.UNAUTHENTICATED

    @property
    def has_gone_out(self) -> bool:
        """Whether it reached Google, or may have, so that it may count against the quota."""
        return self.verdict.kind is VerdictKind.UNKNOWN or self._is_answered

    @property
    def _is_answered(self) -> bool:
        outcome = self.exchanges[0].outcome if self.exchanges else None
        return outcome is not None and (
            isinstance(outcome, Response) or answer_of(outcome) is not None
        )

    @property
    def end(self) -> str:
        """What came of it, in a word: for a quota, with whose it is, where Google says so."""
        kind, of = self.verdict.kind, self.verdict.of
        if kind is VerdictKind.FINAL:
            return "failed" if isinstance(self.exchanges[0].outcome, Failure) else "ok"
        if kind is VerdictKind.REFUSED_QUOTA:
            return f"refused.{of}" if of else "refused"
        return kind.name.lower()

    @property
    def is_error(self) -> bool:
        """Whether it ended with an error."""
        is_over = self.verdict.kind is VerdictKind.FINAL and self.cause is None
        return is_over and isinstance(self.exchanges[0].outcome, Failure)


class Pieces:
    """What is left to send of a request, in order: all of it, or pieces after it failed as a whole.

    A refusal costs a request that its calls would not have needed on their own. The search for one
    bad call may cost one request for each step of halving. Beyond that, refusals may cost a tenth
    of the number of calls (two if there are fewer than twenty) and as many requests as were saved
    by pieces that went through. After that each call is sent alone.

    Args:
        waiting: The whole request, unless it was sent already.

    """

    def __init__(self, *waiting: OutgoingRequest) -> None:
        self._waiting = deque(waiting)
        self._count = self._refusals = self._saved = 0
        self._has_bad = False
        # The call that a refusal named, until it was tried; no other name is believed before that.
        self._named: Call | None = None
        self._believes_names = True
        # Each call's answer if ``_unsure`` more of them, sent alone, are refused for the whole
        # spreadsheet.
        self._presumed: dict[Call, Exchange] = {}
        self._unsure = 0
        self._believes_all = True

    def __bool__(self) -> bool:
        """Return whether anything is left."""
        return bool(self._waiting)

    @property
    def calls(self) -> list[Call]:
        """The calls of everything that is left."""
        return [call for piece in self._waiting for call in piece.calls]

    def take(self) -> OutgoingRequest:
        """Return the request to send next."""
        return self._waiting.popleft()

    def landed(self, outgoing: OutgoingRequest) -> list[tuple[Call, Exchange]]:
        """Note a piece's result; return answers for calls that need not be sent any more."""
        # Drop what was sent once it is not needed: it may be large.
        result, outgoing.result = outgoing.result, None
        if result is None or not outgoing.calls:
            return []
        if result.cause is not None:
            self._waiting = deque([*self._replacements(outgoing, result), *self._waiting])
            if result.cause is not Cause.FAILED and not self._may_search:
                self._waiting = deque(one for piece in self._waiting for one in piece.alone())
            return []
        self._saved += len(outgoing.calls) - 1
        if len(outgoing.calls) == 1:
            self._learn(outgoing.calls[0], result)
        return self._presumed_answers()

    def _replacements(self, outgoing: OutgoingRequest, result: SendResult) -> list[OutgoingRequest]:
        if result.cause is Cause.FAILED:
            return outgoing.pieces(merging.cuts(outgoing.parts, ""))
        self._count = self._count or len(outgoing.calls)
        self._refusals += 1
        if result.cause is Cause.REFUSED_FOR_ALL:
            return self._sample_alone(outgoing, result)
        return outgoing.pieces(self._cuts(outgoing, _message(result.exchanges[0].outcome)))

    @property
    def _may_search(self) -> bool:
        bearable = max(_LEAST_SPARE, self._count // _BEARABLE) + self._saved
        steps = 0 if self._has_bad else self._count.bit_length() + _MORE_STEPS
        return self._refusals < max(bearable, steps)

    def _cuts(self, outgoing: OutgoingRequest, message: str) -> list[list[int]]:
        """Cut a refused request around the call that the refusal names, if that is believed."""
        place = merging.named(outgoing.parts, message) if self._believes_names else None
        if place is None:
            return merging.cuts(outgoing.parts, "")
        self._named, self._believes_names = outgoing.calls[place], False
        return merging.cuts(outgoing.parts, message)

    def _sample_alone(self, outgoing: OutgoingRequest, result: SendResult) -> list[OutgoingRequest]:
        """Send some calls alone, before a refusal for the whole spreadsheet is believed."""
        if not self._believes_all:
            return outgoing.pieces(merging.cuts(outgoing.parts, ""))
        count = len(outgoing.calls)
        self._unsure = count.bit_length()
        own = merging.each_as_alone(result.exchanges, is_final=True)
        self._presumed = dict(zip(outgoing.calls, own, strict=True))
        places = [*range(count)]
        alone, rest = places[: self._unsure], places[self._unsure :]
        return outgoing.pieces([*([place] for place in alone), *([rest] if rest else [])])

    def _learn(self, call: Call, result: SendResult) -> None:
        """Note what the result of a call that was sent alone shows about the others."""
        self._has_bad |= result.is_error
        if call is self._named:
            self._named, self._believes_names = None, result.is_error
        if call in self._presumed:
            if result.is_error and _is_for_all(result.exchanges[0].outcome):
                self._unsure -= 1
            else:
                self._believes_all, self._presumed = False, {}

    def _presumed_answers(self) -> list[tuple[Call, Exchange]]:
        if self._unsure or not self._presumed:
            return []
        refused, self._presumed = self._presumed, {}
        calls = [call for call in self.calls if call in refused]
        left = [piece for piece in self._waiting if piece.calls[0] not in refused]
        self._waiting = deque(left)
        return [(call, refused[call]) for call in calls]


def unsplit(calls: Sequence[Call], pieces: Sequence[Pieces]) -> list[Call]:
    """Return those of the calls whose requests do not go on in pieces."""
    split = {call for left in pieces for call in left.calls}
    return [call for call in calls if call not in split]


def _message(outcome: Response | Failure) -> str:
    """Return the text of Google's error; '' if there is none."""
    message = error_in(answer_of(outcome)).get("message")
    return message if isinstance(message, str) else ""


def _is_for_all(outcome: Response | Failure) -> bool:
    status = getattr(answer_of(outcome), "status_code", None)
    return status in _OF_ALL and _SAYS_SO.fullmatch(_message(outcome)) is not None
