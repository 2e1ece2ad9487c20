"""Where a server's credentials come from: its options, each a source that can be loaded."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import google.auth
from google.auth.api_key import Credentials as APIKeyCredentials
from google.auth.credentials import Credentials, CredentialsWithQuotaProject
from google.auth.exceptions import GoogleAuthError, MalformedError
from gspread.auth import DEFAULT_AUTHORIZED_USER_FILENAME, DEFAULT_SERVICE_ACCOUNT_FILENAME

from queued_gspread._variables import ENV_PREFIX
from queued_gspread.errors import ConfigurationError

from .access import Access, scopes_of
from .credential_file import checked, content_of, is_content, parsed
from .file_kinds import ALL_KINDS, AUTHORIZED_USER, EXTERNAL_ACCOUNT, IMPERSONATED, SERVICE_ACCOUNT
from .foreign import named_files, tell_of_places, urls_in, urls_of
from .making import adapted, credentials_from
from .watched_file import WatchedFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .file_kinds import FileKind

__all__ = ["CREDENTIALS_JSON", "CredentialsText", "Named", "Source", "lender_sources", "source_of"]

CREDENTIALS_JSON: Final = f"{ENV_PREFIX}CREDENTIALS_JSON"
_VARIABLE: Final = "GOOGLE_APPLICATION_CREDENTIALS"
_QUOTA_PROJECT: Final = "GOOGLE_CLOUD_QUOTA_PROJECT"
_CLOUD: Final = "https://www.googleapis.com/auth/cloud-platform"
_NO_CONSENT: Final = "invalid_grant"
# By what Google says: advice with a subject, and the scopes.
_OF_SUBJECTS: Final = {
    "unauthorized_client": "To act for {}, an administrator of that domain has to delegate to the "
    "account's client id at least these scopes: {} (admin.google.com: Security, API controls, "
    "Domain-wide delegation), or --scopes has to name delegated ones alone",
    "Invalid email or User ID": "Google knows no user {}: start the server with the address of one "
    "(--subject)",
}
# What has no consent that could end.
_KEYS: Final = (SERVICE_ACCOUNT.type, EXTERNAL_ACCOUNT.type)


class CredentialsText(str):
    """The text of a credentials file, out of an environment variable."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return no part of the text."""
        return f"<{CREDENTIALS_JSON}>"


@dataclass(frozen=True)
class Named:
    """The credentials that options name; the names are those of ``Server``."""

    credentials: str | Path | Mapping[str, Any] | Credentials | None = field(
        default=None, repr=False
    )
    service_account: str | Path | Sequence[str | Path] | None = None
    oauth: bool | str | Path = False
    adc: bool = False
    api_key: str | None = field(default=None, repr=False)
    subject: str | None = None
    impersonate: str | None = None
    scopes: str | Iterable[str] | None = None

    def __post_init__(self) -> None:
        """Spell the scopes as Google does.

        Raises:
            ConfigurationError: A scope is unknown.

        """
        object.__setattr__(self, "scopes", scopes_of(self.scopes or ()))

    @property
    def options(self) -> list[str]:
        """The options that name credentials."""
        is_text = isinstance(self.credentials, CredentialsText)
        key_files = self.key_files
        chosen = {
            CREDENTIALS_JSON if is_text else "--credentials": self.credentials is not None,
            "--service-account": key_files,
            "--oauth": self.oauth,
            "--adc": self.adc,
            "--api-key": self.api_key,
        }
        return [option for option, value in chosen.items() if value]

    @property
    def key_files(self) -> tuple[str | Path, ...]:
        """The key files of service accounts, the namespace's own first; () for the usual place.

        Raises:
            ConfigurationError: There are several, and one has an empty name.

        """
        given: Any = self.service_account
        files = tuple(given) if isinstance(given, (list, tuple)) else (given,)
        if not any(files):
            return ()
        if not all(files):
            raise ConfigurationError(
                f"one of the {len(files)} key files of --service-account has an empty name: name "
                "it, or leave it out"
            )
        return files


