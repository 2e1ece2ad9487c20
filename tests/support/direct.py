"""Plain gspread on an emulator: a client that knows of no queue."""

from __future__ import annotations

from contextlib import contextmanager

import gspread
from google.oauth2.service_account import Credentials

from queued_gspread.server.endpoint import session_without_lookups

SCOPES = ["https://www.googleapis.com/auth/spreadsheets", "https://www.googleapis.com/auth/drive"]


@contextmanager
def direct_client(emulator):
    """Return a plain gspread client with the account of an emulator's server."""

    class Direct(gspread.HTTPClient):
        def request(self, method, endpoint, *args, **kwargs):
            path = endpoint.split(".googleapis.com", 1)[1]
            return super().request(method, emulator.url + path, *args, **kwargs)

    given = Credentials.from_service_account_info(emulator.service_account_info(), scopes=SCOPES)
    session = session_without_lookups(given)
    yield gspread.Client(given, session=session, http_client=Direct)
    session.close()
