"""Makes google-auth's credentials: by the class of a file's kind, and for the access asked for.

google-auth's own loader of any file is deprecated, since an external account's file may name URLs
and programs: it calls for naming the class.
"""

from __future__ import annotations

import copy
import os
import shlex
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from google.auth import (
    aws,
    external_account,
    external_account_authorized_user,
    identity_pool,
    impersonated_credentials,
    pluggable,
)
from google.auth.credentials import Scoped
from google.auth.exceptions import GoogleAuthError
from google.oauth2.credentials import Credentials as OAuthCredentials
from google.oauth2.service_account import Credentials as SACredentials

from queued_gspread.errors import ConfigurationError

from .credential_file import unusable_value
from .file_kinds import AUTHORIZED_USER, EXTERNAL_ACCOUNT, EXTERNAL_USER, SERVICE_ACCOUNT, kind_of

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

    from .access import Access
    from .file_kinds import FileKind

__all__ = ["adapted", "credentials_from", "programs_in", "token_sources"]

_AWS: Final = "urn:ietf:params:aws:token-type:aws4_request"
_SOURCES: Final = (AUTHORIZED_USER, SERVICE_ACCOUNT, EXTERNAL_USER, EXTERNAL_ACCOUNT)
_IMPERSONATION: Final = ("service_account_impersonation_url", "service_account_impersonation")
_ALLOWING: Final = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"
_KEYLESS: Final = (
    "--subject needs a service account, and these credentials are {}: give a service account's key "
    "file, or name an account that they may impersonate (--impersonate ADDRESS)"
)


def credentials_from(
    place: str, kind: FileKind, info: dict[str, Any], access: Access
) -> Credentials:
    """Return the credentials that a file's fields make, for an access.

    Args:
        place: The file, for errors.
        kind: Its kind.
        info: Its fields.
        access: What the credentials are for.

    Raises:
        ConfigurationError: A field cannot be used, or the access is none that the kind can have.

    """
    _check_program(place, info)
    try:
        return _made(kind, info, access)
    except ConfigurationError:
        raise
    except Exception:  # noqa: BLE001 - anything that google-auth and cryptography raise
        refusal = unusable_value(place, kind, info)
    # Without the cause: its text and its frames may hold the key.
    raise refusal


def adapted(credentials: Credentials, access: Access) -> Credentials:
    """Return credentials that were given as an object, for an access."""
    if access.impersonate:
        return _impersonated(credentials, access.impersonate, access)
    if access.subject:
        if not isinstance(credentials, SACredentials):
            raise ConfigurationError(_KEYLESS.format(f"of type {type(credentials).__name__}"))
        credentials = credentials.with_subject(access.subject)
    if isinstance(credentials, impersonated_credentials.Credentials) and access.is_limited:
        # Its own with_scopes() forgets the subject.
        credentials = copy.copy(credentials)
        credentials._target_scopes = list(access.scopes)  # noqa: SLF001 - there is no public way
    elif isinstance(credentials, Scoped) and (access.is_limited or credentials.requires_scopes):
        scoped: Any = credentials
        credentials = scoped.with_scopes(list(access.scopes))
    return credentials


