"""Whose credentials a client was given: what of them may leave the process.

A client sends no credential. It sends whose they are, so that the server can refuse a call
that is meant for another account, and with which scopes, so that it can hold a client to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ANYONE", "Identity", "identity_of"]


@dataclass(frozen=True)
class Identity:
    """Whom a client's calls are meant for.

    Attributes:
        email: The account's e-mail address; None where it is not known.
        subject: The user for whom the account acts (domain-wide delegation), if any.
        scopes: The OAuth scopes that the credentials have; None where they are not known.

    """

    email: str | None = None
    subject: str | None = None
    scopes: tuple[str, ...] | None = None

    @property
    def shown(self) -> str:
        """The account, and the user for whom it acts."""
        account = self.email or "an unknown account"
        return f"{account} acting for {self.subject}" if self.subject else account

    def conflicts_with(self, other: Identity) -> bool:
        """Tell whether both are known and differ."""
        if self.email is None or other.email is None:
            return False
        return (self.email, self.subject) != (other.email, other.subject)


ANYONE = Identity()
"""A client that says nothing of itself: its calls use the server's account."""


def identity_of(credentials: Any, scopes: Iterable[str] | None = None) -> Identity:
    """Return whose credentials these are; :data:`ANYONE` where they do not tell.

    Service account credentials of google-auth tell, impersonated ones and oauth2client's too.
    """
    email = getattr(credentials, "service_account_email", None)
    if not isinstance(email, str) or not email or email == "default":
        return ANYONE
    subject = getattr(credentials, "_subject", None)
    granted = scopes if scopes is not None else getattr(credentials, "scopes", None)
    return Identity(
        email=email,
        subject=subject if isinstance(subject, str) else None,
        scopes=tuple(map(str, granted)) if granted else None,
    )
