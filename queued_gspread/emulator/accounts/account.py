"""A throw-away service account: its identity, and the key that signs its token requests."""

from __future__ import annotations

import errno
import json
import re
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, exceptions, jwt
from google.oauth2.service_account import Credentials
from gspread.auth import DEFAULT_SCOPES

from .owner_only import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .changes import Changes

_KEY_SIZE = 2048
_NAME, _PROJECT = "emulator", "queued-gspread-emulator"
# Seconds: only the signature is checked here, and the times with Google's clock elsewhere.
_ANY_TIME = 10**9
_PROJECT_IN = re.compile(rf"@{_PROJECT}-([1-9][0-9]{{0,8}})\.")
_FIRST_CLIENT_ID = 100_000_000_000_000_000_000


def project_id(number: int) -> str:
    """Return the id of a project; the first number is 1."""
    return _PROJECT if number == 1 else f"{_PROJECT}-{number}"


def email_of(number: int, project: int = 1) -> str:
    """Return the e-mail address of an account of a project; the first numbers are 1."""
    name = _NAME if number == 1 else f"{_NAME}-{number}"
    return f"{name}@{project_id(project)}.iam.gserviceaccount.com"


def project_in(email: str) -> int:
    """Return the number of the project that an account's address names."""
    found = _PROJECT_IN.search(email)
    return int(found[1]) if found else 1


EMAIL = email_of(1)


@dataclass(frozen=True)
class Key:
    """A pair of keys: the private one signs, the public one verifies."""

    key_id: str
    private_pem: str
    public_pem: str
    signer: crypt.RSASigner


def new_key() -> Key:
    """Return a new pair of keys."""
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
    return Key(key_id, private.decode(), public.decode(), crypt.RSASigner(key, key_id))


def _check_ours(path: Path) -> None:
    # Anything but a regular file, such as a terminal, has no content to lose.
    if not path.is_file():
        return
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        found = None
    name = found.get("project_id") if isinstance(found, dict) else None
    if not isinstance(name, str) or name.rstrip("0123456789") not in (_PROJECT, f"{_PROJECT}-"):
        reason = "holds something that is no key of an emulator, and is left as it is"
        raise FileExistsError(errno.EEXIST, reason, str(path))


class Account:
    """One service account, with a key that every emulator makes anew.

    The key is made on its first use, which takes a tenth of a second or so. Keys that an earlier
    emulator handed out are accepted as well.
    """

    def __init__(
        self,
        number: int,
        url: Callable[[], str],
        changes: Changes,
        storage: bool | None = None,
        project: int = 1,
    ) -> None:
        """Begin without a key; the first number is 1, and so is the first project's.

        `storage` is whether it may own files; with None, the emulator's own `storage` says so.
        """
        self.email = email_of(number, project)
        self.project = project
        self.storage = storage
        self.is_deleted = False
        self._client_id = str(_FIRST_CLIENT_ID + number - 1)
        self._url = url
        self._changes = changes
        self._making = threading.Lock()
        self._key: Key | None = None
        # The public keys that token requests may be signed for, by their ids.
        self._accepted: dict[str, str] = {}
        # The scopes for which it may act for the users of its domain: until somebody has said so,
        # all of them. And who may impersonate it.
        self._delegated: frozenset[str] | None = None
        self._impersonators: set[str] = set()

    def delegate(self, scopes: Iterable[str] = DEFAULT_SCOPES) -> None:
        """Let the account act for users with these scopes alone (domain-wide delegation).

        Until then it may act for them with any scopes; with an empty list, for nobody.
        """
        self._delegated = frozenset(scopes)

    def may_act_for_users(self, scopes: frozenset[str]) -> bool:
        """Return whether the account may act for the users of its domain with these scopes."""
        return self._delegated is None or scopes <= self._delegated

    def let_impersonate(self, *principals: str) -> None:
        """Let others impersonate the account: accounts and users by address, or principals."""
        self._impersonators.update(principals)

    def may_be_impersonated_by(self, principal: str) -> bool:
        """Return whether somebody may create tokens for the account."""
        return principal in self._impersonators

    def sign(self, claims: dict[str, Any]) -> tuple[str, str]:
        """Return the id of the account's key, and claims signed with it."""
        key = self._present_key()
        encode: Any = jwt.encode
        return key.key_id, encode(key.signer, claims).decode()

    def impersonated_info(self, source: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON of credentials that impersonate the account, out of others' JSON."""
        return {
            "type": "impersonated_service_account",
            "service_account_impersonation_url": self.impersonation_url,
            "source_credentials": source,
            "delegates": [],
        }

    @property
    def impersonation_url(self) -> str:
        """The URL at which tokens are made for who impersonates the account."""
        path = f"/v1/projects/-/serviceAccounts/{self.email}:generateAccessToken"
        return self._url() + path

    @property
    def public_keys(self) -> dict[str, str]:
        """The public keys, in PEM, of all keys that are accepted, by their ids."""
        return dict(self._accepted)

    def accept(self, public_keys: dict[str, str]) -> None:
        """Accept the keys that an earlier emulator handed out."""
        with self._changes.making():
            self._accepted = {**public_keys, **self._accepted}

    def service_account_info(self) -> dict[str, str]:
        """Return the account's JSON for google-auth; its tokens come from the emulator.

        Raises RuntimeError before the emulator was started, since it has no URL then.
        """
        url, key = self._url(), self._present_key()
        return {
            "type": "service_account",
            "project_id": project_id(self.project),
            "private_key_id": key.key_id,
            "private_key": key.private_pem,
            "client_email": self.email,
            "client_id": self._client_id,
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": f"{url}/token",
            "universe_domain": "googleapis.com",
        }

    def credentials(self, scopes: Iterable[str]) -> Credentials:
        """Return google-auth's credentials of the account, without an access token yet.

        They take no time, while google-auth needs some 40 ms to read a key. Raises RuntimeError
        before the emulator was started.
        """
        token_uri, signer = f"{self._url()}/token", self._present_key().signer
        named = project_id(self.project)
        return Credentials(signer, self.email, token_uri, list(scopes), project_id=named)

    def write_service_account(self, path: str | Path) -> None:
        """Write the account's JSON to a file that only its owner may read.

        Raises FileExistsError if the file exists and was not written by an emulator: a key from
        Google cannot be downloaded a second time.
        """
        info = self.service_account_info()
        _check_ours(Path(path))
        write_json(path, info)

    def rotate_key(self) -> None:
        """Make a new key and stop accepting old ones; tokens granted so far stay valid."""
        key = new_key()
        with self._making, self._changes.making():
            self._key, self._accepted = key, {key.key_id: key.public_pem}

    def delete(self) -> None:
        """Delete the account: it gets no further token; those granted so far stay valid."""
        with self._changes.making():
            self.is_deleted, self._accepted = True, {}

    def disable_keys(self) -> None:
        """Stop accepting all keys, until a new one is made; tokens granted so far stay valid."""
        with self._changes.making():
            self._accepted = {}

    def claims(self, assertion: str) -> dict[str, Any] | None:
        """Return an assertion's claims; None if no key of the account signed it."""
        decode: Any = jwt.decode
        try:
            claims: dict[str, Any] = decode(
                assertion, certs=self.public_keys, clock_skew_in_seconds=_ANY_TIME
            )
        except (ValueError, exceptions.GoogleAuthError):
            return None
        return claims

    def _present_key(self) -> Key:
        with self._making:
            if self._key is None:
                key = new_key()
                with self._changes.making():
                    self._key, self._accepted = key, self._accepted | {key.key_id: key.public_pem}
            return self._key
