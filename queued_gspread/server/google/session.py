"""The session that requests are sent through: it applies the token and retries nothing."""

from __future__ import annotations

import contextlib
import copy
from typing import TYPE_CHECKING, Any, TypeVar

import requests
from google.auth.credentials import Credentials
from google.auth.exceptions import TransportError
from google.auth.transport.requests import AuthorizedSession, Request
from requests.adapters import HTTPAdapter

from queued_gspread.errors import ConfigurationError

from .fence import put_up
from .token_state import NoTokens
from .tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from datetime import datetime

    import gspread

    from queued_gspread.server.timing import Timing

    from .sources import AnySource
    from .token_state import AnyTokens

Session = TypeVar("Session", bound=requests.Session)

__all__ = ["Shared", "adopt", "without_redirects"]


class Shared(Credentials):
    """Credentials that apply the current token and leave refreshing to :class:`Tokens`.

    google-auth's own credentials would refresh during a request, and look up the account's allowed
    locations in the background.
    """

    def __init__(self, tokens: Tokens) -> None:
        # google-auth's constructor is not called: its attributes come from the real credentials.
        self._tokens = tokens

    @property
    def token(self) -> str | None:  # type: ignore[override]  # google-auth has an attribute
        """The current token."""
        token: str | None = self._tokens.credentials.token
        return token

    @property
    def expiry(self) -> datetime | None:  # type: ignore[override]  # the same
        """When it expires."""
        expiry: datetime | None = self._tokens.credentials.expiry
        return expiry

    def before_request(
        self, request: Any, method: str, url: str, headers: MutableMapping[str, str]
    ) -> None:
        """Apply the current token.

        Raises:
            TransportError: There is none yet.

        """
        _ = request, method, url
        if not (self.token or self._tokens.state().is_usable):
            raise TransportError("there is no access token yet")
        self._tokens.credentials.apply(headers)

    def refresh(self, request: Any) -> None:
        """Do nothing: :class:`Tokens` refreshes."""

    def __getattr__(self, name: str) -> Any:
        if name == "_tokens":
            # Copying looks attributes up before this one is set.
            raise AttributeError(name)
        return getattr(self._tokens.credentials, name)


def adopt(
    client: gspread.Client,
    *,
    request_timeout: float,
    refresh_every: float = 0.0,
    source: AnySource | None = None,
    timing: Timing | None = None,
    lends: bool = False,
) -> tuple[gspread.HTTPClient, AnyTokens]:
    """Return a copy of the client's HTTP client that retries nothing, and its tokens.

    The client itself is not changed. An HTTP client that overrides how requests are sent looks
    after its own tokens. One without a session, such as a test double, is used as it is.

    Args:
        client: Any gspread client.
        request_timeout: Seconds for which Google may be silent, unless the client has a time-out.
        refresh_every: See :class:`Tokens`.
        source: What the client's credentials come from; None if they cannot be renewed.
        timing: See :class:`Tokens`.
        lends: See :class:`Tokens`.

    Raises:
        ConfigurationError: The argument is not a client.

    """
    if not hasattr(client, "http_client"):
        raise ConfigurationError(
            f"client is of type {type(client).__name__}: take a gspread.Client, or name a key file "
            "as service_account="
        )
    session = getattr(client.http_client, "session", None)
    if session is None:
        return client.http_client, NoTokens(client.http_client)
    http = copy.copy(client.http_client)
    if http.timeout is None:
        http.set_timeout(request_timeout)
    if not isinstance(session, AuthorizedSession) or "request" in vars(http):
        if isinstance(session, requests.Session):
            with contextlib.suppress(AttributeError):  # a property, say
                http.session = without_redirects(_copied(session))
        return http, NoTokens(http)
    tokens = Tokens(
        session.credentials,
        _way_to_tokens(session),
        refresh_every=refresh_every,
        reload=source.file.reload if source and source.file else None,
        remedy=source.remedy if source else None,
        timing=timing,
        lends=lends,
    )
    http.auth = Shared(tokens)
    http.session = _without_repeats(session, http.auth)
    return http, tokens


def without_redirects(session: Session) -> Session:
    """Make a session follow no redirect, not even if asked to, and return it.

    The target of a redirect is not checked, and a key or an assertion would be sent there too.
    """
    # requests calls this for every redirect, whichever method of the session was used.
    vars(session)["get_redirect_target"] = _nowhere
    return session


def _nowhere(_: requests.Response) -> None:
    """Say that an answer redirects nowhere."""


def _way_to_tokens(session: AuthorizedSession) -> Callable[..., Any]:
    way: Callable[..., Any] = getattr(session, "_auth_request", None) or Request()
    if type(way) is Request and isinstance(way.session, requests.Session):
        return Request(without_redirects(_copied(way.session)))
    return way


def _copied(session: Session) -> Session:
    """Return a session of the same class that shares settings and connections."""
    made: Session = object.__new__(type(session))
    vars(made).update(vars(session))
    return made


def _without_repeats(session: AuthorizedSession, credentials: Credentials) -> AuthorizedSession:
    """Return a session with the same settings that does not retry after a 401.

    It has the same class and the user's own attributes. What the server changes, such as cookies
    and connection pools, is not shared.
    """
    kept = requests.Session.__attrs__
    plain = AuthorizedSession(
        credentials,
        refresh_status_codes=(),
        max_refresh_attempts=0,
        auth_request=_way_to_tokens(session),
    )
    made = without_redirects(_copied(session))
    vars(made).update({name: of for name, of in vars(plain).items() if name not in kept})
    for name in ("headers", "cookies", "proxies", "params"):
        # A shallow copy of headers and cookies would share their content.
        setattr(made, name, copy.deepcopy(getattr(session, name)))
    made.hooks = {event: list(hooks) for event, hooks in session.hooks.items()}
    made.adapters = copy.copy(session.adapters)
    for prefix, adapter in session.adapters.items():
        # A copy of another adapter may lack something, such as a client certificate.
        if type(adapter) is HTTPAdapter:
            made.adapters[prefix] = put_up(copy.copy(adapter))
    return made
