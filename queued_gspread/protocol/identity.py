"""Whose credentials a client was given: what of them may leave the process.

A client sends no credential. It sends whose they are, so that the server can refuse a call
that is meant for another account, and with which scopes, so that it can hold a client to them.
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


@dataclass(frozen=True)
class Scoped:
    """Stands for credentials of which only the scopes that were asked for are known."""

    scopes: tuple[str, ...]


def identity_of(credentials: Any) -> Identity:
    """Return whose credentials these are, as far as they tell.

    Service account credentials of google-auth tell their account, impersonated ones and
    oauth2client's too; an authorised user's tell their scopes alone.
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
    # As google-auth asks for a token with them: by value, whatever a class of theirs says.
    return tuple(str.__str__(one) if isinstance(one, str) else str(one) for one in scopes)