def token_sources(info: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what says where a workload's token is: in a file, and in the one within it."""
    within = info.get("source_credentials")
    holders = [info, within] if isinstance(within, dict) else [info]
    found = [holder.get("credential_source") for holder in holders]
    return [source for source in found if isinstance(source, dict)]


def programs_in(info: dict[str, Any]) -> list[str]:
    """Return the programs that a credentials file may have google-auth run."""
    found = [source.get("executable") for source in token_sources(info)]
    commands = [one.get("command") for one in found if isinstance(one, dict)]
    programs = [_program(command) for command in commands if isinstance(command, str)]
    return [program for program in programs if program]


def _program(command: str) -> str:
    """Return the program that a command runs; '' for none."""
    try:
        # Not the arguments, which may be secret.
        return next(iter(shlex.split(command)), "")
    except ValueError:
        return command.split(maxsplit=1)[0]


def _check_program(place: str, info: dict[str, Any]) -> None:
    programs = programs_in(info)
    if programs and os.environ.get(_ALLOWING) != "1":
        raise ConfigurationError(
            f"{place} names a program to run, {' and '.join(programs)}: programs run only where "
            f"{_ALLOWING}=1 is set in the server's environment"
        )


def _made(kind: FileKind, info: dict[str, Any], access: Access) -> Credentials:
    if access.impersonate:
        return _impersonated(_source(kind, info), access.impersonate, access)
    target = _target(info)
    if kind is EXTERNAL_ACCOUNT and (access.subject is None or not target):
        _check_subject(kind, access)
        return _external_account(info, list(access.scopes))
    if target:
        return _impersonated(_source_in(kind, info), target, access, info)
    if kind is not SERVICE_ACCOUNT:
        _check_subject(kind, access)
    if kind is EXTERNAL_USER and access.is_limited:
        raise ConfigurationError(
            "--scopes cannot limit the credentials of an external account's authorised user: they "
            "have the scopes of its login"
        )
    return _plain(kind, info, list(access.scopes), access.subject)


def _check_subject(kind: FileKind, access: Access) -> None:
    if access.subject:
        raise ConfigurationError(_KEYLESS.format(kind.name))


def _plain(
    kind: FileKind, info: dict[str, Any], scopes: list[str] | None, subject: str | None = None
) -> Credentials:
    """Return credentials that impersonate nobody; no scopes are those of the file."""
    if kind is SERVICE_ACCOUNT:
        made: Credentials = SACredentials.from_service_account_info(
            info, scopes=scopes, subject=subject
        )
    elif kind is AUTHORIZED_USER:
        # Not the token that the file may hold: it may have more scopes.
        own = {name: value for name, value in info.items() if name not in ("token", "expiry")}
        made = OAuthCredentials.from_authorized_user_info(own, scopes)
    elif kind is EXTERNAL_USER:
        own = {name: value for name, value in info.items() if name not in ("token", "expiry")}
        made = external_account_authorized_user.Credentials.from_info(own)
    else:
        made = _external_account(info, scopes)
    return made


def _external_account(info: dict[str, Any], scopes: list[str] | None) -> Credentials:
    source = info.get("credential_source")
    external: type[external_account.Credentials] = identity_pool.Credentials
    if info.get("subject_token_type") == _AWS:
        external = aws.Credentials
    elif isinstance(source, dict) and source.get("executable") is not None:
        external = pluggable.Credentials
    made: Credentials = external.from_info(info, scopes=scopes)
    return made


def _target(info: dict[str, Any]) -> str:
    """Return the service account that a file impersonates; '' for none."""
    url = info.get(_IMPERSONATION[0])
    if not isinstance(url, str) or ":generateAccessToken" not in url:
        return ""
    return url.partition(":generateAccessToken")[0].rpartition("/")[2]


def _source_in(kind: FileKind, info: dict[str, Any]) -> Credentials:
    """Return the credentials as which a file's account impersonates another one."""
    if kind is EXTERNAL_ACCOUNT:
        own = {name: value for name, value in info.items() if name not in _IMPERSONATION}
        return _plain(kind, own, None)
    within = info.get("source_credentials")
    found = kind_of(within, _SOURCES) if isinstance(within, dict) else None
    if within is None or found is None:
        raise ValueError("no source_credentials of a known kind")
    return _plain(found, within, None)


def _source(kind: FileKind, info: dict[str, Any]) -> Credentials:
    """Return a file's own credentials, as which another account is impersonated."""
    target = _target(info)
    if target and kind is not EXTERNAL_ACCOUNT:
        return impersonated_credentials.Credentials(
            _source_in(kind, info), target, [], delegates=info.get("delegates")
        )
    return _plain(kind, info, None)


def _impersonated(
    source: Credentials, target: str, access: Access, info: dict[str, Any] | None = None
) -> Credentials:
    info = info or {}
    # Only where it is needed: google-auth before 2.38 has no such argument.
    subject = {"subject": access.subject} if access.subject else {}
    try:
        made: Credentials = impersonated_credentials.Credentials(
            source,
            target,
            list(access.scopes),
            delegates=info.get("delegates"),
            quota_project_id=info.get("quota_project_id"),
            **subject,
        )
    except TypeError:
        if not subject:
            raise
        raise ConfigurationError(
            "--subject with an impersonated account needs google-auth 2.38 or newer, and "
            f"{version('google-auth')} is installed"
        ) from None
    except GoogleAuthError as error:
        raise ConfigurationError(f"--impersonate {target} cannot be used: {error}") from None
    return made
