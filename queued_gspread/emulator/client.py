"""Plain gspread clients whose requests go to the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gspread
from google.auth.transport.requests import AuthorizedSession, Request
from requests import Session

from .redirect import EmulatorAdapter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queued_gspread.emulator.accounts.account import Account


class Clients:
    """The clients of an emulator, and the sessions that they send requests through."""

    def __init__(self) -> None:
        """Begin without clients."""
        self._sessions: list[Session] = []

    def make(
        self,
        account: Account,
        emulator: str,
        scopes: Iterable[str],
        http_client: type[gspread.HTTPClient],
    ) -> gspread.Client:
        """Return a client with an access token of an account, at the emulator of that URL."""
        credentials = account.credentials(scopes)
        # google-auth's own token request may also query Google in the background.
        way_to_tokens = Request(self._opened(Session(), emulator))
        credentials.refresh(way_to_tokens)
        session = AuthorizedSession(credentials, auth_request=way_to_tokens)
        client = gspread.Client(credentials, self._opened(session, emulator), http_client)
        # gspread does not set it if it is given a session.
        client.http_client.auth = credentials
        return client

    def close(self) -> None:
        """Close the connections of all clients so far; a client in use opens new ones."""
        while self._sessions:
            self._sessions.pop().close()

    def _opened(self, session: Session, emulator: str) -> Session:
        # The token endpoint is the emulator's own.
        for prefix in ("https://", f"{emulator}/"):
            session.mount(prefix, EmulatorAdapter(emulator))
        self._sessions.append(session)
        return session
