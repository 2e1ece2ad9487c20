"""Accounts that lend their quota to the account of a namespace."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.errors import ConfigurationError

from .credentials import client_of
from .session import adopt
from .sources import lender_sources

if TYPE_CHECKING:
    from collections.abc import Iterable

    import gspread

    from queued_gspread.server.timing import Timing

    from .sources import Named
    from .token_state import AnyTokens

__all__ = ["Lender", "lenders_of"]

_LONGEST: Final = 254
# Names go into Redis's keys, whose braces mean something, and into lines that are read again.
_NAME: Final = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+")
_PROJECT: Final = re.compile(r"[A-Za-z0-9.:_-]+")
_DOWNLOAD: Final = "take the file as Google gives it"
_ODD: Final = (
    f"is no address of a service account (letters, digits and . _ + - around an @, {_LONGEST} "
    f"characters at the most): {_DOWNLOAD}"
)
_NO_PROJECT: Final = (
    "is missing or is no project: accounts of one project share its quota, so each file has to "
    f"say which it is of. {_DOWNLOAD.capitalize()}"
)


@dataclass(frozen=True, eq=False)
class Lender:
    """An account that lends its quota: requests on spreadsheets that it may use go out under it.

    Attributes:
        name: The account's address: it names the account in Redis's keys and in the journal.
        project: The Google Cloud project of its key, whose quota it shares.
        http: Its HTTP client.
        tokens: Its access tokens.

    """

    name: str
    project: str
    http: gspread.HTTPClient
    tokens: AnyTokens


def lenders_of(
    named: Named,
    first: gspread.HTTPClient,
    api_endpoint: str | None,
    request_timeout: float,
    refresh_every: float,
    timing: Timing,
) -> tuple[str, tuple[Lender, ...]]:
    """Return the project of a server's first account, and the accounts that lend it their quota.

    Args:
        named: The credentials that options name.
        first: The HTTP client of the first account.
        api_endpoint: Where requests are sent instead of to Google.
        request_timeout: See ``Server``.
        refresh_every: See ``Server``.
        timing: See ``Server``.

    Returns:
        ``""`` and nothing if there is one account.

    Raises:
        ConfigurationError: A key file cannot be used, or two are of one account.

    """
    sources = lender_sources(named)
    if not sources:
        return "", ()
    clients = [client_of(source, api_endpoint) for source in sources]
    credentials = [first.auth, *(client.http_client.auth for client in clients)]
    places = [f"credentials file {path}" for path in named.key_files]
    who = [_name_and_project(*each) for each in zip(places, credentials, strict=True)]
    _check_distinct(places, [name for name, _ in who])
    lenders = []
    for (name, project), client, source in zip(who[1:], clients, sources, strict=True):
        http, tokens = adopt(
            client,
            request_timeout=request_timeout,
            refresh_every=refresh_every,
            source=source,
            timing=timing,
            lends=True,
        )
        lenders.append(Lender(name, project, http, tokens))
    return who[0][1], tuple(lenders)


def _name_and_project(place: str, credentials: Any) -> tuple[str, str]:
    """Return an account's address and project; the errors show no values, which may be secrets.

    In small letters, as Google spells them: however a file does, both name one quota.
    """
    name, project = credentials.service_account_email, credentials.project_id
    if not (_NAME.fullmatch(name) and len(name) <= _LONGEST):
        raise ConfigurationError(f"{place} cannot be used: its 'client_email' {_ODD}")
    if not (isinstance(project, str) and _PROJECT.fullmatch(project) and len(project) <= _LONGEST):
        raise ConfigurationError(f"{place} cannot be used: its 'project_id' {_NO_PROJECT}")
    return name.lower(), project.lower()


def _check_distinct(places: Iterable[str], names: Iterable[str]) -> None:
    seen: dict[str, str] = {}
    for place, name in zip(places, names, strict=True):
        before = seen.setdefault(name, place)
        if before is not place:
            raise ConfigurationError(
                f"{before} and {place} are both of {name}, and an account has one quota, however "
                "often it is named: name it once"
            )
