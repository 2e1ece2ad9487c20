"""What an error of Google's means, and what to do about it. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from google.auth.exceptions import GoogleAuthError, OAuthError, RefreshError
from gspread.exceptions import APIError

from queued_gspread.errors import QueuedGspreadError
from queued_gspread.google_api.responses import reasons_in
from queued_gspread.server.google.token_errors import told_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["CLOCK", "UNREACHABLE", "explain", "is_disabled", "is_out_of_scope", "share_with"]

_NOT_FOUND: Final = 404
_FORBIDDEN: Final = 403
_TOO_MANY: Final = 429
_UNAUTHENTICATED: Final = 401
_CONSOLE: Final = re.compile(r"https://console\.(?:developers|cloud)\.google\.com/[\w./?=&%:-]+")

CLOCK: Final = (
    "set this machine's clock, and keep it right by NTP (`timedatectl set-ntp true` on most Linux)"
)
_NEW_KEY: Final = (
    "make a new key (console.cloud.google.com: IAM & Admin, Service Accounts, Keys, Add key) and "
    "put it in the place of the old one"
)
_BY_TOKEN: Final = {
    "Invalid JWT Signature": f"the key was disabled or deleted, or another account's: {_NEW_KEY}",
    "account not found": "the account was deleted, or its address is misspelt in the file: restore "
    "it (within 30 days: `gcloud iam service-accounts undelete`), or make another one and share "
    "the spreadsheets with that",
    "audience check": "the key file has another token endpoint than google-auth signs for: set its "
    "'token_uri' to https://oauth2.googleapis.com/token",
    "reasonable timeframe": CLOCK,
    "disabled": "enable the account again (IAM & Admin, Service Accounts), or take another one",
    "unauthorized_client": "the domain's administrator has to allow the account's client id these "
    "scopes (admin.google.com: Security, API controls, Domain-wide delegation)",
    "Invalid email or User ID": "Google knows no such user: correct the address (--subject)",
    "invalid_scope": "ask for scopes that exist and that the account may have",
    "expired or revoked": "give consent anew: run gspread.oauth() on a machine with a browser, and "
    "put the file that it writes here. Google ends the consent to an app in testing after seven "
    "days: publish it",
    "invalid_client": "the OAuth client was deleted, or its secret changed: make another one",
}
_REFUSED: Final = "look whether the account or its key was disabled or deleted, or take another one"
UNREACHABLE: Final = (
    "look at this machine's network and proxy (HTTPS_PROXY), at --api-endpoint if it is set, and "
    "at the credentials' token_uri"
)


def explain(error: BaseException, account: str) -> tuple[str, str]:
    """Return what an error says, and what to do about it.

    Args:
        error: What a request to Google, or to the token endpoint, has raised.
        account: The account that it was for, in words.

    """
    if isinstance(error, (RefreshError, OAuthError)):
        told = told_of(error)
        remedies = (remedy for words, remedy in _BY_TOKEN.items() if words in told)
        return told, next(remedies, _REFUSED)
    if isinstance(error, APIError):
        return f"[{error.code}]: {_message(error)}", _remedy(error, account)
    if isinstance(error, QueuedGspreadError):
        return "no answer through the queue", str(error)
    if isinstance(error, GoogleAuthError):
        return told_of(error), UNREACHABLE
    return f"{type(error).__name__}: {error}", UNREACHABLE


def share_with(account: str) -> str:
    """Return how to share a spreadsheet with an account."""
    return f"open it in a browser, click Share, and add {account} as an editor"


def is_disabled(error: BaseException) -> bool:
    """Return whether an API is not enabled in the project."""
    if not isinstance(error, APIError):
        return False
    words = {*_reasons(error.error), *reasons_in(error.error)}
    return not words.isdisjoint({"SERVICE_DISABLED", "accessNotConfigured"})


def is_out_of_scope(error: BaseException) -> bool:
    """Return whether a token was not granted for a request."""
    if not isinstance(error, APIError):
        return False
    words = {*_reasons(error.error), *reasons_in(error.error)}
    return not words.isdisjoint({"ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions"})


def _remedy(error: APIError, account: str) -> str:
    if is_disabled(error):
        link = _activation(error.error)
        return f"enable it for the project, then wait a minute: {link}" if link else _message(error)
    if is_out_of_scope(error):
        return (
            "the server's scopes leave this out: have --scopes name spreadsheets and drive, or "
            "take credentials that have both"
        )
    if error.code in (_FORBIDDEN, _NOT_FOUND) and not reasons_in(error.error):
        return share_with(account)
    if error.code == _TOO_MANY:
        return "something else uses up the account's quota: wait a minute, and look what it is"
    if error.code == _UNAUTHENTICATED:
        return "Google takes neither the token nor the key: look at the credentials"
    return "look up what Google says; if it passes, try again"


def _message(error: APIError) -> str:
    return str(error.error.get("message") or "no message")


def _details(error: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    listed = error.get("details")
    return (part for part in (listed if isinstance(listed, list) else ()) if isinstance(part, dict))


def _reasons(error: Mapping[str, Any]) -> list[str]:
    return [part["reason"] for part in _details(error) if isinstance(part.get("reason"), str)]


def _activation(error: Mapping[str, Any]) -> str:
    """Return the link in an error by which the API is enabled; '' if it has none of Google's."""
    metadata = (part.get("metadata") for part in _details(error))
    named = [part.get("activationUrl") for part in metadata if isinstance(part, dict)]
    texts = [*named, error.get("message")]
    links = (_CONSOLE.search(text) for text in texts if isinstance(text, str))
    return next((link[0] for link in links if link), "")
