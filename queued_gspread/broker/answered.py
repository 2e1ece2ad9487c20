"""The ids of signed jobs that nobody waits for and that were answered, on their way to Redis.

What they are for is said in :mod:`queued_gspread.server.calls.unattended`.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any, Final

from redis.exceptions import RedisError, ResponseError

__all__ = ["NOTHING_ANSWERED", "AnsweredIds", "Vouched"]


@dataclass(frozen=True)
class Vouched:
    """A change of the set in Redis, and what the server signs for the set that comes of it.

    Attributes:
        head: What is signed; b'' for no change.
        before: What was signed before: one of these must be there, or Redis was tampered with.
        floor: Ids of jobs that were signed up to this time are dropped, in milliseconds.
        ids: Those to add, each with the time that its job is signed with.

    """

    head: bytes = b""
    before: tuple[bytes, ...] = (b"",)
    floor: int = 0
    ids: dict[str, int] = field(default_factory=dict)

    def encode(self) -> str:
        """Return it for the scripts; '' for no change."""
        if not self.head:
            return ""
        # Times are texts, as Lua's numbers are floats.
        ids = [text for pair in self.ids.items() for text in map(str, pair)]
        before = [head.decode() for head in self.before]
        shown = {"signed": self.head.decode(), "before": before, "floor": str(self.floor)}
        return json.dumps(shown | {"ids": ids})


NOTHING_ANSWERED: Final = Vouched()


@dataclass(frozen=True)
class AnsweredIds:
    """The set as it is in Redis, where anyone may have put anything.

    Attributes:
        head: What is signed; b'' if there is nothing.
        ids: The ids, each with the time that its job is signed with.
        moment: Redis's clock, in milliseconds.

    """

    head: bytes
    ids: dict[str, int]
    moment: int

    @classmethod
    def of(cls, head: Any, pairs: Any, time: Any) -> AnsweredIds:
        """Return what these answers of Redis say; a value of a wrong type counts as absent.

        Raises:
            RedisError: Redis has refused.

        """
        for answer in (head, pairs, time):
            is_wrong_type = isinstance(answer, ResponseError) and "WRONGTYPE" in str(answer)
            if isinstance(answer, RedisError) and not is_wrong_type:
                raise answer
        found = pairs if isinstance(pairs, list) else []
        ids = {name.decode(errors="replace"): _moment(score) for name, score in found}
        seconds, microseconds = time
        message = head if isinstance(head, bytes) else b""
        return cls(message, ids, seconds * 1000 + microseconds // 1000)


def _moment(score: float) -> int:
    """Return a time; one that no server has signed for what is no number."""
    return int(score) if math.isfinite(score) else -1
