"""The throw-away service account: its key, its tokens and who may use them."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import exceptions, jwt

_LIFETIME = 3600
_KEY_SIZE = 2048
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EMAIL = "emulator@queued-gspread-emulator.iam.gserviceaccount.com"


class TokenRefusedError(Exception):
    """A token request that is answered with an OAuth error: its code and description."""


@dataclass
class _Key:
    private_pem: str
    public_pem: bytes


@dataclass
class _Grant:
    scopes: frozenset[str]
    expiry: float


def _new_key() -> _Key:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=_KEY_SIZE)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return _Key(private.decode(), public)


class Account:
    """One service account, made anew for every emulator."""

    def __init__(self) -> None:
        """Make the key, which takes a tenth of a second or so."""
        self.email = EMAIL
        self._key = _new_key()
        self._key_id = secrets.token_hex(20)
        self._granted: dict[str, _Grant] = {}

    def info(self, url: str) -> dict[str, str]:
        """Return what a service account's JSON file holds, with this emulator as token_uri."""
        return {
            "type": "service_account",
            "project_id": "queued-gspread-emulator",
            "private_key_id": self._key_id,
            "private_key": self._key.private_pem,
            "client_email": self.email,
            "client_id": "100000000000000000000",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": f"{url}/token",
            "universe_domain": "googleapis.com",
        }

    def grant(self, form: dict[str, str]) -> dict[str, Any]:
        """Return a new access token for a signed assertion, or raise TokenRefusedError."""
        if form.get("grant_type") != _GRANT:
            raise TokenRefusedError("unsupported_grant_type", "Invalid grant_type")
        decode: Any = jwt.decode
        try:
            claims = decode(form.get("assertion", ""), certs=self._key.public_pem)
        except (ValueError, exceptions.GoogleAuthError):
            raise TokenRefusedError("invalid_grant", "Invalid JWT Signature.") from None
        if claims.get("iss") != self.email:
            raise TokenRefusedError("invalid_grant", "Invalid grant: account not found")
        scopes = frozenset(str(claims.get("scope", "")).split())
        if not scopes:
            description = "Invalid OAuth scope or ID token audience provided."
            raise TokenRefusedError("invalid_scope", description)
        token = "ya29.c." + secrets.token_urlsafe(64)
        self._granted[token] = _Grant(scopes, time.monotonic() + _LIFETIME)
        return {"access_token": token, "expires_in": _LIFETIME, "token_type": "Bearer"}

    def scopes(self, token: str) -> frozenset[str] | None:
        """Return the scopes of a token, None if it was not granted here or has expired."""
        grant = self._granted.get(token)
        return grant.scopes if grant and grant.expiry > time.monotonic() else None

    def revoke_all(self) -> None:
        """Make every token granted so far invalid, as an expiry would."""
        self._granted.clear()
