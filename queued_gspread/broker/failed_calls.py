"""The calls that failed, as Redis keeps the latest of them: without any value.

Those that nobody waited for are kept apart from the others, which must not push them out; and so
are, of those, the ones whose callers may not know what was done.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from queued_gspread.broker.connection.client import Link
from queued_gspread.broker.connection.failures import unavailable

from .keys import Keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.settings import Settings

__all__ = [
    "FAILED",
    "MOST_FAILED",
    "FailedCall",
    "failed_call",
    "failed_calls",
    "kept_calls",
    "placed",
    "places",
]

FAILED: Final = "failed"
"""How most of them ended: with an error that says that they were not made, or not wholly."""

MOST_FAILED: Final = 1000
"""How many are kept of each of three sorts: each takes some 1,000 bytes, 2,000 at the most."""


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
        sort: ``failed``, ``unknown`` (nobody knows whether it was made) or ``poisoned``.
        title: The spreadsheet's title, as its caller knows it.
        sheet: The worksheet's title, if the call was for one.
        is_unattended: Whether nobody waited for it.

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
    sort: str = FAILED
    title: str = ""
    sheet: str = ""
    is_unattended: bool = True

    def encode(self) -> bytes:
        """Return it as it is kept, with its time beside it."""
        left_out = {"at": self.at, "sort": FAILED, "is_unattended": True}
        shown = {name: value for name, value in asdict(self).items() if name not in left_out}
        kept: dict[str, Any] = {name: value for name, value in shown.items() if value}
        if self.sort != FAILED:
            kept["sort"] = self.sort
        if not self.is_unattended:
            kept["is_unattended"] = False
        return json.dumps(kept).encode()

    @property
    def place(self) -> int:
        """Which of :func:`places` it is kept in."""
        if self.is_unattended:
            return 0
        return 2 if self.sort == FAILED else 1


def places(keys: Keys) -> list[str]:
    """Return the keys of the failed calls: nobody waited for them; outcomes in doubt; others."""
    return [keys.failed, keys.outcomes, keys.errors]


def placed(failure: bytes) -> bytes:
    """Return what ``answer.lua`` takes for a failure: the number of its place, and the failure."""
    if not failure:
        return b""
    call = failed_call(failure, 0.0)
    return b"%d%s" % (0 if call is None else call.place, failure)


def failed_calls(settings: Settings) -> list[FailedCall]:
    """Return the calls that nobody waited for and that failed, the latest first.

    Raises:
        BrokerUnavailableError: Redis cannot be reached, or refuses.

    """
    key = Keys(settings.namespace).failed
    return [call for call, _ in kept_calls(settings, Link(settings), [key])]


def kept_calls(
    settings: Settings, link: Link, keys: Sequence[str]
) -> list[tuple[FailedCall, bytes]]:
    """Return the calls under some keys, the latest first, each with its form in Redis.

    Raises:
        BrokerUnavailableError: Redis cannot be reached, or refuses.

    """
    redis: Any = link.connection.redis
    try:
        found = [pair for key in keys for pair in redis.zrange(key, 0, -1, withscores=True)]
    except RedisError as error:
        raise unavailable(settings, error) from error
    found.sort(key=itemgetter(1))
    calls = ((failed_call(*pair), pair[0]) for pair in reversed(found))
    return [(call, member) for call, member in calls if call is not None]


def failed_call(member: bytes, score: float) -> FailedCall | None:
    """Return a call as it was kept; None for anything else that somebody has put there."""
    try:
        shown = json.loads(member)
        known = {each.name: shown[each.name] for each in fields(FailedCall) if each.name in shown}
        at = datetime.fromtimestamp(score / 1000, timezone.utc)
        call = FailedCall(**known | {"at": at})
    except (ValueError, TypeError, OverflowError, OSError, RecursionError):
        return None
    kinds = {"str": str, "int": int, "bool": bool}
    typed = [(each.name, kinds[each.type]) for each in fields(call) if each.type in kinds]
    return call if all(isinstance(getattr(call, name), kind) for name, kind in typed) else None
