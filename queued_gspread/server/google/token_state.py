"""What the rest of the server wants to know of its access token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from queued_gspread.server.failure import logged

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.server.failure import Watch

__all__ = ["USABLE", "AnyTokens", "NoTokens", "TokenState"]


@dataclass(frozen=True)
class TokenState:
    """Whether requests can be sent.

    Attributes:
        is_usable: Whether there is a token that Google takes, as far as is known.
        error: Why there is none, once a refresh has failed.
        waited: Seconds since then, or since the end of the token that there was, or since the first
            one was asked for; infinite if there will be none.

    """

    is_usable: bool
    error: Exception | None = None
    waited: float = 0.0


USABLE: Final = TokenState(is_usable=True)


class AnyTokens(Protocol):
    """What the server wants of its tokens."""

    @property
    def version(self) -> int:
        """The number of the current token."""

    def state(self) -> TokenState:
        """Return whether requests can be sent."""

    def accepted(self, version: int) -> None:
        """Say that Google took a token."""

    def refused(self, version: int) -> None:
        """Say that Google did not take a token."""

    def on_change(self, callback: Callable[[], None]) -> None:
        """Have a function called whenever a token was fetched, or could not be."""

    def refresh(self, timeout: float) -> None:
        """Fetch a new token and wait for it."""

    def start(self, watched: Watch = logged) -> None:
        """Begin to keep the token fresh."""

    def stop(self) -> None:
        """End that."""


class NoTokens:
    """Stands for tokens where a client looks after its own."""

    version = 0

    def __init__(self, http: Any) -> None:
        self._http = http

    def state(self) -> TokenState:
        """Return that requests can be sent."""
        return USABLE

    def accepted(self, version: int) -> None:
        """Do nothing."""

    def refused(self, version: int) -> None:
        """Do nothing."""

    def on_change(self, callback: Callable[[], None]) -> None:
        """Do nothing: there is no change."""

    def refresh(self, timeout: float) -> None:
        """Have the client do it."""
        _ = timeout
        self._http.login()

    def start(self, watched: Watch = logged) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""
