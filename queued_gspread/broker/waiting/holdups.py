"""What holds requests up: the working server writes it with its beats, and callers read it.

Times are seconds before or after the beat, so that no server's clock matters. Anyone may have
written the value in Redis: one that cannot be read counts as nothing.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AGAIN",
    "INTERVAL",
    "MEMORY",
    "MOST_NAMED",
    "NOTHING",
    "PAUSED",
    "QUOTA",
    "SENT",
    "SHARED",
    "Holdup",
    "Holdups",
]

QUOTA, SHARED, INTERVAL, MEMORY = "quota", "shared", "interval", "memory"
"""Why requests of a kind wait, if it is not paused: for slots, for slots that spreadsheets share
fairly, for the interval, for memory."""

SENT, AGAIN, PAUSED = "sent", "again", "paused"
"""What a lane waits for if it is in no queue: Google's answer, the time of a retry, or the end
of an operator's pause."""


MOST_NAMED: Final = 100
"""How many lanes a server names for each queue of tickets, and of those that wait for Google."""


@dataclass(frozen=True)
class Holdup:
    """A kind of request that waits.

    Attributes:
        why: One of the four words, or :data:`queued_gspread.broker.PAUSE`.
        next: Seconds until the first may go; infinite if that depends on an answer.
        lanes: How many lanes have such a request in the queue of tickets.
        limit: How many such requests a window allows; 0 if not known.
        window: Its seconds.

    """

    why: str
    next: float = math.inf
    lanes: int = 1
    limit: int = 0
    window: float = 60.0


@dataclass(frozen=True)
class Holdups:
    """Everything that holds requests up.

    Attributes:
        kinds: The holdup of each kind of request that waits.
        lanes: What each lane waits for, a kind or one of the three other words, and for how long.
        token: Seconds for which the server has had no access token; None if it has one.

    """

    kinds: Mapping[str, Holdup] = field(default_factory=dict)
    lanes: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    token: float | None = None

    def __bool__(self) -> bool:
        """Return whether anything is held up."""
        return bool(self.kinds or self.lanes or self.token is not None)

    def encode(self) -> str:
        """Return it as text for Redis; '' for nothing."""
        if not self:
            return ""
        kinds = {
            kind: [one.why, _finite(one.next), one.lanes, one.limit, one.window]
            for kind, one in self.kinds.items()
        }
        lanes = {lane: [word, round(seconds, 3)] for lane, (word, seconds) in self.lanes.items()}
        return json.dumps([kinds, lanes, self.token], separators=(",", ":"))

    @classmethod
    def decode(cls, text: bytes) -> Holdups:
        """Return the holdups in Redis; none if no server wrote them so."""
        try:
            kinds, lanes, token = json.loads(text)
            return cls(
                {str(kind): _holdup(*fields) for kind, fields in kinds.items()},
                {str(lane): (str(word), _number(since)) for lane, (word, since) in lanes.items()},
                None if token is None else _number(token),
            )
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            return NOTHING


NOTHING: Final = Holdups()

# Larger than any number of lanes, slots or seconds.
_MOST: Final = 1e9


def _finite(seconds: float) -> float:
    return -1 if math.isinf(seconds) else round(seconds, 3)


def _holdup(why: Any, first: Any, lanes: Any, limit: Any, window: Any) -> Holdup:
    until = math.inf if first == -1 else _number(first)
    return Holdup(str(why), until, int(_number(lanes)), int(_number(limit)), _number(window))


def _number(value: Any) -> float:
    number = float(value)
    if not 0 <= number <= _MOST:
        raise ValueError(value)
    return number
