"""The projects: their service accounts and the access tokens granted to them."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from google.auth import _helpers, exceptions, jwt
from gspread.auth import DEFAULT_SCOPES

from .account import Account, project_in
from .assertions import AUDIENCES, fault_of
from .changes import Changes
from .refusals import TokenRefusedError
from .users import User, refreshed
from .workloads import Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LIFETIME = 3600.0
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_UNSIGNED = "Invalid JWT Signature."
_UNDELEGATED = (
    "Client is unauthorized to retrieve access tokens using this method, or client not authorized "
    "for any of the scopes requested."
)


@dataclass(frozen=True)
class Grant:
    """An access token: its account, its scopes, its lifetime in seconds and its expiry."""

    token: str
    email: str
    scopes: frozenset[str]
    lifetime: float
    expiry: float


class Project:
    """The accounts and tokens of an emulator."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        url: Callable[[], str],
        changes: Changes | None = None,
    ) -> None:
        """Begin with one account; tokens expire by this clock."""
        self.token_lifetime = LIFETIME
        self.storage = True
        self.disabled_apis: frozenset[str] = frozenset()
        self.clock_ahead = 0.0
        self._monotonic = monotonic
        self._url = url
        self._changes = changes or Changes()
        self._lock = threading.Lock()
        self._granted: dict[str, Grant] = {}
        self._accounts: dict[str, Account] = {}
        self.first = self.add_account()
        self.users: dict[str, User] = {}
        self.workloads: dict[str, Workload] = {}
        # The account of the machine for which the emulator is the metadata server.
        self.machine: Account | None = self.first

    def add_user(self, email: str, scopes: Iterable[str] = DEFAULT_SCOPES) -> User:
        """Add a user, who consents to these scopes."""
        self.users[email] = user = User(email, scopes, self._url)
        return user

    def add_workload(self) -> Workload:
        """Add a pool of workloads of another provider, whose tokens are exchanged here."""
        workload = Workload(len(self.workloads) + 1, self._url)
        self.workloads[workload.audience] = workload
        return workload

    def account(self, email: str) -> Account | None:
        """Return the service account with an address."""
        return self._accounts.get(email)

    def add_account(self, storage: bool | None = None, project: int = 1) -> Account:
        """Add a service account with its own key."""
        with self._changes.making():
            number = len(self._accounts) + 1
            account = Account(number, self._url, self._changes, storage, project)
            self._accounts[account.email] = account
        return account

    @property
    def accounts(self) -> list[Account]:
        """All accounts, the first one first."""
        return list(self._accounts.values())

    def public_keys(self) -> dict[str, dict[str, str]]:
        """Return every account's accepted public keys by their ids, by e-mail address."""
        return {account.email: account.public_keys for account in self.accounts}

    def restore(self, public_keys: dict[str, dict[str, str]]) -> None:
        """Add the accounts of an earlier project, and accept its keys."""
        for email, keys in public_keys.items():
            if email not in self._accounts:
                self.add_account(project=project_in(email))
            self._accounts[email].accept(keys)

    def number_of(self, email: str) -> int:
        """Return the number of the project that pays for somebody's requests."""
        account = self._accounts.get(email)
        return 1 if account is None else account.project

    def has_storage(self, email: str) -> bool:
        """Return whether whoever has this address may own files: only some service accounts not."""
        account = self._accounts.get(email)
        if account is None:
            return True
        return self.storage if account.storage is None else account.storage

    @property
    def now(self) -> float:
        """Google's time, which may differ from that of its clients."""
        # Read the way google-auth does, so that a test's replacement holds for both.
        now: datetime = _helpers.utcnow()
        return now.replace(tzinfo=timezone.utc).timestamp() + self.clock_ahead

    def grant(self, form: dict[str, str], path: str = "/token") -> Grant:
        """Return a new access token for an assertion or a consent, or raise TokenRefusedError."""
        if form.get("grant_type") == "refresh_token":
            return self.issue(*refreshed(self.users.values(), form))
        if form.get("grant_type") != _GRANT:
            raise TokenRefusedError("unsupported_grant_type", "Invalid grant_type")
        assertion = form.get("assertion", "")
        account = self._accounts.get(_issuer(assertion))
        if account is None or account.is_deleted:
            raise TokenRefusedError("invalid_grant", "Invalid grant: account not found")
        claims = account.claims(assertion)
        if claims is None:
            raise TokenRefusedError("invalid_grant", _UNSIGNED)
        if fault := fault_of(claims, AUDIENCES[path], self._url() + path, self.now):
            raise TokenRefusedError("invalid_grant", fault)
        scopes = frozenset(str(claims.get("scope", "")).split())
        if not scopes:
            description = "Invalid OAuth scope or ID token audience provided."
            raise TokenRefusedError("invalid_scope", description)
        return self.issue(self._acting(account, claims, scopes), scopes)

    def _acting(self, account: Account, claims: dict[str, Any], scopes: frozenset[str]) -> str:
        """Return for whom a token is: the account, or the user for whom it acts."""
        subject = str(claims.get("sub") or account.email)
        if subject == account.email:
            return subject
        if not account.may_act_for_users(scopes):
            raise TokenRefusedError("unauthorized_client", _UNDELEGATED, HTTPStatus.UNAUTHORIZED)
        # A project without users is one whose domain nobody has described.
        if self.users and subject not in self.users:
            raise TokenRefusedError("invalid_grant", "Invalid email or User ID")
        return subject

    def issue(self, email: str, scopes: frozenset[str], lifetime: float | None = None) -> Grant:
        """Return a new access token, which lives no longer than any other."""
        token = "ya29.c." + secrets.token_urlsafe(64)
        lifetime = min(self.token_lifetime, self.token_lifetime if lifetime is None else lifetime)
        grant = Grant(token, email, scopes, lifetime, self._monotonic() + lifetime)
        with self._lock:
            self._granted[token] = grant
        return grant

    def holder(self, token: str) -> Grant | None:
        """Return what a token grants; None if it was not granted here or has expired."""
        grant = self._granted.get(token)
        return grant if grant and grant.expiry > self._monotonic() else None

    def revoke(self, token: str) -> None:
        """Make a token invalid, as if it had expired; unknown tokens are ignored."""
        with self._lock:
            self._granted.pop(token, None)

    def revoke_all(self, email: str = "") -> None:
        """Make the tokens granted so far invalid, all or those of one account."""
        with self._lock:
            for token in [t for t, grant in self._granted.items() if email in ("", grant.email)]:
                del self._granted[token]


def _issuer(assertion: str) -> str:
    decode: Any = jwt.decode
    try:
        return str(decode(assertion, verify=False).get("iss", ""))
    except (ValueError, exceptions.GoogleAuthError):
        raise TokenRefusedError("invalid_grant", _UNSIGNED) from None
