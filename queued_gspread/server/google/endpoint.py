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
    from collections.abc import Sequence

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
    """Return where a request is sent; without an API endpoint, where it would be anyway."""
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    is_google = host.endswith(".googleapis.com") or host == "docs.google.com"
    if not (api_endpoint and is_google):
        return endpoint
    return api_endpoint + urlunsplit(("", "", parts.path, parts.query, parts.fragment))


def session_without_lookups(
    credentials: Credentials, api_endpoint: str = "", token_urls: Sequence[str] = ()
) -> AuthorizedSession:
    """Return a session that asks for tokens, but looks nothing else up.

    Otherwise google-auth would look up a service account's allowed locations at
    iamcredentials.googleapis.com in the background.

    Args:
        credentials: The credentials.
        api_endpoint: Where requests for Google's hosts are sent.
        token_urls: The URLs that the credentials name. If one is at the API endpoint, that stands
            in for Google's own token endpoints too, which some credentials have in google-auth's
            code. Else a proxy of Sheets would get the secrets that these are asked with.

    """
    parts = urlsplit(api_endpoint)
    is_there = any(urlsplit(url)[:2] == parts[:2] for url in token_urls)
    return AuthorizedSession(credentials, auth_request=_TokenRequest(api_endpoint * is_there))


class _TokenRequest(TransportRequest):
    """A google-auth transport for token endpoints alone.

    It cannot be copied: google-auth skips the look-up if it cannot copy the transport for a thread.
    """

    def __init__(self, api_endpoint: str) -> None:
        self._request = RequestsRequest(without_redirects(requests.Session()))
        self._api_endpoint = api_endpoint

    def __call__(self, url: str, *args: Any, **kwargs: Any) -> Any:
        is_lookup = not url.endswith((":generateAccessToken", ":signJwt"))
        if urlsplit(url).hostname == "iamcredentials.googleapis.com" and is_lookup:
            raise TransportError(f"{url} is not asked when requests go to another API endpoint")
        return self._request(_at(self._api_endpoint, url), *args, **kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> NoReturn:
        raise TypeError("cannot be copied")
