"""What a call under an idempotency key is, and what its end means for the key. Pure."""

from __future__ import annotations

import enum
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from queued_gspread.errors import MessageTooLargeError, OutcomeUnknownError, PoisonedJobError

from .request import Exchange, Failure, Response, is_read
from .verdict import VerdictKind, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.protocol.messages import Once

    from .request import RecordedExchange

__all__ = ["End", "Promise", "digest_of", "end_of"]

# What a client remembers of its earlier calls, and what is not of the call itself.
_NOT_OF_CALL: Final = "columns"


class End(enum.Enum):
    """What the end of a call that has failed means for its key."""

    FINAL = "final"
    UNKNOWN = "unknown"
    NOT_MADE = "not made"


@dataclass(frozen=True)
class Promise:
    """The key of one call.

    Attributes:
        once: The key, as the job has it.
        digest: The digest of the call.

    """

    once: Once
    digest: str

    @property
    def field(self) -> str:
        """Its field in Redis."""
        return f"{self.once.number} {self.once.key}"

    def __str__(self) -> str:
        place = f", call {self.once.number + 1} of its block" if self.once.number else ""
        return f"the idempotency key {self.once.key!r}{place}"


def digest_of(body: bytes, spreadsheet: str) -> str:
    """Return the digest of what a job asks for, whoever asks for it.

    Args:
        body: The job.
        spreadsheet: The lane of its spreadsheet.

    """
    message = json.loads(body)
    target = message.get("target") or {}
    kwargs = {name: value for name, value in message["kwargs"].items() if name != _NOT_OF_CALL}
    sheet = target.get("properties", {}).get("sheetId") if message["kind"] == "worksheet" else None
    place = [spreadsheet, message["kind"], sheet, message["method"]]
    text = json.dumps([*place, message["args"], kwargs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def end_of(
    error: BaseException | None,
    exchanges: Sequence[Exchange | RecordedExchange],
    *,
    is_marked: bool,
    is_journalled: bool,
) -> End:
    """Return what the end of a call without an answer means for its key.

    What was made, or refused by Google, is final. What was not made may be made again; so may a
    call whose writes were all idempotent.

    Args:
        error: The error; None if it was not made to its end, since Redis has no such job.
        exchanges: The call's requests with their outcomes, as far as they are known.
        is_marked: Whether it may have written.
        is_journalled: Whether it may have written what is not idempotent.

    """
    if isinstance(error, OutcomeUnknownError):
        return End.UNKNOWN
    if isinstance(error, PoisonedJobError):
        return End.UNKNOWN if is_marked else End.NOT_MADE
    if isinstance(error, MessageTooLargeError) and is_marked:
        return End.FINAL
    has_written = is_journalled and any(map(_has_written, exchanges))
    if error is None:
        return End.UNKNOWN if has_written else End.NOT_MADE
    return End.FINAL if has_written or _is_refused(exchanges) else End.NOT_MADE


def _has_written(exchange: Exchange | RecordedExchange) -> bool:
    """Return whether Google has answered a request that was no read, as far as is recorded."""
    if isinstance(exchange, Exchange):
        is_write = not is_read(exchange.request)
    else:
        is_write = exchange.sent.method.upper() not in ("GET", "HEAD")
    return is_write and isinstance(exchange.outcome, Response)


def _is_refused(exchanges: Sequence[Exchange | RecordedExchange]) -> bool:
    """Return whether Google has refused the last request, whenever it comes."""
    if not exchanges or not isinstance(exchanges[-1].outcome, Failure):
        return False
    return judge(exchanges[-1].outcome).kind is VerdictKind.FINAL
