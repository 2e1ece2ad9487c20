"""What is logged of an account's access tokens: of the server's own, and of one that lends."""

from __future__ import annotations

from typing import Final

from queued_gspread.server.log import LOGGER

__all__ = ["log_again", "log_failing", "log_refused"]

_REFUSED: Final = "Google refuses the credentials of %s (%s): there will be no new access token. %s"
_LENDER_REFUSED: Final = (
    "Google refuses the credentials of %s (%s): without a new access token it lends no quota. %s"
)
_LOOK: Final = (
    "Look whether the account or its key was disabled or deleted, and whether this machine's clock "
    "is right; a new credentials file in the place of the old one is noticed"
)
_FAILS: Final = (
    "no access token can be fetched, the token endpoint fails (%s): it is asked again, and calls "
    "wait while there is no valid token. If this goes on, look at this machine's network and "
    "proxy, and at the credentials' token_uri"
)
_LENDER_FAILS: Final = (
    "no access token can be fetched for %s, the token endpoint fails (%s): it is asked again, and "
    "that account lends no quota while it has no valid token"
)


def log_refused(whose: str, reason: str, remedy: str, *, lends: bool) -> None:
    """Log that Google refuses the credentials; without a remedy, tell where to look."""
    told = whose, reason, remedy or _LOOK
    if lends:
        LOGGER.error(_LENDER_REFUSED, *told)
    else:
        LOGGER.error(_REFUSED, *told)


def log_failing(whose: str, reason: str, *, lends: bool) -> None:
    """Log that the token endpoint fails."""
    if lends:
        LOGGER.warning(_LENDER_FAILS, whose, reason)
    else:
        LOGGER.warning(_FAILS, reason)


def log_again(whose: str, *, lends: bool) -> None:
    """Log that there is a token again."""
    if lends:
        LOGGER.info("there is an access token again for %s, which lends its quota", whose)
    else:
        LOGGER.info("there is an access token again")
