"""A throw-away service account: who it is, and the key that its token requests are signed with."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, exceptions, jwt
from google.oauth2.service_account import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_KEY_SIZE = 2048
_OWNER_ONLY = 0o600
_NAME, _PROJECT = "emulator", "queued-gspread-emulator"
_FIRST_CLIENT_ID = 100_000_000_000_000_000_000


def _email(number: int) -> str:
    name = _NAME if number == 1 else f"{_NAME}-{number}"
    return f"{name}@{_PROJECT}.iam.gserviceaccount.com"


EMAIL = _email(1)


@dataclass(frozen=True)
class _Key:
    key_id: str
    private_pem: str
    public_pem: bytes
    signer: crypt.RSASigner


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
    key_id = secrets.token_hex(20)
    return _Key(key_id, private.decode(), public, crypt.RSASigner(key, key_id))


class Account:
    """One service account, with a key that is made anew for every emulator."""

    def __init__(self, number: int, url: Callable[[], str]) -> None:
        """Make the key, which takes a tenth of a second or so; the first number is 1."""
        self.email = _email(number)
        self._client_id = str(_FIRST_CLIENT_ID + number - 1)
        self._url = url
        self._key = _new_key()

    def service_account_info(self) -> dict[str, str]:
        """Return the account's JSON for google-auth; its tokens come from the emulator.

        Raises RuntimeError before the emulator was started, since it has no URL then.
        """
        key = self._key
        return {
            "type": "service_account",
            "project_id": _PROJECT,
            "private_key_id": key.key_id,
            "private_key": key.private_pem,
            "client_email": self.email,
            "client_id": self._client_id,
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": f"{self._url()}/token",
            "universe_domain": "googleapis.com",
        }

    def credentials(self, scopes: Iterable[str]) -> Credentials:
        """Return google-auth's credentials of the account, without an access token so far.

        They take no time, while google-auth needs some 40 ms to read a key. Raises RuntimeError
        before the emulator was started.
        """
        return Credentials(
            self._key.signer, self.email, f"{self._url()}/token", list(scopes), project_id=_PROJECT
        )

    def write_service_account(self, path: str | Path) -> None:
        """Write the account's JSON to a file that only its owner may read."""
        content = json.dumps(self.service_account_info(), indent=2) + "\n"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(path, flags, _OWNER_ONLY), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), _OWNER_ONLY)
            file.write(content)

    def rotate_key(self) -> None:
        """Make a new key and accept the old one no more; tokens granted so far stay valid."""
        self._key = _new_key()

    def claims(self, assertion: str) -> dict[str, Any] | None:
        """Return what an assertion says, None where the account's key did not sign it."""
        decode: Any = jwt.decode
        try:
            claims: dict[str, Any] = decode(assertion, certs=self._key.public_pem)
        except (ValueError, exceptions.GoogleAuthError):
            return None
        return claims
