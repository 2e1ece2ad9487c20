"""How long to retry a request, and with which pauses. Pure.

Whether it may be retried at all is decided in :mod:`queued_gspread.server.sending.sender`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from queued_gspread.errors import ConfigurationError
from queued_gspread.settings import checked_seconds

from .verdict import Verdict, VerdictKind

if TYPE_CHECKING:
    from .request import Exchange

__all__ = ["DURABILITIES", "Attempts", "RetryPolicy", "backoff"]

DURABILITIES: Final = ("local", "replicated")
"""Where the journal must be stored before a non-idempotent request is sent."""

# The shortest pause is a second of Google's minute, the longest the whole minute.
_STEPS_OF_A_WINDOW: Final = 60
_MOST_REFUSED_TOKENS: Final = 5
# The share of the time left for which Google may make a request wait. The rest is for the attempt
# after the wait.
_WAIT_SHARE: Final = 0.9
# A request for several calls is split after this many failures in a row.
_MOST_SHARED_FAILURES: Final = 2
# Once a piece has failed for all of its time: after so many failures in a row, no single piece is
# the cause, and splitting ends.
_MOST_FAILED_PIECES: Final = 20


@dataclass(frozen=True)
class RetryPolicy:
    """The server's options for failures.

    Attributes:
        retry_for: Seconds for which a request is retried after its first failure.
        window: Seconds of the quota's window. Pauses last from a sixtieth of it to all of it.
        late_write_guard: Seconds for which a lane is closed after a write without a response.
        durability: ``replicated`` if every replica of Redis that is up must have the journal
            before a non-idempotent request is sent; ``local`` if none need have it.

    Raises:
        ConfigurationError: A value is invalid; the text names its option.

    """

    retry_for: float = 600.0
    window: float = 60.0
    late_write_guard: float = 0.0
    durability: str = "local"

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name in ("retry_for", "late_write_guard"):
            value = getattr(self, name)
            checked_seconds(value, f"{name}={value!r}", zero=True)
        if self.durability not in DURABILITIES:
            words = " or ".join(DURABILITIES)
            raise ConfigurationError(f"durability={self.durability!r} cannot be used: take {words}")

    def pause(self, verdict: Verdict) -> float:
        """Return how long a kind pauses at Google's request; it ends before ``retry_for``."""
        return min(verdict.retry_after or 0.0, _WAIT_SHARE * self.retry_for)


def backoff(failures: int, window: float, jitter: float) -> float:
    """Return the seconds to wait after a number of failures in a row.

    Args:
        failures: 1 or more.
        window: Seconds of the quota's window.
        jitter: 0 to 1; keeps several requests from being retried at the same moment.

    """
    steps = min(_STEPS_OF_A_WINDOW, 2.0 ** min(failures - 1, 10))
    return window / _STEPS_OF_A_WINDOW * steps * (0.5 + jitter / 2)


@dataclass
class Attempts:
    """The attempts at one request, and at the pieces it was split into.

    Attributes:
        number: Its place in the queue of tickets, kept from one attempt to the next.
        not_before: The earliest moment of the next attempt.
        give_up_at: The moment after which there is no further attempt.
        last: The latest attempt and its outcome.
        has_waited: Whether the request was not sent as soon as it came.
        is_shared: Whether the latest attempt was for several calls.
        pause: The latest pause of an operator's that held it up, in words; '' for none.

    """

    number: int = 0
    not_before: float = -math.inf
    give_up_at: float = math.inf
    last: Exchange | None = None
    has_waited: bool = False
    is_shared: bool = False
    pause: str = ""
    _failures: int = 0
    _refused_tokens: int = 0
    _unknown: int = 0
    _in_vain: int = 0
    _left: float = math.inf

    def begin(self) -> None:
        """Begin with a piece, which gets the full time for retries, as if it had come alone.

        Pauses keep growing from piece to piece, until one piece has failed for all of its time.
        """
        self.last, self.give_up_at = None, math.inf
        if self._in_vain:
            self._failures = 0

    def rest(self, now: float) -> None:
        """Stop the time of the retries, as an operator's pause holds them up."""
        self._left, self.give_up_at = self.give_up_at - now, math.inf

    def go_on(self, now: float) -> None:
        """Let the time of the retries go on."""
        self.give_up_at = now + self._left

    def passed(self) -> None:
        """Reset the counts of failures, since Google has answered."""
        self._failures = self._refused_tokens = self._unknown = self._in_vain = 0

    def divides(self, verdict: Verdict, *, is_in_time: bool, is_spent: bool) -> bool:
        """Count a failure; return whether an idempotent request is to be split.

        Args:
            verdict: What the failure means.
            is_in_time: Whether there is time for another attempt.
            is_spent: Whether the request's own time is over, rather than its callers'.

        """
        if verdict.kind is not VerdictKind.UNKNOWN:
            return False
        self._unknown += 1
        self._in_vain += bool(self._in_vain) or is_spent
        is_lasting = self._unknown >= _MOST_SHARED_FAILURES or not is_in_time
        return is_lasting and self._in_vain <= _MOST_FAILED_PIECES

    def goes_on_after(
        self, exchange: Exchange, verdict: Verdict, retry_policy: RetryPolicy, now: float
    ) -> bool:
        """Record a failure that can be retried; return whether there is a next attempt."""
        self.last = exchange
        self.give_up_at = min(self.give_up_at, now + retry_policy.retry_for)
        has_no_use = self._has_no_use_for_tokens(verdict) or self._is_in_vain(verdict)
        return now < self.give_up_at and not has_no_use

    def wait(
        self,
        verdict: Verdict,
        retry_policy: RetryPolicy,
        now: float,
        jitter: float,
        least: float,
        end: float = math.inf,
    ) -> float:
        """Set the moment of the next attempt; return the seconds until then.

        A quota refusal holds up all requests of its kind, not only this one, and Redis knows for
        how long. After a first 401, the request only waits for a new token. If Google asks for a
        wait beyond the end of the attempts, or of the callers' time, one more attempt is made
        before that end.
        """
        if verdict.kind is VerdictKind.REFUSED_QUOTA or self._refused_tokens == 1:
            self.not_before = now + least
            return least
        self._failures += 1
        asked = min(verdict.retry_after or 0.0, _WAIT_SHARE * (min(end, self.give_up_at) - now))
        pause = max(backoff(self._failures, retry_policy.window, jitter), asked)
        self.not_before = now + max(pause, least)
        return self.not_before - now

    def _has_no_use_for_tokens(self, verdict: Verdict) -> bool:
        if verdict.kind is not VerdictKind.UNAUTHENTICATED:
            self._refused_tokens = 0
            return False
        self._refused_tokens += 1
        return self._refused_tokens >= _MOST_REFUSED_TOKENS

    def _is_in_vain(self, verdict: Verdict) -> bool:
        """Return whether this piece has failed twice since another failed for all of its time."""
        is_second = self._in_vain > 0 and self._failures > 0
        return is_second and verdict.kind is VerdictKind.UNKNOWN
