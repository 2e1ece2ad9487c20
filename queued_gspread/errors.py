"""Every exception that this package raises.

::

    gspread.exceptions.GSpreadException
    └── QueuedGspreadError
        ├── ConfigurationError           (also ValueError)
        ├── CodecError
        ├── BrokerUnavailableError       (also ConnectionError)
        ├── ServerUnavailableError
        ├── CallTimeoutError             (also TimeoutError)
        ├── JobLostError
        ├── QueueFullError
        ├── QueueDrainedError
        ├── CallCancelledError
        ├── LockError
        │   └── LockLostError
        ├── MessageTooLargeError
        ├── SignatureError
        ├── CallRefusedError
        │   ├── AccountMismatchError
        │   ├── UnknownMethodError
        │   └── VersionMismatchError
        ├── PoisonedJobError
        ├── ReplayDivergedError
        ├── RemoteError
        ├── PipelineError
        ├── UpsertError                  (also ValueError)
        │   └── KeyExistsError
        ├── IdempotencyKeyError
        │   ├── IdempotencyKeyReusedError
        │   └── AnswerNotKeptError
        └── OutcomeUnknownError          (also gspread.exceptions.APIError)

All of them can be pickled. An error names the thing, the value and the remedy; none
holds a password or a credential.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any, Final

from gspread.exceptions import APIError, GSpreadException

from ._clock import shown_utc

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

__all__ = [
    "AccountMismatchError",
    "AnswerNotKeptError",
    "BrokerUnavailableError",
    "CallCancelledError",
    "CallRefusedError",
    "CallTimeoutError",
    "CodecError",
    "ConfigurationError",
    "IdempotencyKeyError",
    "IdempotencyKeyReusedError",
    "JobLostError",
    "KeyExistsError",
    "LockError",
    "LockLostError",
    "MessageTooLargeError",
    "OutcomeUnknownError",
    "PipelineError",
    "PoisonedJobError",
    "QueueDrainedError",
    "QueueFullError",
    "QueuedGspreadError",
    "RemoteError",
    "ReplayDivergedError",
    "ServerUnavailableError",
    "SignatureError",
    "UnknownMethodError",
    "UpsertError",
    "VersionMismatchError",
]


_NO_JSON: Final = -1
"""The code that gspread gives a response that is not JSON."""

_LONGEST_LINE: Final = 200
_LONGEST_HEAD: Final = 5_000


def _first_line(page: str) -> str:
    """Return the first line of text that a reader of a page would see."""
    text = re.sub(
        r"(?is)<(style|script)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", "\n", page[:_LONGEST_HEAD]
    )
    lines = (line.strip() for line in unescape(text).splitlines())
    return next((line for line in lines if line), "")[:_LONGEST_LINE]


class QueuedGspreadError(GSpreadException):
    """The base class of this package's own exceptions.

    Attributes:
        job_id: The id of the call's job, as operators know it; '' if the error is no call's.

    """

    job_id: str = ""


class ConfigurationError(QueuedGspreadError, ValueError):
    """An option, an environment variable or a file of settings cannot be used."""


class CodecError(QueuedGspreadError):
    """Bytes that came through Redis do not fit the wire format."""


class BrokerUnavailableError(QueuedGspreadError, ConnectionError):
    """Redis cannot be reached, or refuses to work.

    Attributes:
        may_have_run: Whether Redis may have received the job, so that the call may still be made.

    """

    may_have_run = False


class ServerUnavailableError(QueuedGspreadError):
    """No server has been alive for the whole grace period.

    Attributes:
        may_have_run: Whether the call may have been made, or may still be.

    """

    may_have_run = False


class CallTimeoutError(QueuedGspreadError, TimeoutError):
    """The caller's timeout has passed; the text says whether the call may still be made.

    Attributes:
        may_have_run: Whether the call may have been made, or may still be.

    """

    may_have_run = False


class JobLostError(QueuedGspreadError):
    """Redis no longer knows a call that waits: it was emptied, or came back without its data.

    The call may have been made.
    """


class QueueFullError(QueuedGspreadError):
    """The namespace's queue holds as many calls as its server allows; this one was not added."""


class QueueDrainedError(QueuedGspreadError):
    """An operator has the queue take no new calls; this one was not added."""


