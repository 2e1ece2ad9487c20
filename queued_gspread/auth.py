"""gspread's ``auth`` module, queued: nothing here sends to Google or runs a consent flow.

Every function has gspread's signature plus seven keyword-only arguments: ``redis_url``,
``namespace``, ``timeout``, ``grace``, ``signing_key_file``, ``caller`` and ``max_age``, see
:func:`authorize`.
The credentials only say which account the calls are meant for; the server makes the calls with its
own.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from google.auth.api_key import Credentials as APIKeyCredentials
from google.auth.credentials import Credentials
from google.oauth2.credentials import Credentials as OAuthCredentials
from google.oauth2.service_account import Credentials as SACredentials
from gspread.auth import (
    DEFAULT_AUTHORIZED_USER_FILENAME,
    DEFAULT_CONFIG_DIR,
    DEFAULT_CREDENTIALS_FILENAME,
    DEFAULT_SCOPES,
    DEFAULT_SERVICE_ACCOUNT_FILENAME,
    GOOGLE_AUTH_API_KEY_AVAILABLE,
    READONLY_SCOPES,
    FlowCallable,
    get_config_dir,
    load_credentials,
    store_credentials,
)
from gspread.http_client import HTTPClientType
from requests import Session

from queued_gspread.errors import QueuedGspreadError
from queued_gspread.protocol.identity import Scoped

if TYPE_CHECKING:
    # To a type checker the queued classes are gspread's: what calls return comes from there.
    from gspread import Client, HTTPClient
else:
    from queued_gspread.proxy import Client, HTTPClient

__all__ = [
    "DEFAULT_AUTHORIZED_USER_FILENAME",
    "DEFAULT_CONFIG_DIR",
    "DEFAULT_CREDENTIALS_FILENAME",
    "DEFAULT_SCOPES",
    "DEFAULT_SERVICE_ACCOUNT_FILENAME",
    "GOOGLE_AUTH_API_KEY_AVAILABLE",
    "READONLY_SCOPES",
    "Client",
    "FlowCallable",
    "HTTPClient",
    "api_key",
    "authorize",
    "get_config_dir",
    "load_credentials",
    "local_server_flow",
    "oauth",
    "oauth_from_dict",
    "service_account",
    "service_account_from_dict",
    "store_credentials",
]


def authorize(
    credentials: Credentials | None = None,
    http_client: HTTPClientType = HTTPClient,
    session: Session | None = None,
    *,
    redis_url: str | None = None,
    namespace: str | None = None,
    timeout: float | None = None,
    grace: float | None = None,
    signing_key_file: str | Path | None = None,
    caller: str | None = None,
    max_age: float | None = None,
) -> Client:
    """Return a client whose calls are made by the server.

    Args:
        credentials: The account that the calls are meant for. They stay in this process; only
            their e-mail address, subject and scopes are sent to the server. None means the
            server's account, whichever that is.
        http_client: Used if it derives from :class:`queued_gspread.HTTPClient`; any other is
            accepted and ignored, since the server does the sending.
        session: See :class:`queued_gspread.Client`.
        redis_url: The Redis that holds the queue; by default ``QUEUED_GSPREAD_REDIS_URL``,
            else ``redis://localhost:6379/0``.
        namespace: The queue within that Redis; by default ``QUEUED_GSPREAD_NAMESPACE``, else
            ``default``.
        timeout: Seconds that a caller waits for an answer; by default
            ``QUEUED_GSPREAD_TIMEOUT``, else without a limit while a server is alive.
        grace: Seconds without a living server after which a waiting caller gives up; by default
            ``QUEUED_GSPREAD_GRACE``, else 10.
        signing_key_file: The file with the key that signs jobs and replies; by default
            ``QUEUED_GSPREAD_SIGNING_KEY_FILE``, else they are not signed.
        caller: A name for whoever makes the calls, which logs and errors show before the host and
            process; by default ``QUEUED_GSPREAD_CALLER``, else none.
        max_age: Seconds: how old the answers to reads may be, see :func:`queued_gspread.max_age`;
            by default ``QUEUED_GSPREAD_MAX_AGE``, else 0: Google is always asked.

    Raises:
        TypeError: The session would send requests past the queue.
        ConfigurationError: A setting cannot be used.

    """
    queued: Any = Client
    client: Client = queued(
        credentials,
        session,
        http_client,
        redis_url=redis_url,
        namespace=namespace,
        timeout=timeout,
        grace=grace,
        signing_key_file=signing_key_file,
        caller=caller,
        max_age=max_age,
    )
    return client


def local_server_flow(
    client_config: Mapping[str, Any],  # noqa: ARG001 - gspread's signature
    scopes: Iterable[str],  # noqa: ARG001 - gspread's signature
    port: int = 0,  # noqa: ARG001 - gspread's signature
) -> OAuthCredentials:
    """Refuse to run: a user is asked for consent where the server runs.

    Raises:
        QueuedGspreadError: Always.

    """
    raise QueuedGspreadError(
        "a client of the queue needs no consent flow: run gspread.oauth() once where "
        "queued-gspread-server runs, then start the server with --oauth"
    )


def oauth(
    scopes: Iterable[str] = DEFAULT_SCOPES,
    flow: FlowCallable = local_server_flow,  # noqa: ARG001 - gspread's signature
    credentials_filename: str | Path = DEFAULT_CREDENTIALS_FILENAME,  # noqa: ARG001 - the same
    authorized_user_filename: str | Path = DEFAULT_AUTHORIZED_USER_FILENAME,
    http_client: HTTPClientType = HTTPClient,
    *,
    redis_url: str | None = None,
    namespace: str | None = None,
    timeout: float | None = None,
    grace: float | None = None,
    signing_key_file: str | Path | None = None,
    caller: str | None = None,
    max_age: float | None = None,
) -> Client:
    """Return a client for the user of an authorised-user file, if the file exists.

    The keyword-only arguments are those of :func:`authorize`. No consent flow is run: the
    server has its own authorisation (``--oauth``).
    """
    user = load_credentials(Path(authorized_user_filename))
    asked_for: Any = Scoped(tuple(scopes))
    return authorize(
        user or asked_for,
        http_client,
        redis_url=redis_url,
        namespace=namespace,
        timeout=timeout,
        grace=grace,
        signing_key_file=signing_key_file,
        caller=caller,
        max_age=max_age,
    )


def oauth_from_dict(
    credentials: Mapping[str, Any] | None = None,
    authorized_user_info: Mapping[str, Any] | None = None,
    scopes: Iterable[str] = DEFAULT_SCOPES,
    flow: FlowCallable = local_server_flow,  # noqa: ARG001 - gspread's signature
    http_client: HTTPClientType = HTTPClient,
    *,
    redis_url: str | None = None,
    namespace: str | None = None,
    timeout: float | None = None,
    grace: float | None = None,
    signing_key_file: str | Path | None = None,
    caller: str | None = None,
    max_age: float | None = None,
) -> tuple[Client, dict[str, Any]]:
    """Return a client and the authorised user's info.

    The keyword-only arguments are those of :func:`authorize`. No consent flow is run: the
    server has its own authorisation (``--oauth``).

    Raises:
        ValueError: Neither credentials nor an authorised user were given.

    """
    if authorized_user_info is None and credentials is None:
        raise ValueError("no credentials object supplied")
    user = None
    if authorized_user_info is not None:
        user = OAuthCredentials.from_authorized_user_info(authorized_user_info, scopes)
    asked_for: Any = Scoped(tuple(scopes))
    client = authorize(
        user or asked_for,
        http_client,
        redis_url=redis_url,
        namespace=namespace,
        timeout=timeout,
        grace=grace,
        signing_key_file=signing_key_file,
        caller=caller,
        max_age=max_age,
    )
    # gspread's annotation says dict, but it returns this text.
    info = user.to_json("token") if user is not None else json.dumps({})
    return client, cast("dict[str, Any]", info)


def service_account(
    filename: Path | str = DEFAULT_SERVICE_ACCOUNT_FILENAME,
    scopes: Iterable[str] = DEFAULT_SCOPES,
    http_client: HTTPClientType = HTTPClient,
    *,
    redis_url: str | None = None,
    namespace: str | None = None,
    timeout: float | None = None,
    grace: float | None = None,
    signing_key_file: str | Path | None = None,
    caller: str | None = None,
    max_age: float | None = None,
) -> Client:
    """Return a client for a service account; for the server's own if the file does not exist.

    The keyword-only arguments are those of :func:`authorize`.

    Raises:
        ValueError: google-auth's own: the file exists but is not a service account file.

    """
    credentials: Any = Scoped(tuple(scopes))
    if Path(filename).exists():
        credentials = SACredentials.from_service_account_file(filename, scopes=scopes)
    return authorize(
        credentials,
        http_client,
        redis_url=redis_url,
        namespace=namespace,
        timeout=timeout,
        grace=grace,
        signing_key_file=signing_key_file,
        caller=caller,
        max_age=max_age,
    )


def service_account_from_dict(
    info: Mapping[str, Any],
    scopes: Iterable[str] = DEFAULT_SCOPES,
    http_client: HTTPClientType = HTTPClient,
    *,
    redis_url: str | None = None,
    namespace: str | None = None,
    timeout: float | None = None,
    grace: float | None = None,
    signing_key_file: str | Path | None = None,
    caller: str | None = None,
    max_age: float | None = None,
) -> Client:
    """Return a client for a service account.

    The keyword-only arguments are those of :func:`authorize`.

    Raises:
        ValueError: google-auth's own: this is not a service account's info.

    """
    credentials = SACredentials.from_service_account_info(info, scopes=scopes)
    return authorize(
        credentials,
        http_client,
        redis_url=redis_url,
        namespace=namespace,
        timeout=timeout,
        grace=grace,
        signing_key_file=signing_key_file,
        caller=caller,
        max_age=max_age,
    )


def api_key(
    token: str,
    http_client: HTTPClientType = HTTPClient,
    *,
    redis_url: str | None = None,
    namespace: str | None = None,
    timeout: float | None = None,
    grace: float | None = None,
    signing_key_file: str | Path | None = None,
    caller: str | None = None,
    max_age: float | None = None,
) -> Client:
    """Return a client; its calls use the server's credentials, not this key.

    The keyword-only arguments are those of :func:`authorize`.
    """
    return authorize(
        APIKeyCredentials(token),
        http_client,
        redis_url=redis_url,
        namespace=namespace,
        timeout=timeout,
        grace=grace,
        signing_key_file=signing_key_file,
        caller=caller,
        max_age=max_age,
    )
