"""Promises: what is kept of calls under idempotency keys, as the scripts and operators have it.

``lua/promises.lua`` says how they lie in Redis. What is kept of a call is::

    DIGEST WORD ANSWER

the digest of the call; the word by which it ended in the log; and the reply, or in words what is
known of it. If jobs are signed, so is what follows the digest, for the namespace, the field, the
digest and the state.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from queued_gspread.broker.connection.client import Link, as_text
from queued_gspread.broker.connection.failures import unavailable
from queued_gspread.protocol.signing import sign, verify

from .keys import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queued_gspread.protocol.signing import Keyring
    from queued_gspread.settings import Settings

__all__ = [
    "ANSWERED",
    "BEGUN",
    "FREE",
    "MADE",
    "MOST_ANSWER",
    "UNKNOWN",
    "Kept",
    "KeptCall",
    "Promises",
    "claim",
    "encoded",
    "field_of",
]

BEGUN, ANSWERED, MADE, UNKNOWN = "begun", "answered", "made", "unknown"
"""The states of a promise; see ``lua/promises.lua``."""

FREE: Final = "free"
"""The state after which nothing is kept: nothing was made."""

MOST_ANSWER: Final = 16 * 1024
"""The bytes of the largest answer that is kept."""

_STATE: Final = re.compile(r"(begun|answered|made|unknown) (\w+) (\d{1,13}) (\d{1,15}) (\S+) (\S+)")
_FIELD: Final = re.compile(r"(\d{1,9}) (.*)", re.DOTALL)


@dataclass(frozen=True)
class Kept:
    """What binds a call, as Redis has it.

    Attributes:
        state: Its state.
        since: Since when, in seconds of Redis's clock.
        digest: The digest of the call that was made.
        rest: What is kept of its answer, signed if jobs are.

    """

    state: str
    since: float
    digest: str
    rest: bytes

    @classmethod
    def of(cls, found: list[Any]) -> Kept | None:
        """Return what ``promise.lua`` has found, if anything."""
        if not found:
            return None
        state, since, kept = found
        digest, _, rest = kept.partition(b" ")
        return cls(as_text(state), since / 1000, digest.decode(errors="replace"), rest)

    def decoded(self, keyring: Keyring | None, namespace: str, field: str) -> tuple[str, bytes]:
        """Return the word by which the call ended, and what is kept of its answer.

        Raises:
            SignatureError: It is not signed, and has to be.

        """
        rest = self.rest
        if keyring is not None:
            bound = (namespace, field, self.digest, self.state)
            rest = verify(keyring, "promise", bound, rest).body
        word, _, answer = rest.partition(b" ")
        return word.decode(errors="replace"), answer


@dataclass(frozen=True)
class KeptCall:
    """What operators see of a call under an idempotency key.

    Attributes:
        key: The key.
        number: The call's place in its block, from 0.
        state: Its state.
        since: Since when, in seconds of Redis's clock.
        spreadsheet: The lane of its spreadsheet, which is mostly its id.
        job_id: Its job.

    """

    key: str
    number: int
    state: str
    since: float
    spreadsheet: str
    job_id: str

    @property
    def field(self) -> str:
        """Its field in Redis."""
        return field_of(self.key, self.number)


class Promises:
    """What is kept in a namespace, for operators.

    Args:
        settings: Where the queue is.

    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = Keys(settings.namespace)
        self._link = Link(settings)

    def all(self) -> Iterator[KeptCall]:
        """Yield what is kept, in any order.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        try:
            for field, text in self._link.connection.redis.hscan_iter(self._keys.promises):
                call = _call_of(as_text(field), as_text(text))
                if call is not None:
                    yield call
        except RedisError as error:
            raise unavailable(self._settings, error) from error

    def settle(self, call: KeptCall, said: str, keep: float, keyring: Keyring | None = None) -> str:
        """Settle an unknown outcome; return ``settled``, or the word of ``settle.lua``.

        Args:
            call: The call.
            said: What is known of it, if it was made; '' if it was not.
            keep: Seconds for which that is kept.
            keyring: Signs it.

        Raises:
            BrokerUnavailableError: Redis cannot be reached, or refuses.

        """
        kept = b""
        if said:
            kept = encoded(
                keyring,
                self._settings.namespace,
                call.field,
                self._digest(call),
                MADE,
                "made",
                said.encode(),
            )
        args = [call.field, call.job_id, kept, round(keep * 1000)]
        return as_text(self._link.connection.run("settle", [self._keys.promises], args))

    def _digest(self, call: KeptCall) -> str:
        try:
            kept: Any = self._link.connection.redis.hget(self._keys.promised, call.field)
        except RedisError as error:
            raise unavailable(self._settings, error) from error
        return as_text(kept or b"").partition(" ")[0]


def field_of(key: str, number: int) -> str:
    """Return the field of a call under a key."""
    return f"{number} {key}"


def claim(field: str, digest: str, most: int, most_bytes: int) -> bytes:
    """Return what a job asks for before it sends a request; see ``lua/promises.lua``.

    Args:
        field: The number and the key.
        digest: The digest of the call.
        most: How many may be kept; 0 for any number.
        most_bytes: How many bytes they may take; 0 for any number.

    """
    return f"{most} {most_bytes} {digest} {field}".encode()


def encoded(
    keyring: Keyring | None,
    namespace: str,
    field: str,
    digest: str,
    state: str,
    word: str,
    answer: bytes,
) -> bytes:
    """Return what is kept of a call, signed if there is a key."""
    rest = b" ".join((word.encode(), answer))
    if keyring is not None:
        rest = sign(keyring, "promise", (namespace, field, digest, state), rest)
    return b" ".join((digest.encode(), rest))


def _call_of(field: str, text: str) -> KeptCall | None:
    """Return a call as it is kept; None for anything else, such as the sum of the sizes."""
    place, found = _FIELD.fullmatch(field), _STATE.fullmatch(text)
    if place is None or found is None:
        return None
    state, job_id, at, _, lane, _ = found.groups()
    return KeptCall(place[2], int(place[1]), state, int(at) / 1000, lane.partition("!")[0], job_id)
