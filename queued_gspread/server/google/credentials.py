"""Makes the server's gspread client from its options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import google.auth
import gspread
from google.auth.exceptions import GoogleAuthError, MalformedError
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials as OAuthCredentials
from google.oauth2.service_account import Credentials as SACredentials
from gspread.auth import (
    DEFAULT_AUTHORIZED_USER_FILENAME,
    DEFAULT_SCOPES,
    DEFAULT_SERVICE_ACCOUNT_FILENAME,
)
from requests.adapters import HTTPAdapter

from queued_gspread._variables import ENV_PREFIX
from queued_gspread.errors import ConfigurationError
from queued_gspread.server.log import LOGGER

from .credential_file import AUTHORIZED_USER, SERVICE_ACCOUNT, is_content, read
from .endpoint import check_endpoint, redirected, session_without_lookups
from .key_file import KeyFile

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

__all__ = ["key_file", "make_client", "retries_by_itself", "warn_of_retries"]

_CONNECTIONS: Final = 64
_VARIABLE: Final = "GOOGLE_APPLICATION_CREDENTIALS"


def make_client(
    *,
    service_account: str | Path | None = None,
    oauth: bool = False,
    adc: bool = False,
    api_key: str | None = None,
    api_endpoint: str | None = None,
) -> gspread.Client:
    """Return a gspread client with the credentials that the options name.

    Raises:
        ConfigurationError: Several credentials are named, or a file is missing, malformed or of
            the wrong type; the text says which file and what was expected.

    """
    chosen = {
        "--service-account": service_account,
        "--oauth": oauth,
        "--adc": adc,
        "--api-key": api_key,
    }
    named = [option for option, value in chosen.items() if value]
    if len(named) > 1:
        raise ConfigurationError(
            f"{' and '.join(named)} exclude each other: take one, and look into the environment "
            f"too ({ENV_PREFIX}SERVICE_ACCOUNT for --service-account, and so on)"
        )
    if oauth:
        credentials = _oauth()
    elif adc:
        credentials = _application_default()
    elif api_key:
        credentials = _api_key(api_key)
    else:
        credentials = _service_account(_service_account_path(service_account))
    return _client(credentials, api_endpoint)


def key_file(
    service_account: str | Path | None = None,
    *,
    oauth: bool = False,
    adc: bool = False,
    api_key: str | None = None,
) -> KeyFile | None:
    """Return the service account's key file if the credentials come from one."""
    if oauth or adc or api_key:
        return None
    return KeyFile(_service_account_path(service_account), _service_account)


def retries_by_itself(client: gspread.Client) -> bool:
    """Return whether a client's HTTP client retries requests on its own."""
    http = client.http_client
    adapters = getattr(getattr(http, "session", None), "adapters", {}).values()
    retries = [getattr(adapter, "max_retries", None) for adapter in adapters]
    return isinstance(http, gspread.BackOffHTTPClient) or any(
        getattr(retry, "total", 0) for retry in retries
    )


def warn_of_retries(client: gspread.Client) -> None:
    """Log a warning if a client's HTTP client retries requests on its own."""
    if retries_by_itself(client):
        LOGGER.warning(
            "the client's HTTP client, %s, or an adapter of its session repeats requests by "
            "itself, appends included: take gspread.HTTPClient, and adapters without retries",
            type(client.http_client).__name__,
        )


def _client(credentials: Credentials, api_endpoint: str | None) -> gspread.Client:
    http: type[gspread.HTTPClient] = gspread.HTTPClient
    if api_endpoint:
        session = session_without_lookups(credentials)
        http = redirected(http, check_endpoint(api_endpoint))
    else:
        session = AuthorizedSession(credentials)
    adapter = HTTPAdapter(pool_maxsize=_CONNECTIONS)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    client = gspread.Client(credentials, session=session, http_client=http)
    # gspread does not set this when it is given a session.
    client.http_client.auth = credentials
    return client


def _service_account(path: Path) -> SACredentials:
    def make(info: Any) -> SACredentials:
        made: SACredentials = SACredentials.from_service_account_info(info, scopes=DEFAULT_SCOPES)
        return made

    return read(path, SERVICE_ACCOUNT, make)


def _service_account_path(given: str | Path | None) -> Path:
    if not isinstance(given, (str, os.PathLike, type(None))):
        # Without the value, which may hold a key.
        raise ConfigurationError(
            f"service_account is of type {type(given).__name__}: take the name of a key file"
        )
    if given:
        return Path(os.path.expanduser(given))  # noqa: PTH111 - Path.expanduser raises without a home
    variable = os.environ.get(_VARIABLE)
    if DEFAULT_SERVICE_ACCOUNT_FILENAME.exists() or not variable:
        return DEFAULT_SERVICE_ACCOUNT_FILENAME
    return Path(variable)


def _oauth() -> Credentials:
    def make(info: Any) -> Credentials:
        made: Credentials = OAuthCredentials.from_authorized_user_info(info, DEFAULT_SCOPES)
        return made

    return read(DEFAULT_AUTHORIZED_USER_FILENAME, AUTHORIZED_USER, make)


def _application_default() -> Credentials:
    named = os.environ.get(_VARIABLE, "")
    if is_content(named):
        raise ConfigurationError(f"{_VARIABLE} holds the content of a file: name that file instead")
    try:
        credentials, _ = google.auth.default(scopes=DEFAULT_SCOPES)
    except GoogleAuthError as error:
        told = f"cannot use {_VARIABLE}={named!r}" if named else "found none"
        raise ConfigurationError(
            f"--adc {told} ({_reason(error)}): have {_VARIABLE} name a credentials file, or run "
            "`gcloud auth application-default login`"
        ) from None
    return credentials


def _reason(error: GoogleAuthError) -> str:
    # Nested errors that are not google-auth's own may quote a key.
    return ": ".join(str(told) for told in error.args if isinstance(told, (str, MalformedError)))


def _api_key(key: str) -> Credentials:
    from google.auth.api_key import Credentials as APIKeyCredentials  # noqa: PLC0415 - rare

    return APIKeyCredentials(key)
