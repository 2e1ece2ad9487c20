"""Whose credentials a client has: the part of them that may leave the process.

A client sends no credentials. It sends their account, so that the server can refuse a call that is
meant for another one, and their scopes, so that the server can hold the client to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["ANYONE", "Identity", "Scoped", "identity_of"]


@dataclass(frozen=True)
class Identity:
    """Whom a client's calls are meant for.

    Attributes:
        email: The account's e-mail address; None if not known.
        subject: The user for whom the account acts (domain-wide delegation), if any.
        scopes: The OAuth scopes that the credentials have; None if not known.

    """

    email: str | None = None
    subject: str | None = None
    scopes: tuple[str, ...] | None = None

    @property
    def shown(self) -> str:
        """The account, and the user for whom it acts."""
        account = self.email or "an unknown account"
        return f"{account} for {self.subject}" if self.subject else account

    @property
    def account(self) -> str | None:
        """The account as which Google answers: the user for whom it acts, else its own; or None."""
        return self.subject or self.email

    def conflicts_with(self, other: Identity) -> bool:
        """Return whether both accounts are known and differ."""
        return None not in (self.account, other.account) and self.account != other.account


ANYONE = Identity()
"""A client that names no account: its calls use the server's."""


@dataclass(frozen=True)
class Scoped:
    """Stands for credentials of which only the requested scopes are known."""

    scopes: tuple[str, ...]


def identity_of(credentials: Any) -> Identity:
    """Return whose credentials these are, as far as they say.

    google-auth's service account credentials name their account, as do impersonated ones and
    oauth2client's; an authorised user's name only their scopes.
    """
    email = getattr(credentials, "service_account_email", None)
    subject = getattr(credentials, "_subject", None)
    scopes = getattr(credentials, "scopes", None)
    is_known = isinstance(email, str) and email not in ("", "default")
    return Identity(
        email=email if is_known else None,
        subject=subject if is_known and isinstance(subject, str) else None,
        scopes=_as_scopes(scopes),
    )


def _as_scopes(scopes: Any) -> tuple[str, ...] | None:
    if isinstance(scopes, str):
        return tuple(scopes.split())
    if not (isinstance(scopes, Iterable) and scopes):
        return None
    # By value, whatever the class spells: so google-auth requests a token with them.
    return tuple(str.__str__(one) if isinstance(one, str) else str(one) for one in scopes)
