"""The access token's interface to the rest of the server."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from queued_gspread.server.failure import logged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queued_gspread.server.failure import Watch

__all__ = ["STOP_WITHIN", "USABLE", "AnyTokens", "NoTokens", "TokenState", "stop_all"]


@dataclass(frozen=True)
class TokenState:
    """Whether requests can be sent.

    Attributes:
        is_usable: Whether there is a token that Google accepts, as far as is known.
        error: Why there is none, once a refresh has failed.
        waited: Seconds since that failure, or since the last token expired, or since the first one
            was requested; infinite if there will be none.

    """

    is_usable: bool
    error: Exception | None = None
    waited: float = 0.0


USABLE: Final = TokenState(is_usable=True)

STOP_WITHIN: Final = 0.5
"""Seconds for which the end of a thread is waited for, which may wait for the token endpoint."""


class AnyTokens(Protocol):
    """What the server needs from its tokens."""

    @property
    def version(self) -> int:
        """The number of the current token."""

    def state(self) -> TokenState:
        """Return whether requests can be sent."""

    def left(self) -> float | None:
        """Return the seconds until the token expires; None if it does not, or nobody knows."""

    def accepted(self, version: int) -> None:
        """Report that Google accepted a token."""

    def refused(self, version: int) -> None:
        """Report that Google refused a token."""

    def on_change(self, callback: Callable[[], None]) -> None:
        """Set a function to be called after each refresh, well or not."""

    def refresh(self, timeout: float) -> None:
        """Fetch a new token and wait for it."""

    def start(self, watched: Watch = logged) -> None:
        """Start to keep the token fresh."""

    def stop(self, within: float = STOP_WITHIN) -> None:
        """Stop that, and wait for its end, though no longer than for so many seconds."""


class NoTokens:
    """Stands in for tokens where a client looks after its own."""

    version = 0

    def __init__(self, http: Any) -> None:
        self._http = http

    def state(self) -> TokenState:
        """Return that requests can always be sent."""
        return USABLE

    def left(self) -> float | None:
        """Return that nobody knows."""
        return None

    def accepted(self, version: int) -> None:
        """Do nothing."""

    def refused(self, version: int) -> None:
        """Do nothing."""

    def on_change(self, callback: Callable[[], None]) -> None:
        """Do nothing: there are no changes."""

    def refresh(self, timeout: float) -> None:
        """Have the client refresh its token."""
        _ = timeout
        self._http.login()

    def start(self, watched: Watch = logged) -> None:
        """Do nothing."""

    def stop(self, within: float = STOP_WITHIN) -> None:
        """Do nothing."""


def stop_all(all_tokens: Sequence[AnyTokens], clock: Callable[[], float] = time.monotonic) -> None:
    """Stop the tokens of several accounts, and wait no longer for all than for one."""
    for tokens in all_tokens:
        tokens.stop(0.0)
    until = clock() + STOP_WITHIN
    for tokens in all_tokens:
        tokens.stop(max(0.0, until - clock()))
