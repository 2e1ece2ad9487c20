"""Upserts that are open side by side: who shares requests with whom, and who must read again."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from queued_gspread.server import merging
from queued_gspread.server.calls.call import Cohort
from queued_gspread.server.policy.request import Exchange, Response
from queued_gspread.server.policy.upsert_requests import Read, UpsertRequest, is_append

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.server.calls.call import Call
    from queued_gspread.server.calls.outcome import Outcome
    from queued_gspread.server.calls.runner import Runner
    from queued_gspread.server.policy.upserts import Book
    from queued_gspread.server.sending.outgoing import OutgoingRequest
    from queued_gspread.server.sending.results import Results

__all__ = [
    "RoundReads",
    "begin_outdated_anew",
    "is_upsert",
    "part_company",
    "updates_first",
]


class RoundReads:
    """What the open upserts have just read, which does for those that came meanwhile.

    Without it callers that block would fall into groups that take turns: who comes while the read
    of the others is out would have to wait for the end of their round.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Book, tuple[str, ...]] | None, Response] = {}

    def __bool__(self) -> bool:
        """Return whether there is anything to share."""
        return bool(self._known)

    def clear(self) -> None:
        """Forget them: who comes from now on reads anew."""
        self._known.clear()

    def note(self, results: Results) -> None:
        """Note what was read."""
        for call, result in results:
            asked = _asked(call)
            if asked and isinstance(result, Exchange) and isinstance(result.outcome, Response):
                self._known[asked] = result.outcome

    def catch_up(self, call: Call, runner: Runner) -> Outcome | None:
        """Take a call as far as the known reads do; return its outcome if it has ended.

        A call under an idempotency key makes its own read: its key is claimed with a request.
        """
        if call.promise is not None:
            return None
        outcome = None
        while outcome is None and (answer := self._known.get(_asked(call))) is not None:
            call.answered(Exchange(call.request, answer))
            outcome = runner.advance(call)
        if outcome is not None:
            call.close()
        return outcome


def _asked(call: Call) -> tuple[Book, tuple[str, ...]] | None:
    """Return what a call wants to read; None if it needs another request."""
    request = call.request
    if isinstance(request, UpsertRequest) and isinstance(request.step, Read):
        return request.book, request.step.ranges
    return None


def is_upsert(call: Call) -> bool:
    """Return whether a call needs a request of an upsert next."""
    return isinstance(call.request, UpsertRequest)


def part_company(outgoing: OutgoingRequest) -> bool:
    """Let the upserts of a request that failed as a whole go on in two groups.

    Pieces of the request would not do: once one of them has appended rows, the others no longer
    know what is in the sheet. Returns whether it is a request of upserts.
    """
    if not is_upsert(outgoing.calls[0]):
        return False
    for cut in merging.cuts(outgoing.parts, ""):
        cohort = Cohort(outgoing.attempts)
        for place in cut:
            outgoing.calls[place].join(cohort)
    return True


def updates_first(calls: list[Call]) -> list[Call]:
    """Return open calls with the updates of upserts before the append that the first one needs.

    Whoever has read the same as the first one would have to read again after the append. What
    comes behind a call that has yet to read, or goes alone, must wait for it.
    """
    first = calls[0]
    if not is_append(first.request) or first.is_suspect:
        return calls
    beside = [*takewhile(lambda call: _is_beside(call, first), calls)]
    updating = [call for call in beside if not is_append(call.request)]
    return [*updating, *(call for call in calls if call not in updating)] if updating else calls


def _is_beside(call: Call, first: Call) -> bool:
    request = call.request
    is_ready = isinstance(request, UpsertRequest) and not isinstance(request.step, Read)
    return is_ready and call.cohort is first.cohort and not call.is_suspect


def begin_outdated_anew(calls: Sequence[Call], results: Results) -> list[Call]:
    """Have calls begin anew whose reads are older than an append, or a possible one; return them.

    Args:
        calls: The open calls.
        results: What a request has come to, for the calls that it was for.

    """
    if len(results) == len(calls):
        return []
    answered = {call for call, _ in results}
    if not any(is_append(call.request) for call in answered):
        return []
    stale = [call for call in calls if call.exchanges and call not in answered]
    for call in stale:
        call.begin_anew()
    return stale
