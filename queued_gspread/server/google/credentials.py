"""Makes the server's gspread client from its credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import gspread
from google.auth.transport.requests import AuthorizedSession
from requests.adapters import HTTPAdapter

from queued_gspread.server.log import LOGGER

from .endpoint import check_endpoint, redirected, session_without_lookups
from .sources import Named, source_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.auth.credentials import Credentials

    from .sources import AnySource

__all__ = ["client_of", "make_client", "retries_by_itself", "warn_of_retries"]

_CONNECTIONS: Final = 64


def make_client(*, api_endpoint: str | None = None, **named: Any) -> gspread.Client:
    """Return a gspread client with the credentials that options name.

    Args:
        api_endpoint: Where it sends its requests instead of to Google.
        named: See :class:`.sources.Named`.

    Raises:
        ConfigurationError: Several credentials are named, or a file is missing, malformed or of
            the wrong type; the text says which file and what was expected.

    """
    return client_of(source_of(Named(**named)), api_endpoint)


def client_of(source: AnySource, api_endpoint: str | None) -> gspread.Client:
    """Return a gspread client with a source's credentials; see :func:`make_client`."""
    return _client(source.load(), api_endpoint, source.urls)


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


def _client(
    credentials: Credentials, api_endpoint: str | None, token_urls: Sequence[str] = ()
) -> gspread.Client:
    http: type[gspread.HTTPClient] = gspread.HTTPClient
    if api_endpoint:
        api_endpoint = check_endpoint(api_endpoint)
        session = session_without_lookups(credentials, api_endpoint, token_urls)
        http = redirected(http, api_endpoint)
    else:
        session = AuthorizedSession(credentials)
    adapter = HTTPAdapter(pool_maxsize=_CONNECTIONS)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    client = gspread.Client(credentials, session=session, http_client=http)
    # gspread does not set this when it is given a session.
    client.http_client.auth = credentials
    return client
