"""Reads that are answered from memory, for calls that are content with answers of some age.

A caller sees whatever this queue has written. So an answer is forgotten when something is sent that
may change it, before that goes out, and once more when the answer to that has come: then no read
that was sent in between is kept either. Where a write may still land later, nothing of the
spreadsheet is kept that is sent before the end of that time.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from queued_gspread._clock import now
from queued_gspread.server.log import LOGGER
from queued_gspread.server.policy.reach import may_change, remembered_as
from queued_gspread.server.policy.request import (
    Recalled,
    Response,
    answer_of,
    bytes_of,
    is_read,
)
from queued_gspread.server.policy.verdict import VerdictKind

from .kept_answer import KeptAnswer
from .read_cache import ReadCache

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queued_gspread.broker import CacheAtWork
    from queued_gspread.server.calls.call import Call
    from queued_gspread.server.policy.request import Exchange

    from .outgoing import OutgoingRequest, SendResult
    from .read_cache import Sent
    from .results import Results

__all__ = ["Remembering"]

# Seconds for which a write of unknown outcome may still land, where no option says so: Google ends
# a request after 180, and what is on the way may hold one up.
_MAY_LAND: Final = 300.0
# Of Google's answers to a read, those that are about the whole spreadsheet.
_DENIED: Final = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
# So many calls are answered at a time, with so many bytes and perhaps one more answer.
_MOST: Final = 32
_MOST_BYTES: Final = 500_000


class Remembering:
    """Remembers what Google said, for as long as a server lives. Thread-safe.

    Args:
        limit: The bytes that answers may take; 0 to remember none.
        may_land: Seconds for which a write of unknown outcome may still land; 0 for the default.
        earlier: Seconds for which a request of an earlier server may be in the air. As its outcome
            may be unknown by then, it may land for the time above, if that is longer.
        clock: A monotonic clock, in seconds, that also counts while the machine is paused.

    """

    def __init__(
        self,
        limit: int = 0,
        may_land: float = 0.0,
        earlier: float = 0.0,
        clock: Callable[[], float] = now,
    ) -> None:
        self._cache = ReadCache(limit, clock)
        self._may_land = may_land or _MAY_LAND
        self._earlier = max(earlier, self._may_land)
        self._clock = clock
        # Whether any call was content with an answer of some age: until then nothing is kept.
        self.is_used = False
        self._has_begun = False

    @property
    def at_work(self) -> CacheAtWork:
        """What it remembers, for those who look at the queue."""
        return self._cache.at_work

    def begin(self, *, follows: bool) -> None:
        """Begin with nothing, as another server, or this one in another epoch, may have written.

        Args:
            follows: Whether there may have been one, of which a request may still be in the air.

        """
        follows, self._has_begun = follows or self._has_begun, True
        until = self._clock() + self._earlier if follows else 0.0
        self._cache.forget(None, until)

    def recalled(self, calls: Sequence[Call], confirm: Callable[[], None]) -> Results:
        """Return the answers that are remembered, to the first of the calls that have one.

        There are no more than can be given at once: they get older.

        Args:
            calls: Calls that may be answered now, in any order.
            confirm: Makes sure that no other server is at work.

        Raises:
            StaleEpochError: One may be by now, and may have written.

        """
        if not any(call.job.max_age for call in calls):
            return []
        confirm()
        self.is_used = True
        results: Results = []
        size = 0
        try:
            for call in calls:
                if (exchange := self._recalled(call)) is not None:
                    results.append((call, exchange))
                    size += len(bytes_of(answer_of(exchange.outcome)))
                    if len(results) == _MOST or size >= _MOST_BYTES:
                        break
        except Exception:  # noqa: BLE001 - then Google is asked
            LOGGER.exception("an error of this program, please report it")
        return results

    def _recalled(self, call: Call) -> Recalled | None:
        if not _may_be_recalled(call) or (place := remembered_as(call.request)) is None:
            return None
        found = self._cache.find(*place, call.job.max_age)
        if found is None or not isinstance(found.answer, KeptAnswer):
            return None
        return Recalled(call.request, Response(found.answer.response()), found.until)

    def drop_old(self, results: Results) -> None:
        """Drop answers that have become too old while they waited: Google is asked then."""
        at = self._clock()
        results[:] = [
            each for each in results if not isinstance(each[1], Recalled) or at <= each[1].until
        ]

    def leaves(self, outgoing: OutgoingRequest) -> Sent | None:
        """Note that a request is about to be sent; return when, if it reads."""
        request = outgoing.calls[0].request
        if not self.is_used:
            return None
        if is_read(request):
            return self._cache.sent()
        # Whatever is merged is for one spreadsheet.
        self._cache.forget(may_change(request))
        return None

    def landed(self, outgoing: OutgoingRequest, result: SendResult, sent: Sent | None) -> None:
        """Note what came of it, before any caller learns of that."""
        request = outgoing.calls[0].request
        is_unknown = result.verdict.kind is VerdictKind.UNKNOWN
        if sent is not None:
            if result.verdict.kind is VerdictKind.FINAL and result.cause is None:
                self._keep(outgoing, result, sent)
        elif is_unknown and not is_read(request):
            # Even before the first call with an age: one may come before it lands.
            self._cache.forget(may_change(request), self._clock() + self._may_land)
        elif self.is_used and not is_read(request):
            self._cache.forget(may_change(request))

    def _keep(self, outgoing: OutgoingRequest, result: SendResult, sent: Sent) -> None:
        """Keep the answer to each call's own request, if anybody has asked for such answers."""
        done = set()
        for call, exchange in zip(outgoing.calls, result.exchanges, strict=True):
            place = remembered_as(call.request)
            if place is None:
                continue
            call.tally.missed += call.job.max_age > 0
            is_of_use = call.job.max_age or self._cache.has(*place) or _is_denied(exchange)
            if is_of_use and place not in done:
                done.add(place)
                self._replace(place, exchange, sent)

    def _replace(self, place: tuple[str, bytes], exchange: Exchange, sent: Sent) -> None:
        """Keep an answer in place of an older one, which must not be given after it.

        An error leaves nothing.
        """
        outcome = exchange.outcome
        kept = KeptAnswer.of(outcome.value) if isinstance(outcome, Response) else None
        if kept is not None:
            self._cache.keep(*place, kept, sent)
        elif _is_denied(exchange):
            self._cache.forget(place[:1])
        else:
            self._cache.drop(*place)


def _is_denied(exchange: Exchange) -> bool:
    """Return whether Google says that the spreadsheet is gone, or not for this account."""
    return getattr(answer_of(exchange.outcome), "status_code", None) in _DENIED


def _may_be_recalled(call: Call) -> bool:
    """Return whether a call may be answered from memory, as far as it is not for the request.

    Who holds a lock, or has written something, reads afresh. A call under an idempotency key claims
    it with a request.
    """
    if not call.job.max_age or call.may_have_written or call.promise is not None:
        return False
    return call.entry.lane == call.entry.spreadsheet
