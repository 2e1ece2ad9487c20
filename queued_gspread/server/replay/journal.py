"""The journal of a call: what the next server has to know to go on where this one stopped. Pure.

It has an entry for every request that stands before one that may not be repeated, and for that
one: announced before it is sent, and told with its outcome once there is one. How each kind of
entry begins is described in ``broker.permits``; behind ``=`` stands a value in the wire format::

    {"sent": [method, endpoint, digest], "returned": any}
    {"sent": [method, endpoint, digest], "raised": exception}

and behind the time of an announcement ``[method, endpoint, digest]`` alone. Where jobs are
signed, so is what stands behind ``=``, for its job and its place: a server replays no answer that
Google did not give. An announcement needs no signature: all that it can do is to end its call as
unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.errors import CodecError, SignatureError
from queued_gspread.protocol import codec
from queued_gspread.protocol.signing import sign, verify
from queued_gspread.server.policy.request import (
    Exchange,
    Failure,
    RecordedExchange,
    RequestDigest,
    Response,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.protocol.signing import Keyring
    from queued_gspread.server.policy.request import Request

__all__ = ["Journal", "Journals", "Unanswered", "intend"]

_ANSWERED: Final = b"="
_ANNOUNCED: Final = b">"
_CANNOT_BE_KEPT: Final = b"?"


@dataclass(frozen=True)
class Unanswered:
    """A request of which nobody knows what came of it.

    Attributes:
        sent: What is remembered of it; None if that cannot be read.
        at: When it was let go, in seconds of Redis's clock.

    """

    sent: RequestDigest | None = None
    at: float | None = None


@dataclass(frozen=True)
class Journal:
    """What a journal tells.

    Attributes:
        exchanges: The requests that were answered, in order, with what came of them.
        unanswered: The one after them, if it was sent and its outcome is not known.
        length: How many entries there are.

    """

    exchanges: list[RecordedExchange] = field(default_factory=list)
    unanswered: Unanswered | None = None
    length: int = field(default=0, compare=False)


class Journals:
    """Writes and reads entries of one namespace's journals.

    Args:
        namespace: What they belong to.
        keyring: Signs what was answered; None where nothing is signed.

    """

    def __init__(self, namespace: str = "", keyring: Keyring | None = None) -> None:
        self._namespace = namespace
        self._keyring = keyring

    def record(self, job_id: str, place: int, exchange: Exchange | RecordedExchange) -> bytes:
        """Return the entry for a request that was answered: of a job, at a place, from 0."""
        sent, outcome = exchange.sent, exchange.outcome
        told: dict[str, Any] = {"sent": [sent.method, sent.endpoint, sent.digest]}
        if isinstance(outcome, Failure):
            told["raised"] = outcome.error
        else:
            told["returned"] = outcome.value
        try:
            body = codec.dumps(told)
        except codec.Unencodable:
            return _CANNOT_BE_KEPT
        if self._keyring is not None:
            body = sign(self._keyring, "journal", self._bound(job_id, place), body)
        return _ANSWERED + body

    def read(self, job_id: str, entries: Sequence[bytes]) -> Journal:
        """Return what a job's entries tell, up to the first that cannot be read."""
        exchanges: list[RecordedExchange] = []
        length = len(entries)
        for place, entry in enumerate(entries):
            try:
                if entry[:1] != _ANSWERED:
                    return Journal(exchanges, _unanswered(entry), length)
                body = self._unsealed(job_id, place, entry[1:])
                exchanges.append(_remembered(codec.loads(body)))
            except (CodecError, SignatureError, ValueError, TypeError, KeyError):
                return Journal(exchanges, Unanswered(), length)
        return Journal(exchanges, length=length)

    def _unsealed(self, job_id: str, place: int, body: bytes) -> bytes:
        if self._keyring is None:
            return body
        return verify(self._keyring, "journal", self._bound(job_id, place), body).body

    def _bound(self, job_id: str, place: int) -> tuple[str, ...]:
        return self._namespace, job_id, str(place)


def intend(request: Request) -> bytes:
    """Return what tells of a request that is about to be sent."""
    sent = RequestDigest.of(request)
    return codec.dumps([sent.method, sent.endpoint, sent.digest])


def _remembered(told: Any) -> RecordedExchange:
    sent = _sent(told["sent"])
    if "raised" in told:
        if not isinstance(told["raised"], Exception):
            raise TypeError("what was raised is no exception")
        return RecordedExchange(sent, Failure(told["raised"]))
    return RecordedExchange(sent, Response(told["returned"]))


def _unanswered(entry: bytes) -> Unanswered:
    if entry[:1] != _ANNOUNCED:
        return Unanswered()
    _, milliseconds, told = entry.split(b" ", 2)
    return Unanswered(_sent(codec.loads(told)), int(milliseconds) / 1000)


def _sent(told: Any) -> RequestDigest:
    method, endpoint, digest = told
    if not all(isinstance(part, str) for part in (method, endpoint, digest)) or not digest:
        raise TypeError("what was sent is not told in text")
    return RequestDigest(method, endpoint, digest)