class Source:
    """What a server's credentials are made of.

    Args:
        place: What it is, for errors.
        kinds: The kinds of files that it may hold.
        access: What the credentials are for.
        path: The file; None if the fields are given.
        info: The fields, or their text, if they are given.
        project: The project whose quota is used, if the environment names one.

    """

    def __init__(
        self,
        place: str,
        kinds: Sequence[FileKind],
        access: Access,
        path: Path | None = None,
        info: Any = None,
        project: str | None = None,
    ) -> None:
        self._project = project
        self._place = place
        self._kinds = kinds
        self._access = access
        self._path = path
        self._given = info
        self._info: dict[str, Any] = {}
        self._kind: FileKind | None = None
        self._last: tuple[FileKind | None, dict[str, Any]] = (None, {})
        self.file: WatchedFile | None = None
        if path is not None:
            self.file = WatchedFile(path, self._read, self._files, self._take)

    def load(self) -> Credentials:
        """Return the credentials."""
        if self.file is not None:
            return self.file.load()
        found = self._read()
        self._take()
        return found

    @property
    def urls(self) -> list[str]:
        """The URLs that it names."""
        return urls_in(self._info)

    def remedy(self, reason: str) -> str:
        """Return how to renew what Google has refused; '' if only the log can say."""
        if self._access.subject:
            about = [advice for words, advice in _OF_SUBJECTS.items() if words in reason]
            if about:
                return about[0].format(self._access.subject, ",".join(self._access.scopes))
        is_nested = self._kind is IMPERSONATED
        source = self._info["source_credentials"] if is_nested else self._info
        if self._kind is None or source.get("type") in _KEYS or _NO_CONSENT not in reason:
            return ""
        then = "the server goes on with the new file" if self._path else "start the server with it"
        return (
            "Google has ended the consent of the server's OAuth account, as it does after seven "
            "days if the app is in testing. Give it anew, where there is a browser: "
            f"{self._consent}; {then}"
        )

    @property
    def _consent(self) -> str:
        """What to run for a new consent."""
        if self._path is not None and self._path == _gcloud_file():
            scopes = ",".join((_CLOUD, *self._access.scopes))
            return f"`gcloud auth application-default login --scopes={scopes}`"
        if self._kind is not None and self._kind is not AUTHORIZED_USER:
            return self._kind.remedy
        file = str(self._path or "authorized_user.json")
        is_usual = self._path == DEFAULT_AUTHORIZED_USER_FILENAME
        named = "" if is_usual else f"authorized_user_filename={file!r}"
        return f'`rm {shlex.quote(file)}` and `python -c "import gspread; gspread.oauth({named})"`'

    def _read(self) -> Credentials:
        content = self._given
        if self._path is not None:
            content = parsed(self._place, content_of(self._path, self._kinds), self._kinds)
        elif isinstance(content, str):
            content = parsed(self._place, content.encode(errors="replace"), self._kinds)
        kind, info = checked(self._place, content, self._kinds)
        found = credentials_from(self._place, kind, info, self._access)
        if self._project and isinstance(found, CredentialsWithQuotaProject):
            # Its own method may forget the subject.
            found._quota_project_id = self._project  # noqa: SLF001 - google-auth's name
        self._last = kind, info
        return found

    def _take(self) -> None:
        """Note what was read last: credentials of another account are read, but not taken."""
        is_new = self._last[1] != self._info
        self._kind, self._info = self._last
        if is_new:
            tell_of_places(self._place, self._info)

    def _files(self) -> list[str]:
        return named_files(self._info)


class GivenSource:
    """Credentials that are there as an object already.

    Args:
        credentials: The credentials.

    """

    file = None

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def load(self) -> Credentials:
        """Return the credentials."""
        return self._credentials

    @property
    def urls(self) -> list[str]:
        """The URLs of token endpoints that they name."""
        return urls_of(self._credentials)

    def remedy(self, reason: str) -> str:
        """Return '': only the log can say."""
        _ = reason
        return ""


AnySource = Source | GivenSource


def source_of(named: Named) -> AnySource:
    """Return the source of the credentials that options name.

    Raises:
        ConfigurationError: Several are named, or they exclude another option.

    """
    options = named.options
    if len(options) > 1:
        raise ConfigurationError(
            f"{' and '.join(options)} exclude each other: take one, and look into the environment "
            f"too ({ENV_PREFIX}SERVICE_ACCOUNT for --service-account, and so on)"
        )
    access = Access.of(named.scopes, named.subject, named.impersonate)
    if named.credentials is not None:
        return _of_any(named.credentials, access)
    if named.oauth:
        path = DEFAULT_AUTHORIZED_USER_FILENAME if named.oauth is True else named.oauth
        return _of_file(_expanded(path), (AUTHORIZED_USER,), access)
    if named.adc:
        return _application_default(access)
    if named.api_key:
        return _api_key(named.api_key, named)
    first = next(iter(named.key_files), None)
    return _of_file(_service_account_path(first), (SERVICE_ACCOUNT,), access)


