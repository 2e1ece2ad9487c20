"""The journal of a call: what the next server needs to go on where this one stopped. Pure.

It has an entry for every request up to a non-idempotent one, and for that request itself: an intent
before it is sent, and its outcome once there is one. ``broker.permits`` describes how each kind of
entry begins. After ``=`` comes a value in the wire format::

    {"sent": [method, endpoint, digest], "returned": any}
    {"sent": [method, endpoint, digest], "raised": exception}

An intent has ``[method, endpoint, digest]`` alone, after its time and, before that, the account if
one lent its quota. If jobs are signed, the value after ``=`` is signed too, for its job and its
place, so a server replays no answer that Google did not give. An intent needs no signature: the
most it can do is end its call as unknown.
"""

from __future__ import annotations

import re
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
_INTENT: Final = b">"
_UNENCODABLE: Final = b"?"
# Only a name of an account is shown: anyone who writes to Redis may have written the intent.
_ATTEMPT: Final = re.compile(rb">[^@]*@([A-Za-z0-9.@_+-]{1,254})")


@dataclass(frozen=True)
class Unanswered:
    """A request whose outcome is unknown.

    Attributes:
        sent: The digest of the request; None if that cannot be read.
        at: When it was about to be sent, in seconds of Redis's clock.
        account: The account that it was sent under, if that lent its quota.

    """

    sent: RequestDigest | None = None
    at: float | None = None
    account: str = ""


@dataclass(frozen=True)
class Journal:
    """The content of a journal.

    Attributes:
        exchanges: The requests that were answered, in order, with their outcomes.
        unanswered: The one after them, if it was sent and its outcome is not known.
        length: How many entries there are.

    """

    exchanges: list[RecordedExchange] = field(default_factory=list)
    unanswered: Unanswered | None = None
    length: int = field(default=0, compare=False)


class Journals:
    """Writes and reads entries of one namespace's journals.

    Args:
        namespace: The namespace that the journals belong to.
        keyring: Signs the entries of answered requests; None if nothing is signed.

    """

    def __init__(self, namespace: str = "", keyring: Keyring | None = None) -> None:
        self._namespace = namespace
        self._keyring = keyring

    def record(self, job_id: str, place: int, exchange: Exchange | RecordedExchange) -> bytes:
        """Return the entry for an answered request of a job; ``place`` counts from 0."""
        sent, outcome = exchange.sent, exchange.outcome
        fields: dict[str, Any] = {"sent": [sent.method, sent.endpoint, sent.digest]}
        if isinstance(outcome, Failure):
            fields["raised"] = outcome.error
        else:
            fields["returned"] = outcome.value
        try:
            body = codec.dumps(fields)
        except codec.Unencodable:
            return _UNENCODABLE
        if self._keyring is not None:
            body = sign(self._keyring, "journal", self._bound(job_id, place), body)
        return _ANSWERED + body

    def read(self, job_id: str, entries: Sequence[bytes]) -> Journal:
        """Read a job's entries, up to the first that cannot be read."""
        exchanges: list[RecordedExchange] = []
        length = len(entries)
        for place, entry in enumerate(entries):
            try:
                if entry[:1] != _ANSWERED:
                    return Journal(exchanges, _unanswered(entry), length)
                body = self._verified(job_id, place, entry[1:])
                exchanges.append(_recorded(codec.loads(body)))
            except (CodecError, SignatureError, ValueError, TypeError, KeyError):
                return Journal(exchanges, Unanswered(), length)
        return Journal(exchanges, length=length)

    def _verified(self, job_id: str, place: int, body: bytes) -> bytes:
        if self._keyring is None:
            return body
        return verify(self._keyring, "journal", self._bound(job_id, place), body).body

    def _bound(self, job_id: str, place: int) -> tuple[str, ...]:
        return self._namespace, job_id, str(place)


def intend(request: Request) -> bytes:
    """Return the intent to send a request, for the journal."""
    sent = RequestDigest.of(request)
    return codec.dumps([sent.method, sent.endpoint, sent.digest])


def _recorded(fields: Any) -> RecordedExchange:
    sent = _sent(fields["sent"])
    if "raised" in fields:
        if not isinstance(fields["raised"], Exception):
            raise TypeError("the value under 'raised' is not an exception")
        return RecordedExchange(sent, Failure(fields["raised"]))
    return RecordedExchange(sent, Response(fields["returned"]))


def _unanswered(entry: bytes) -> Unanswered:
    if entry[:1] != _INTENT:
        return Unanswered()
    attempt, milliseconds, intent = entry.split(b" ", 2)
    found = _ATTEMPT.fullmatch(attempt)
    account = found[1].decode() if found else ""
    return Unanswered(_sent(codec.loads(intent)), int(milliseconds) / 1000, account)


def _sent(fields: Any) -> RequestDigest:
    method, endpoint, digest = fields
    if not all(isinstance(part, str) for part in (method, endpoint, digest)) or not digest:
        raise TypeError("the digest of a request must be three strings")
    return RequestDigest(method, endpoint, digest)
