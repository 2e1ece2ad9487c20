"""The calls that nobody waited for and that failed, as Redis keeps them: without any value."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from queued_gspread.broker.connection.client import Link
from queued_gspread.broker.connection.failures import unavailable

from .keys import Keys

if TYPE_CHECKING:
    from queued_gspread.settings import Settings

__all__ = ["MOST_FAILED", "FailedCall", "failed_calls"]

MOST_FAILED: Final = 1000
"""How many are kept: each takes some 1,000 bytes, and 2,000 at the most."""


@dataclass(frozen=True)
class FailedCall:
    """A call that failed. Nothing here is an argument or a cell's value.

    Attributes:
        job_id: Its job.
        method: The gspread method: ``worksheet.append_row``.
        spreadsheet: The id of its spreadsheet, or what stands for it in names of lanes.
        caller: Host and process of its caller.
        error: The name of the exception's class.
        message: What the error says, without what may be a value; '' if nothing is left of it.
        http_status: Of Google's answer; 0 if there was none.
        error_status: Google's word for it, such as ``PERMISSION_DENIED``.
        error_reason: Google's reason, such as ``rateLimitExceeded``.
        at: When it was answered, on Redis's clock.

    """

    job_id: str
    method: str
    spreadsheet: str
    caller: str
    error: str
    message: str = ""
    http_status: int = 0
    error_status: str = ""
    error_reason: str = ""
    at: datetime | None = None

    def encode(self) -> bytes:
        """Return it as it is kept, with its time beside it."""
        shown = {name: value for name, value in asdict(self).items() if name != "at" and value}
        return json.dumps(shown).encode()


def failed_calls(settings: Settings) -> list[FailedCall]:
    """Return the calls that nobody waited for and that failed, the latest first.

    Raises:
        BrokerUnavailableError: Redis cannot be reached, or refuses.

    """
    key = Keys(settings.namespace).failed
    try:
        found: Any = Link(settings).connection.redis.zrange(key, 0, -1, withscores=True)
    except RedisError as error:
        raise unavailable(settings, error) from error
    calls = (_decoded(*pair) for pair in reversed(found))
    return [call for call in calls if call is not None]


def _decoded(member: bytes, score: float) -> FailedCall | None:
    """Return a call as it was kept; None for anything else that somebody has put there."""
    try:
        shown = json.loads(member)
        at = datetime.fromtimestamp(score / 1000, timezone.utc)
        call = FailedCall(**shown | {"at": at})
    except (ValueError, TypeError, OverflowError, OSError, RecursionError):
        return None
    texts = (getattr(call, each.name) for each in fields(call) if each.type == "str")
    is_right = all(isinstance(text, str) for text in texts) and isinstance(call.http_status, int)
    return call if is_right else None