class CallCancelledError(QueuedGspreadError):
    """An operator has cancelled the call; it has written nothing and will not be made."""


class LockError(QueuedGspreadError):
    """What is asked of a lock cannot be, such as a second one inside its block."""


class LockLostError(LockError):
    """The lock that a call is under has ended; the call was not sent and will not be."""


class MessageTooLargeError(QueuedGspreadError):
    """A job or a reply is larger than the limit; the text says whether the call was made."""


class SignatureError(QueuedGspreadError):
    """A job or a reply is not signed, or not with a key known here.

    The text says whether the call may have been made.
    """


class CallRefusedError(QueuedGspreadError):
    """The server will not make this call."""


class AccountMismatchError(CallRefusedError):
    """The call is meant for another Google account or subject than the server's."""


class UnknownMethodError(CallRefusedError):
    """The server's gspread has no such public method."""


class VersionMismatchError(CallRefusedError):
    """The client's and the server's versions of this package are incompatible.

    The text names both, and says which to upgrade. The call was not made.
    """


class PoisonedJobError(QueuedGspreadError):
    """Three servers died while making this call, so it is not retried."""


class ReplayDivergedError(QueuedGspreadError):
    """A replayed call made a different request from the one whose response is recorded."""


class RemoteError(QueuedGspreadError):
    """The server raised an exception whose class is not known here; the text names it."""


class PipelineError(QueuedGspreadError):
    """Several calls of a pipeline failed, or what was asked of it cannot be.

    Attributes:
        errors: What was called, and the exception, of each call that failed; the first is the
            cause of this one.

    """

    def __init__(self, message: str, errors: Sequence[tuple[str, BaseException]] = ()) -> None:
        super().__init__(message)
        self.errors = list(errors)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.errors)


class UpsertError(QueuedGspreadError, ValueError):
    """Rows, or the sheet's header, cannot be used for an upsert; nothing was written."""


class KeyExistsError(UpsertError):
    """``existing="fail"``, and the sheet has rows with some of the keys; nothing was written."""


class IdempotencyKeyError(QueuedGspreadError):
    """An idempotency key cannot be used, or no more may be kept; the call was not made."""


class IdempotencyKeyReusedError(IdempotencyKeyError):
    """The key was used for another call; this one was not made."""


class AnswerNotKeptError(IdempotencyKeyError):
    """The call under this key was made before, and its answer was not kept: it was too large.

    So it is also where an operator has settled that the call was made.
    """


class OutcomeUnknownError(QueuedGspreadError, APIError):
    """A non-idempotent request was sent, and it is not known whether Google applied it.

    It has everything that a :class:`gspread.exceptions.APIError` has; where Google's answer never
    came, ``response`` is a synthetic one with status 0 and reason ``OUTCOME_UNKNOWN``.

    Attributes:
        call: The gspread call that sent the request, with the titles of the object it was made on.
        sent: The request's method and URL, without parameters; '' if not known.
        sent_at: When the request was sent, in UTC, on Redis's clock; None if not known.
        sent_as: The account that it was sent as, if that lent its quota to the namespace's own, ''
            otherwise. The revision history names it.
        how_to_check: What to look at before making the call again.

    """

    call: str = ""
    sent: str = ""
    sent_at: datetime | None = None
    sent_as: str = ""
    how_to_check: str = "look into the spreadsheet"

    def __str__(self) -> str:
        whose = f"{self.call}: " if self.call else ""
        when = f" at {shown_utc(self.sent_at)}" if self.sent_at else ""
        who = f" as {self.sent_as}" if self.sent_as else ""
        what = f"{self.sent} was sent{who}{when}, and nobody" if self.sent else "nobody"
        return (
            f"{type(self).__name__}: {whose}{what} knows whether it was applied. Before you call "
            f"again, {self.how_to_check} ({self._came_back()})"
        )

    def _came_back(self) -> str:
        """Return what is known of the answer: of a gateway's page, the first line of its text."""
        message = str(self.error["message"])
        if self.code == _NO_JSON:
            line = _first_line(message)
            return f"[{self.response.status_code}]" + (f": {line}" if line else "")
        return f"[{self.code}]: {message}"

    def __reduce__(self) -> tuple[Any, ...]:
        # gspread's own would lose these attributes.
        return type(self), (self.response,), vars(self)
