"""Workloads: programs elsewhere, which show a token of their own provider (identity federation)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from google.auth import exceptions, jwt

from .account import new_key
from .refusals import TokenRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .account import Account

_JWT = "urn:ietf:params:oauth:token-type:jwt"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a kind
_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_NO_POOL = (
    'The target service indicated by the "audience" parameters is invalid. This might either be '
    "because the pool or provider is disabled or deleted or because it doesn't exist."
)
_LIFETIME = 3600


class Workload:
    """A pool of workloads with one provider, which signs their tokens, and a workload in it."""

    def __init__(self, number: int, url: Callable[[], str]) -> None:
        """Begin with a key of the provider's; the first number is 1."""
        pool = f"projects/1/locations/global/workloadIdentityPools/emulator-{number}"
        self.audience = f"//iam.googleapis.com/{pool}/providers/emulator"
        self.subject = "workload"
        self.principal = f"principal://iam.googleapis.com/{pool}/subject/{self.subject}"
        self._url = url
        self._key = new_key()

    def subject_token(self, lifetime: float = _LIFETIME, **claims: Any) -> str:
        """Return a token of the workload's, signed by its provider."""
        now = int(time.time())
        whole = {
            "iss": "https://provider.example.com",
            "sub": self.subject,
            "aud": self.audience,
            "iat": now,
            "exp": now + int(lifetime),
            **claims,
        }
        encode: Any = jwt.encode
        token: str = encode(self._key.signer, whole).decode()
        return token

    def rotate_key(self) -> None:
        """Make a new key for the provider; what the old one has signed is refused."""
        self._key = new_key()

    def external_account_info(
        self, source: dict[str, Any] | str | Path, account: Account | None = None
    ) -> dict[str, Any]:
        """Return the JSON of an external account.

        `source` is the file with the workload's token, or a whole `credential_source`. With an
        account, the workload impersonates that.
        """
        info = {
            "type": "external_account",
            "audience": self.audience,
            "subject_token_type": _JWT,
            "token_url": f"{self._url()}/v1/token",
            "credential_source": source if isinstance(source, dict) else {"file": str(source)},
        }
        if account is not None:
            info["service_account_impersonation_url"] = account.impersonation_url
        return info

    def check(self, token: str) -> None:
        """Raise TokenRefusedError if a token is not this provider's, or no longer good."""
        decode: Any = jwt.decode
        try:
            claims = decode(token, certs={self._key.key_id: self._key.public_pem})
        except exceptions.InvalidValue:
            issued = decode(token, verify=False).get("iat")
            description = f"ID Token issued at {issued} is stale to sign-in."
            raise TokenRefusedError("invalid_grant", description) from None
        except (ValueError, exceptions.GoogleAuthError):
            description = "Unable to verify the ID Token signature."
            raise TokenRefusedError("invalid_grant", description) from None
        if claims.get("aud") not in (self.audience, f"https:{self.audience}"):
            description = (
                f"The audience in ID Token [{claims.get('aud')}] does not match the expected "
                f"audience {self.audience}."
            )
            raise TokenRefusedError("invalid_grant", description)


def exchanged(workloads: dict[str, Workload], form: dict[str, str]) -> tuple[str, frozenset[str]]:
    """Return the principal whose token a form has, and the scopes that it asks for."""
    names = ("grant_type", "requested_token_type", "subject_token_type")
    asked = tuple(form.get(name) for name in names)
    if asked != (_GRANT, ACCESS_TOKEN, _JWT):
        raise TokenRefusedError("invalid_request", "Invalid token type or grant type.")
    workload = workloads.get(form.get("audience", ""))
    if workload is None:
        raise TokenRefusedError("invalid_target", _NO_POOL)
    workload.check(form.get("subject_token", ""))
    scopes = frozenset(form.get("scope", "").split())
    if not scopes:
        raise TokenRefusedError("invalid_scope", "Invalid OAuth scope.")
    return workload.principal, scopes
