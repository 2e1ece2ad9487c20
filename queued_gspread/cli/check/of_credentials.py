"""Checks credentials as a server would use them: their file, the clock, a token, its scopes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
from google.auth.api_key import Credentials as APIKeyCredentials

from queued_gspread.errors import ConfigurationError
from queued_gspread.server.google.account import Account, way_to_google
from queued_gspread.server.google.lenders import lenders_of
from queued_gspread.server.google.sources import Named
from queued_gspread.server.timing import Timing

from .findings import Finding, failed, ok, skipped, warned
from .of_google import TROUBLES
from .remedies import CLOCK, explain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import gspread

    from queued_gspread.server.google.lenders import Lender
    from queued_gspread.server.google.token_state import AnyTokens

__all__ = ["PATIENCE", "Access", "scopes_of", "token_trouble"]

# Seconds.
PATIENCE: Final = 20.0
_WRONG: Final = 60.0
_TOKENS: Final = "https://oauth2.googleapis.com/token"
_AUTH: Final = "https://www.googleapis.com/auth/"
# By google-auth's modules: its classes have one name in most of them.
_KINDS: Final = {
    "google.oauth2.service_account": "a service account's key",
    "google.oauth2.credentials": "a user's consent",
    "google.auth.api_key": "an API key",
    "google.auth.impersonated_credentials": "impersonation of a service account",
    "google.auth.external_account": "the identity of a workload elsewhere",
    "google.auth.external_account_authorized_user": "a user of a workforce pool",
    "google.auth.compute_engine.credentials": "the account of this machine",
}


@dataclass
class Access:
    """A server's way to Google, made as a server makes it.

    Attributes:
        named: The server's options that name credentials.
        api_endpoint: Where requests go instead of to Google.
        namespace: The namespace that the server would work in.
        client: A client that has a token; None before :meth:`findings`, or if there is none.
        account: The account in words.
        lenders: The accounts that lend it their quota, once its credentials were found to be good.

    """

    named: Mapping[str, Any] = field(repr=False)
    api_endpoint: str | None
    namespace: str
    client: gspread.Client | None = None
    account: str = "an unknown account"
    is_api_key: bool = field(default=False, init=False)
    lenders: tuple[Lender, ...] = field(default=(), init=False)

    def findings(self, owner: str) -> Iterator[Finding]:
        """Yield what is found; ``owner`` is the account that the namespace belongs to, if any."""
        named, way = Named(**self.named), (self.api_endpoint, PATIENCE, 0.0, Timing())
        try:
            client, http, tokens = way_to_google(None, named, *way)
            _, self.lenders = lenders_of(named, http, *way)
        except ConfigurationError as error:
            yield failed("credentials", "none that can be used", str(error))
            yield from (skipped(name, "no credentials") for name in ("clock", "token", "scopes"))
            return
        client.http_client.set_timeout(PATIENCE)
        credentials: Any = client.http_client.auth
        self.is_api_key = isinstance(credentials, APIKeyCredentials)
        account = Account(http, tokens, self.namespace)
        self.account = account.name
        shown = account.identity.shown
        yield self._kind(credentials, shown, account.refusal(account.candidate(), owner))
        # An endpoint in Google's place has Google's time.
        own = getattr(credentials, "_token_uri", None) or _TOKENS
        yield _clock(f"{self.api_endpoint.rstrip('/')}/token" if self.api_endpoint else own)
        if self.is_api_key:
            self.client = client
            yield skipped("token", "an API key needs none")
            yield skipped("scopes", "an API key has none")
            return
        yield from self._token(client, tokens)
        self.account = account.name

    def _kind(self, credentials: Any, shown: str, refusal: ConfigurationError | None) -> Finding:
        modules = [cls.__module__ for cls in type(credentials).__mro__]
        kind = next((_KINDS[name] for name in modules if name in _KINDS), modules[0])
        if refusal is None:
            return ok("credentials", kind if self.is_api_key else f"{kind}, of {shown}")
        told, _, remedy = str(refusal).partition(": ")
        return failed("credentials", f"{kind}; {told}", remedy)

    def _token(self, client: gspread.Client, tokens: Any) -> Iterator[Finding]:
        error = token_trouble(tokens)
        if error is not None:
            yield failed("token", *explain(error, self.account))
            yield skipped("scopes", "no token")
            return
        self.client = client
        yield ok("token", f"Google gives one to {self.account}")
        yield scopes_of(tokens.credentials)


def token_trouble(tokens: AnyTokens) -> Exception | None:
    """Fetch a token; return why there is none, if so."""
    tokens.start()
    try:
        tokens.refresh(PATIENCE)
    except TROUBLES as error:
        return error
    finally:
        tokens.stop()
    return None


def _clock(url: str) -> Finding:
    """Compare this machine's clock with the one in Google's answers."""
    parts = urlsplit(url)
    began = time.time()
    try:
        answer = requests.head(url, timeout=PATIENCE)
        then = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (requests.RequestException, KeyError, ValueError, TypeError) as error:
        return failed("clock", *explain(_bare(error), parts.netloc))
    ahead = (began + time.time()) / 2 - then
    if abs(ahead) < _WRONG:
        return ok("clock", f"as {parts.hostname} has it")
    way = "ahead of" if ahead > 0 else "behind"
    return failed("clock", f"this machine's is {abs(ahead):.0f} s {way} Google's", CLOCK)


def _bare(error: Exception) -> Exception:
    """Return an error of requests' with its kind alone: its text has addresses of objects."""
    return type(error)("no answer") if isinstance(error, requests.RequestException) else error


def scopes_of(credentials: Any) -> Finding:
    """Return what a token may be used for."""
    asked = getattr(credentials, "_target_scopes", None) or credentials.scopes
    granted = getattr(credentials, "granted_scopes", None) or asked or ()
    names = sorted(scope.removeprefix(_AUTH) for scope in granted)
    told = ", ".join(names) or "not known"
    if names and not {"spreadsheets", "drive", "drive.file"}.intersection(names):
        return failed("scopes", told, "nothing can be written: take the scope spreadsheets")
    if names and not {"drive", "drive.readonly", "drive.file"}.intersection(names):
        remedy = "open() by a title, create() and sharing need the scope drive"
        return warned("scopes", told, remedy)
    return ok("scopes", told)
