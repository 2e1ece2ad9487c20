"""The faults that requests can be made to meet, as plain data.

`applied` says whether the request's method runs anyway: with False the fault comes before it, with
True the client cannot know that it ran. Times are in seconds of the emulator's clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Seconds: TypeAlias = float | tuple[float, float]


@dataclass(frozen=True)
class Status:
    """An answer with a status and Google's JSON for it.

    `reason` is the reason in the JSON, such as `userRateLimitExceeded` for 403; `message` replaces
    its message. `body` replaces all of it: a mapping is sent as JSON, text and bytes are sent as
    HTML unless `headers` say otherwise. A token request gets an OAuth error that google-auth
    considers temporary. Raises ValueError for an unknown status.
    """

    status: int = HTTPStatus.SERVICE_UNAVAILABLE
    message: str = ""
    reason: str = ""
    body: Mapping[str, Any] | str | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    applied: bool = False

    def __post_init__(self) -> None:
        """Refuse an unknown status."""
        HTTPStatus(self.status)

    @property
    def name(self) -> str:
        """Its name in the ledger."""
        return f"{int(self.status)}{' after' if self.applied else ''}"


@dataclass(frozen=True)
class Html:
    """An answer with a status and a page of HTML, as Google's front ends send it.

    Raises ValueError for an unknown status.
    """

    status: int = HTTPStatus.BAD_GATEWAY
    headers: Mapping[str, str] = field(default_factory=dict)
    applied: bool = False

    def __post_init__(self) -> None:
        """Refuse an unknown status."""
        HTTPStatus(self.status)

    @property
    def name(self) -> str:
        """Its name in the ledger."""
        return f"html {int(self.status)}{' after' if self.applied else ''}"


@dataclass(frozen=True)
class Reset:
    """The connection is reset instead of an answer.

    With `late`, it is reset as soon as the request has come in, and the request is applied so
    many seconds later. Raises ValueError for seconds below 0.
    """

    applied: bool = False
    late: float | None = None

    def __post_init__(self) -> None:
        """Refuse invalid seconds."""
        if self.late is not None:
            checked_seconds("late", self.late)
            object.__setattr__(self, "applied", True)

    @property
    def name(self) -> str:
        """Its name in the ledger."""
        if self.late is not None:
            return "reset late"
        return f"reset{' after' if self.applied else ''}"


@dataclass(frozen=True)
class ExpiredToken:
    """401, as for a token that has expired; only an API request can meet it.

    With `for_good` the token that was used is invalid from then on.
    """

    for_good: bool = False
    applied: bool = field(default=False, init=False)

    @property
    def name(self) -> str:
        """Its name in the ledger."""
        return "expired"


@dataclass(frozen=True)
class OAuthRefusal:
    """An OAuth error that google-auth considers permanent; only a token request can meet it."""

    error: str = "invalid_grant"
    description: str = "Invalid grant: account not found"
    status: int = HTTPStatus.BAD_REQUEST
    applied: bool = field(default=False, init=False)

    @property
    def name(self) -> str:
        """Its name in the ledger."""
        return self.error


@dataclass(frozen=True)
class Latency:
    """Additional latency, in seconds or a range of them; it adds to all other latency.

    Raises ValueError for seconds below 0.
    """

    seconds: Seconds

    def __post_init__(self) -> None:
        """Refuse invalid seconds."""
        object.__setattr__(self, "seconds", checked_span("seconds", self.seconds))

    @property
    def name(self) -> str:
        """Its name in the ledger, if the request met nothing else."""
        return "latency"


Ending: TypeAlias = Status | Html | Reset | ExpiredToken | OAuthRefusal
Fault: TypeAlias = Ending | Latency


def checked_seconds(name: str, seconds: float) -> float:
    """Return seconds; raise ValueError if they are negative, not finite or not a number."""
    if not _are_seconds(seconds):
        raise ValueError(f"{name}={seconds!r} cannot be used: take seconds from 0.")
    return seconds


def checked_span(name: str, seconds: Seconds | list[float]) -> Seconds:
    """Return seconds, or a range of them as a tuple; raise ValueError as `checked_seconds` does."""
    given: Any = tuple(seconds) if isinstance(seconds, list) else seconds
    bounds = given if isinstance(given, tuple) else (given, given)
    pair = len(bounds) == 2 and all(map(_are_seconds, bounds))  # noqa: PLR2004 - a pair
    if not pair or bounds[0] > bounds[1]:
        remedy = "take seconds from 0, or (lowest, highest)"
        raise ValueError(f"{name}={seconds!r} cannot be used: {remedy}.")
    checked: Seconds = given
    return checked


def _are_seconds(value: object) -> bool:
    return isinstance(value, (int, float)) and 0 <= value < math.inf
