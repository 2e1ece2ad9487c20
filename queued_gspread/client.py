"""gspread's ``client`` module with its classes queued: nothing here sends to Google."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gspread.client as _gspread

from .catalogue import CLIENT
from .http_client import HTTPClient
from .proxy import Proxy
from .spreadsheet import Spreadsheet
from .surface import passing_on

if TYPE_CHECKING:
    from pathlib import Path

    from google.auth.credentials import Credentials
    from google.auth.transport.requests import AuthorizedSession

__all__ = ["Client", "HTTPClient", "Spreadsheet"]

__getattr__ = passing_on(_gspread)


class Client(Proxy, _gspread.Client, queued=CLIENT):
    """A :class:`gspread.Client` whose calls are made by the server.

    Args:
        auth: The credentials; they stay in this process. None means the server's account.
        session: google-auth's, of which the credentials are taken. Any other is not accepted:
            it would send requests past the queue.
        http_client: Used if it is a queued class. Any other is accepted and left aside: the
            server does the sending and the backing off.
        redis_url: See :class:`queued_gspread.settings.Settings`, as for the next three.
        namespace: See there.
        timeout: See there.
        signing_key_file: See there.

    Raises:
        TypeError: Another session was given.
        ConfigurationError: A setting cannot be used.

    """

    def __init__(
        self,
        auth: Credentials | None = None,
        session: AuthorizedSession | None = None,
        http_client: Any = HTTPClient,
        *,
        redis_url: str | None = None,
        namespace: str | None = None,
        timeout: float | None = None,
        signing_key_file: str | Path | None = None,
    ) -> None:
        queued = isinstance(http_client, type) and issubclass(http_client, HTTPClient)
        made_by = http_client if queued else HTTPClient
        self.http_client = made_by(
            auth,
            session,
            redis_url=redis_url,
            namespace=namespace,
            timeout=timeout,
            signing_key_file=signing_key_file,
        )
