"""gspread's ``spreadsheet`` module with its classes queued: nothing here sends to Google."""

from __future__ import annotations

from typing import Any

import gspread.spreadsheet as _gspread

from .catalogue import SPREADSHEET
from .http_client import HTTPClient
from .proxy import Proxy
from .surface import passing_on
from .worksheet import Worksheet, require_queued

__all__ = ["HTTPClient", "Spreadsheet", "Worksheet"]

__getattr__ = passing_on(_gspread)


class Spreadsheet(Proxy, _gspread.Spreadsheet, queued=SPREADSHEET):
    """A :class:`gspread.Spreadsheet` whose calls are made by the server.

    Args:
        http_client: A queued HTTP client.
        properties: With the ``id``; the rest is fetched, as gspread does.

    Raises:
        TypeError: The HTTP client is not a queued one.

    """

    def __init__(self, http_client: Any, properties: dict[str, Any]) -> None:
        require_queued(http_client)
        super().__init__(http_client, properties)
