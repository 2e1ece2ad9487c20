"""Sends requests for Google to another URL instead: an emulator's, or a proxy's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit, urlunsplit

import requests
from google.auth.exceptions import TransportError
from google.auth.transport import Request as TransportRequest
from google.auth.transport.requests import AuthorizedSession
from google.auth.transport.requests import Request as RequestsRequest

from queued_gspread.errors import ConfigurationError

from .session import without_redirects

if TYPE_CHECKING:
    import gspread
    from google.auth.credentials import Credentials

__all__ = ["check_endpoint", "redirected", "session_without_lookups"]


def check_endpoint(url: str) -> str:
    """Return the URL, or raise :class:`ConfigurationError` if requests cannot be sent to it."""
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.hostname and not parts.query:
        return url.rstrip("/")
    raise ConfigurationError(f"API endpoint {url!r} cannot be used: take http://HOST:PORT")


def redirected(http: type[gspread.HTTPClient], api_endpoint: str) -> type[gspread.HTTPClient]:
    """Return a class of HTTP client that sends requests for Google's hosts to a URL."""

    class Redirected(http):  # type: ignore[misc, valid-type]  # the base is a variable
        """Sends to the API endpoint and keeps the path."""

        def request(self, method: str, endpoint: str, *args: Any, **kwargs: Any) -> Any:
            """Send a request."""
            return super().request(method, _at(api_endpoint, endpoint), *args, **kwargs)

    Redirected.api_endpoint = api_endpoint
    return Redirected


def _at(api_endpoint: str, endpoint: str) -> str:
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    if not host.endswith(".googleapis.com") and host != "docs.google.com":
        return endpoint
    return api_endpoint + urlunsplit(("", "", parts.path, parts.query, parts.fragment))


def session_without_lookups(credentials: Credentials) -> AuthorizedSession:
    """Return a session that connects only to the credentials' own token endpoint.

    Otherwise google-auth would look up a service account's allowed locations at
    iamcredentials.googleapis.com in the background.
    """
    return AuthorizedSession(credentials, auth_request=_TokenRequest())


class _TokenRequest(TransportRequest):
    """A google-auth transport for the token endpoint alone.

    It cannot be copied: google-auth skips the look-up if it cannot copy the transport for a thread.
    """

    def __init__(self) -> None:
        self._request = RequestsRequest(without_redirects(requests.Session()))

    def __call__(self, url: str, *args: Any, **kwargs: Any) -> Any:
        if urlsplit(url).hostname == "iamcredentials.googleapis.com":
            raise TransportError(f"{url} is not asked when requests go to another API endpoint")
        return self._request(url, *args, **kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> NoReturn:
        raise TypeError("cannot be copied")
