"""How long to go on with one request: pauses that grow, and an end to them. Pure."""

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
"""Where the journal has to be before what may not be sent twice is sent."""

# The shortest pause is a second of Google's minute, the longest all of it.
_STEPS_OF_A_WINDOW: Final = 60
_MOST_REFUSED_TOKENS: Final = 5
# Of the time that is left, what may be waited because Google asks for it: the rest is for the
# attempt that follows.
_WAITED: Final = 0.9
# A request for several calls that fails so often in a row is divided.
_MOST_TOGETHER: Final = 2
# Failures in a row since one piece has failed for all of its time, until it is none of them.
_MOST_IN_VAIN: Final = 20


@dataclass(frozen=True)
class RetryPolicy:
    """What the server's options say of failures.

    Attributes:
        retry_for: Seconds after its first failure for which a request is sent again.
        window: Seconds; the shortest pause is a sixtieth of the quota's window, the longest a
            whole one.
        late_write_guard: Seconds for which a lane is closed after a write without a response.
        durability: ``replicated`` where every replica of Redis that is up has to have the journal
            before what may not be sent twice is sent; ``local`` where none need have it.

    Raises:
        ConfigurationError: One of them cannot be used; the text has the name of its option.

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
        """Return how long a kind pauses because Google asks for it, as far as anybody waits."""
        return min(verdict.retry_after or 0.0, _WAITED * self.retry_for)


def backoff(failures: int, window: float, jitter: float) -> float:
    """Return the seconds to wait after so many failures in a row.

    Args:
        failures: 1 or more.
        window: Seconds of the quota's window.
        jitter: 0 to 1; what keeps several requests from coming back together.

    """
    steps = min(_STEPS_OF_A_WINDOW, 2.0 ** min(failures - 1, 10))
    return window / _STEPS_OF_A_WINDOW * steps * (0.5 + jitter / 2)


@dataclass
class Attempts:
    """The attempts at one request, and at what it was divided into.

    Attributes:
        number: Its place in line, kept from one attempt to the next.
        not_before: The moment of the next attempt, at the earliest.
        give_up_at: The moment after which there is none.
        last: What the latest attempt came to.
        has_waited: Whether it did not go as soon as it came.
        is_shared: Whether the latest attempt was for several calls.

    """

    number: int = 0
    not_before: float = -math.inf
    give_up_at: float = math.inf
    last: Exchange | None = None
    has_waited: bool = False
    is_shared: bool = False
    _failures: int = 0
    _refused_tokens: int = 0
    _unknown: int = 0
    _in_vain: int = 0

    def begin(self) -> None:
        """Begin with a piece: it has all of its time, as if it had come alone.

        The pauses of the row go on, until one piece has failed for all of its time.
        """
        self.last, self.give_up_at = None, math.inf
        if self._in_vain:
            self._failures = 0

    def passed(self) -> None:
        """Note that Google has answered, which ends the row of failures."""
        self._failures = self._refused_tokens = self._unknown = self._in_vain = 0

    def divides(self, verdict: Verdict, *, is_in_time: bool, is_spent: bool) -> bool:
        """Note a failure; return whether what may be repeated goes on in smaller pieces.

        Args:
            verdict: What the failure means.
            is_in_time: Whether there is time for another attempt.
            is_spent: Whether all of its own time is over; else it is its callers' that is.

        """
        if verdict.kind is not VerdictKind.UNKNOWN:
            return False
        self._unknown += 1
        self._in_vain += bool(self._in_vain) or is_spent
        is_lasting = self._unknown >= _MOST_TOGETHER or not is_in_time
        return is_lasting and self._in_vain <= _MOST_IN_VAIN

    def goes_on_after(
        self, exchange: Exchange, verdict: Verdict, retry_policy: RetryPolicy, now: float
    ) -> bool:
        """Note a failure that is no reason to end; return whether there is a next attempt."""
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

        A refusal for the quota holds up all requests of its kind, not this one alone: Redis
        knows for how long. After the first 401 there is a new token to wait for, and no more.
        Where Google asks for a wait beyond the end, of the attempts or of whoever waits for them,
        there is one more attempt before that.
        """
        if verdict.kind is VerdictKind.REFUSED_QUOTA or self._refused_tokens == 1:
            self.not_before = now + least
            return least
        self._failures += 1
        asked = min(verdict.retry_after or 0.0, _WAITED * (min(end, self.give_up_at) - now))
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
        """Tell whether a piece was tried twice since another one has failed for all of its time."""
        is_second = self._in_vain > 0 and self._failures > 0
        return is_second and verdict.kind is VerdictKind.UNKNOWN
