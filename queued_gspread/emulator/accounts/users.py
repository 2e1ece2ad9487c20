"""Users: whom service accounts act for, and who consent to a program by OAuth."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gspread.auth import DEFAULT_SCOPES

from .owner_only import write_json
from .refusals import TokenRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_CLIENT_ID = "100000000000-emulator.apps.googleusercontent.com"
_AUDIENCE = "//iam.googleapis.com/locations/global/workforcePools/emulator/providers/emulator"


class User:
    """A user who has consented to one program."""

    def __init__(self, email: str, scopes: Iterable[str], url: Callable[[], str]) -> None:
        """Begin with a consent to these scopes."""
        self.email = email
        self._url = url
        self._secret = "GOCSPX-" + secrets.token_urlsafe(20)
        self.scopes: frozenset[str] = frozenset()
        self._refresh_token = ""
        self.consent(scopes)

    def consent(self, scopes: Iterable[str] = DEFAULT_SCOPES) -> None:
        """Consent anew, which ends the consent until now."""
        self.scopes = frozenset(scopes)
        self._refresh_token = "1//" + secrets.token_urlsafe(60)

    def end_consent(self) -> None:
        """End the consent, as Google does after seven days for a program in testing."""
        self._refresh_token = ""

    def authorized_user_info(self) -> dict[str, Any]:
        """Return the JSON of an authorised user, as gcloud and gspread write it."""
        return {
            "type": "authorized_user",
            **self._held(),
            "token_uri": f"{self._url()}/token",
            "scopes": sorted(self.scopes),
        }

    def external_user_info(self) -> dict[str, Any]:
        """Return the JSON of the user of a workforce pool."""
        return {
            "type": "external_account_authorized_user",
            **self._held(),
            "audience": _AUDIENCE,
            "token_url": f"{self._url()}/v1/oauthtoken",
        }

    def write_authorized_user(self, path: str | Path) -> None:
        """Write the JSON of an authorised user to a file that only its owner may read."""
        write_json(path, self.authorized_user_info())

    def _held(self) -> dict[str, str]:
        held = {"client_id": _CLIENT_ID, "client_secret": self._secret}
        return {**held, "refresh_token": self._refresh_token or "1//ended"}

    def has_consented(self, form: dict[str, str]) -> bool:
        """Return whether a form has the user's present consent, and the program's secret."""
        consent = (form.get("refresh_token"), form.get("client_id"), form.get("client_secret"))
        return consent == (self._refresh_token, _CLIENT_ID, self._secret)


def refreshed(users: Iterable[User], form: dict[str, str]) -> tuple[str, frozenset[str]]:
    """Return the user whose consent a form has, and the scopes that it asks for."""
    if form.get("client_id") != _CLIENT_ID:
        description = "The OAuth client was not found."
        raise TokenRefusedError("invalid_client", description, HTTPStatus.UNAUTHORIZED)
    user = next((user for user in users if user.has_consented(form)), None)
    if user is None:
        raise TokenRefusedError("invalid_grant", "Token has been expired or revoked.")
    scopes = frozenset(form.get("scope", "").split()) or user.scopes
    if not scopes <= user.scopes:
        raise TokenRefusedError("invalid_scope", "Bad Request")
    return user.email, scopes
