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
        ├── MessageTooLargeError
        ├── SignatureError
        ├── CallRefusedError
        │   ├── AccountMismatchError
        │   ├── UnknownMethodError
        │   └── VersionMismatchError
        ├── PoisonedJobError
        ├── ReplayDivergedError
        ├── RemoteError
        └── OutcomeUnknownError          (also gspread.exceptions.APIError)

All of them can be pickled. An error names the thing, the value and the remedy; none
holds a password or a credential.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any, Final

from gspread.exceptions import APIError, GSpreadException

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "AccountMismatchError",
    "BrokerUnavailableError",
    "CallRefusedError",
    "CallTimeoutError",
    "CodecError",
    "ConfigurationError",
    "JobLostError",
    "MessageTooLargeError",
    "OutcomeUnknownError",
    "PoisonedJobError",
    "QueueFullError",
    "QueuedGspreadError",
    "RemoteError",
    "ReplayDivergedError",
    "ServerUnavailableError",
    "SignatureError",
    "UnknownMethodError",
    "VersionMismatchError",
]


_NO_JSON: Final = -1
"""The code that gspread gives an answer which is not JSON."""

_LONGEST_LINE: Final = 200
_LONGEST_HEAD: Final = 5_000


def _first_line(page: str) -> str:
    """Return the first line of a page that a reader would see."""
    seen = re.sub(
        r"(?is)<(style|script)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", "\n", page[:_LONGEST_HEAD]
    )
    lines = (line.strip() for line in unescape(seen).splitlines())
    return next((line for line in lines if line), "")[:_LONGEST_LINE]


class QueuedGspreadError(GSpreadException):
    """The base of everything that this package raises on its own account."""


class ConfigurationError(QueuedGspreadError, ValueError):
    """An option, an environment variable or a file of settings cannot be used."""


class CodecError(QueuedGspreadError):
    """Bytes that came through Redis are not what the wire format allows."""


class BrokerUnavailableError(QueuedGspreadError, ConnectionError):
    """Redis cannot be reached, or refuses to work.

    Attributes:
        may_have_run: Whether Redis may have taken what it was sent, so that the call may still
            be made.

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
    """As many calls wait in the namespace as its server allows; this one was not put in."""


class MessageTooLargeError(QueuedGspreadError):
    """A job or a reply is larger than the limit; the text says whether the call was made."""


class SignatureError(QueuedGspreadError):
    """A job or a reply is not signed, or not with a key that is known here.

    The text says whether the call may have been made.
    """


class CallRefusedError(QueuedGspreadError):
    """The server will not make this call."""


class AccountMismatchError(CallRefusedError):
    """The call is meant for another Google account or subject than the server's."""


class UnknownMethodError(CallRefusedError):
    """The server's gspread has no such public method."""


class VersionMismatchError(CallRefusedError):
    """The client's and the server's versions of this package do not understand each other.

    The text names both, and says which to upgrade. The call was not made.
    """


class PoisonedJobError(QueuedGspreadError):
    """Three servers died while they were making this call, so that it is not tried again."""


class ReplayDivergedError(QueuedGspreadError):
    """A replayed call asked for another request than the one whose response is recorded."""


class RemoteError(QueuedGspreadError):
    """The server raised an exception of a class that is not known here; the text names it."""


class OutcomeUnknownError(QueuedGspreadError, APIError):
    """A request that may not be repeated was sent, and nobody knows whether it was applied.

    It has what every :class:`gspread.exceptions.APIError` has; where Google's answer never
    came, ``response`` is a synthetic one with status 0 and reason ``OUTCOME_UNKNOWN``.

    Attributes:
        call: The gspread call that it was sent for, with the titles of what it was made on.
        sent: Its method and URL, without parameters; '' if that is not known.
        sent_at: When it was sent, in UTC, on Redis's clock; None if that is not known.
        how_to_check: What to look at before the call is made again.

    """

    call: str = ""
    sent: str = ""
    sent_at: datetime | None = None
    how_to_check: str = "look into the spreadsheet"

    def __str__(self) -> str:
        whose = f"{self.call}: " if self.call else ""
        when = f" at {self.sent_at.isoformat(' ', 'seconds')}" if self.sent_at else ""
        what = f"{self.sent} was sent{when}, and nobody" if self.sent else "nobody"
        return (
            f"{type(self).__name__}: {whose}{what} knows whether it was applied. Before you call "
            f"again, {self.how_to_check} ({self._came_back()})"
        )

    def _came_back(self) -> str:
        """Return what is known of the answer; of a gateway's page, the first line of its text."""
        message = str(self.error["message"])
        if self.code == _NO_JSON:
            line = _first_line(message)
            return f"[{self.response.status_code}]" + (f": {line}" if line else "")
        return f"[{self.code}]: {message}"

    def __reduce__(self) -> tuple[Any, ...]:
        # gspread's own would leave these attributes behind.
        return type(self), (self.response,), vars(self)
