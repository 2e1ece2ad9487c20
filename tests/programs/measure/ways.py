"""The ways in which the same calls are made, and their clients."""

from __future__ import annotations

from dataclasses import dataclass

import gspread

import queued_gspread
from queued_gspread.server.google.credentials import make_client
from queued_gspread.server.google.endpoint import redirected


@dataclass(frozen=True)
class Way:
    """A way to make calls.

    Attributes:
        name: What a reader of the table is told.
        options: Those of its server; None where it has none.
        http: The class of a plain client's HTTP client.
        cap: Seconds after which calls that have not ended are given up.

    """

    name: str
    options: tuple[str, ...] | None = None
    http: type[gspread.HTTPClient] = gspread.HTTPClient
    cap: float = 300.0


WAYS = {
    "merged": Way("queued", ()),
    "no-merge": Way("queued, --no-merge", ("--no-merge",)),
    "plain": Way("plain gspread"),
    # Its limit does not end the repeats: some of its calls go on for ever.
    "backoff": Way("BackOffHTTPClient", http=gspread.BackOffHTTPClient, cap=120.0),
}


@dataclass(frozen=True)
class Places:
    """Where everything is, as text: it goes to other processes."""

    redis_url: str
    namespace: str
    emulator: str
    key_file: str
    book: str


def client_of(way, places):
    """Return a client of its own, as a user's process would make it."""
    if way.options is not None:
        return queued_gspread.authorize(redis_url=places.redis_url, namespace=places.namespace)
    made = make_client(service_account=places.key_file, api_endpoint=places.emulator).http_client
    http = redirected(way.http, places.emulator)
    return gspread.Client(made.auth, session=made.session, http_client=http)
