"""The account that a server sends requests as: its name, and whether it owns the namespace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from google.auth.api_key import Credentials as APIKeyCredentials
from google.auth.credentials import AnonymousCredentials

from queued_gspread.broker import Candidate
from queued_gspread.errors import ConfigurationError
from queued_gspread.protocol.identity import identity_of
from queued_gspread.server.log import LOGGER

from .credentials import client_of
from .session import adopt
from .sources import source_of

if TYPE_CHECKING:
    import gspread

    from queued_gspread.protocol.identity import Identity
    from queued_gspread.server.timing import Timing

    from .sources import Named
    from .token_state import AnyTokens, TokenState

__all__ = ["Account", "way_to_google"]

_LONGEST: Final = 500
_FOREIGN: Final = (
    "namespace {namespace!r} belongs to the account {owner!r}, and this server has {account!r}: "
    "at a takeover its callers would change accounts. Give this server credentials of the first, "
    "or a namespace of its own (--namespace). To change the account for good, start it once with "
    "--replace-account {owner!r}, which ends the servers that have that one"
)


_ENDPOINT: Final = re.compile(r"(?: at (http\S+))?, queued_gspread ")
_ELSEWHERE: Final = (
    "calls in this namespace are sent to %s, and this server would send them to %s: give it a "
    "namespace of its own (--namespace), and its clients the same"
)


class Account:
    """The account of a server.

    Args:
        http: The HTTP client that sends requests.
        tokens: Its access tokens.
        namespace: The namespace of the server.
        replaces: The account that owns the namespace now, if this one is to take it over.
        lenders: How many accounts lend it their quota.

    """

    def __init__(
        self,
        http: gspread.HTTPClient,
        tokens: AnyTokens,
        namespace: str,
        replaces: str = "",
        lenders: int = 0,
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._namespace = namespace
        self._replaces = replaces
        self._lenders = lenders

    @property
    def identity(self) -> Identity:
        """What the credentials reveal about the account."""
        return _identity_of(self._http)

    @property
    def name(self) -> str:
        """The namespace's account: whom it acts for, else its name, else its kind."""
        if self.identity.account is not None:
            return self.identity.account
        credentials: Any = getattr(self._tokens, "credentials", None)
        if isinstance(credentials, APIKeyCredentials):
            return "an API key"
        is_anonymous = isinstance(credentials, AnonymousCredentials)
        return "anonymous" if is_anonymous else self.identity.shown

    def about(self, server: str, version: str) -> str:
        """Return a description of a server with this account, for other servers and observers."""
        endpoint = f" at {self.endpoint}" if self.endpoint else ""
        return f"{server} (as {self.shown}{endpoint}, queued_gspread {version})"

    @property
    def shown(self) -> str:
        """The account in words, and how many lend it their quota."""
        own = self.identity.shown
        lend = "lends" if self._lenders == 1 else "lend"
        return f"{own} and {self._lenders} that {lend}" if self._lenders else own

    def warn_of_endpoint(self, about: str) -> None:
        """Warn if another server, by its description, sends its requests elsewhere."""
        found = _ENDPOINT.search(about)
        if found is not None and (other := found[1] or "") != self.endpoint:
            LOGGER.warning(_ELSEWHERE, other or "Google", self.endpoint or "Google")

    @property
    def endpoint(self) -> str:
        """Where requests are sent instead of to Google; '' for Google. Without a password."""
        parts = urlsplit(getattr(self._http, "api_endpoint", None) or "")
        place = parts.netloc.rpartition("@")[2] + parts.path
        return f"{parts.scheme}://{place}" if place else ""

    def token_state(self) -> TokenState:
        """Return whether requests can be sent."""
        return self._tokens.state()

    def token_left(self) -> float | None:
        """Return the seconds until the token expires; None if it does not, or nobody knows."""
        return self._tokens.left()

    def candidate(self) -> Candidate:
        """Return what a beat says about the account.

        Some credentials only learn their account's name with their first token.
        """
        has_token, identity = self.token_state().is_usable, self.identity
        is_known = has_token or identity.account is not None
        # Where an earlier version is the owner, it is the same account under its earlier name.
        earlier = f"{identity.email} acting for {identity.subject}" if identity.subject else ""
        return Candidate(has_token, self.name if is_known else "", self._replaces or earlier)

    def refusal(self, candidate: Candidate, owner: str) -> ConfigurationError | None:
        """Return the error if this account may not work in the namespace, else None.

        Args:
            candidate: What the beat said.
            owner: The account that owns the namespace; '' if none does yet.

        """
        if "" in (candidate.account, owner) or candidate.is_about_to_replace(owner):
            return None
        if candidate.account == owner:
            self._end_replacing()
            return None
        told = {"namespace": self._namespace, "owner": owner[:_LONGEST]}
        own = self.identity.shown if self.identity.subject else candidate.account
        return ConfigurationError(_FOREIGN.format(**told, account=own))

    def _end_replacing(self) -> None:
        """Replace an account only once; two servers that name each other would never stop."""
        if self._replaces:
            LOGGER.info(
                "namespace %r belongs to %s: --replace-account can be left out from now on",
                self._namespace,
                self.name,
            )
            self._replaces = ""


def way_to_google(
    client: gspread.Client | None,
    named: Named,
    api_endpoint: str | None,
    request_timeout: float,
    refresh_every: float,
    timing: Timing,
) -> tuple[gspread.Client, gspread.HTTPClient, AnyTokens]:
    """Return the client to make calls with, its HTTP client, and the access tokens.

    Args:
        client: The client, if one was given.
        named: Otherwise, the credentials to make one from.
        api_endpoint: Where a new client sends its requests.
        request_timeout: See ``Server``.
        refresh_every: See ``Server``.
        timing: See ``Server``.

    """
    if client and named.options:
        raise ConfigurationError(f"client= and {named.options[0]} exclude each other: take one")
    source = None if client else source_of(named)
    if source is not None:
        client = client_of(source, api_endpoint)
    assert client is not None
    http, tokens = adopt(
        client,
        request_timeout=request_timeout,
        refresh_every=refresh_every,
        source=source,
        timing=timing,
    )
    return client, http, tokens


def _identity_of(http: gspread.HTTPClient) -> Identity:
    return identity_of(getattr(http, "auth", None))