def lender_sources(named: Named) -> list[Source]:
    """Return the sources of the accounts that lend their quota to the first; [] for one account.

    Raises:
        ConfigurationError: An option makes one account of all of them.

    """
    others = named.key_files[1:]
    as_one = {"--subject": named.subject, "--impersonate": named.impersonate}
    if others and (options := [option for option, value in as_one.items() if value]):
        raise ConfigurationError(
            f"{options[0]} and several of --service-account exclude each other: all of them would "
            "send as one account, which has one quota. Take one --service-account"
        )
    access = Access.of(named.scopes, None, None)
    return [_of_file(_service_account_path(path), (SERVICE_ACCOUNT,), access) for path in others]


def _of_any(given: Any, access: Access) -> AnySource:
    if isinstance(given, Credentials):
        return GivenSource(adapted(given, access))
    if isinstance(given, CredentialsText):
        return Source(CREDENTIALS_JSON, ALL_KINDS, access, info=given)
    if isinstance(given, Mapping):
        return Source("what is given as credentials=", ALL_KINDS, access, info=dict(given))
    if not isinstance(given, (str, os.PathLike)):
        # Without the value, which may hold a key.
        raise ConfigurationError(
            f"credentials is of type {type(given).__name__}: take the name of a credentials file, "
            "its content as a dict, or credentials of google-auth"
        )
    return _of_file(_expanded(given), ALL_KINDS, access)


def _of_file(path: Path, kinds: Sequence[FileKind], access: Access) -> Source:
    return Source(f"credentials file {path}", kinds, access, path)


def _expanded(given: Any) -> Path:
    return Path(os.path.expanduser(given))  # noqa: PTH111 - Path.expanduser raises without a home


def _service_account_path(given: str | Path | None) -> Path:
    if not isinstance(given, (str, os.PathLike, type(None))):
        # Without the value, which may hold a key.
        raise ConfigurationError(
            f"service_account is of type {type(given).__name__}: take the name of a key file"
        )
    if given:
        return _expanded(given)
    variable = os.environ.get(_VARIABLE)
    if DEFAULT_SERVICE_ACCOUNT_FILENAME.exists() or not variable:
        return DEFAULT_SERVICE_ACCOUNT_FILENAME
    return Path(variable)


def _gcloud_file() -> Path:
    """Return where gcloud puts Application Default Credentials."""
    from google.auth import _cloud_sdk  # noqa: PLC0415 - google-auth has no public name for it

    return Path(_cloud_sdk.get_application_default_credentials_path())


def _application_default(access: Access) -> AnySource:
    """Return Application Default Credentials: in google-auth's order, but files by their kinds."""
    named = os.environ.get(_VARIABLE, "")
    if is_content(named):
        raise ConfigurationError(f"{_VARIABLE} holds the content of a file: name that file instead")
    project = os.environ.get(_QUOTA_PROJECT)
    if named:
        place = f"--adc: {_VARIABLE}, credentials file {named},"
        return Source(place, ALL_KINDS, access, Path(named), project=project)
    if (file := _gcloud_file()).is_file():
        return Source(f"credentials file {file}", ALL_KINDS, access, file, project=project)
    try:
        credentials, _ = google.auth.default(scopes=list(access.scopes))
    except GoogleAuthError as error:
        raise ConfigurationError(
            f"--adc found none ({_reason(error)}): have {_VARIABLE} name a credentials file, or "
            "run `gcloud auth application-default login`"
        ) from None
    return GivenSource(adapted(credentials, access))


def _reason(error: GoogleAuthError) -> str:
    # Nested errors that are not google-auth's own may quote a key.
    return ": ".join(str(told) for told in error.args if isinstance(told, (str, MalformedError)))


def _api_key(key: str, named: Named) -> GivenSource:
    given = {
        "--subject": named.subject,
        "--impersonate": named.impersonate,
        "--scopes": named.scopes,
    }
    if options := [option for option, value in given.items() if value]:
        raise ConfigurationError(
            f"{' and '.join(options)} cannot be used with --api-key: a key acts for nobody, and "
            "reads what is shared with everybody"
        )
    return GivenSource(APIKeyCredentials(key))
