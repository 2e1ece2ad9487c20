"""The queues that a dashboard shows, and who may act on them."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from queued_gspread.web.guard import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queued_gspread.settings import Settings

    from .sampler import Sampler

__all__ = ["HEADER", "Queue", "Token"]

# Not `Authorization`: a proxy in front may want that for itself.
HEADER: Final = "Queued-Gspread-Token"
"""The header that brings the token."""


@dataclass(frozen=True)
class Queue:
    """A queue that is shown.

    Attributes:
        look: Where it is, for who looks.
        act: Where it is, for who acts: perhaps as another user of Redis.
        sampler: Looks at it.

    """

    look: Settings
    act: Settings
    sampler: Sampler


class Token:
    """The secret of those who may act.

    Args:
        secret: The token; '' if nobody may act.

    """

    def __init__(self, secret: str = "") -> None:
        self._secret = secret.encode()

    @property
    def is_set(self) -> bool:
        """Whether anybody may act."""
        return bool(self._secret)

    def check(self, headers: Mapping[str, str]) -> None:
        """Raise RefusedError unless a request brings the token."""
        if not self._secret:
            message = (
                "This dashboard only shows: start it with --dashboard-token-file to act with it."
            )
            raise RefusedError(HTTPStatus.FORBIDDEN, message)
        given = headers.get(HEADER, "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._secret):
            message = "The token is missing or wrong: take the one that the dashboard has."
            raise RefusedError(HTTPStatus.UNAUTHORIZED, message)
