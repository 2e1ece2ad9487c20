"""gspread's ``worksheet`` module with its classes queued: nothing here sends to Google."""

from __future__ import annotations

from typing import Any

import gspread.worksheet as _gspread
from gspread.worksheet import CellFormat, JSONResponse, ValueRange

from .catalogue import WORKSHEET
from .http_client import HTTPClient
from .proxy import Proxy
from .surface import passing_on

__all__ = ["CellFormat", "HTTPClient", "JSONResponse", "ValueRange", "Worksheet"]

__getattr__ = passing_on(_gspread)


class Worksheet(Proxy, _gspread.Worksheet, queued=WORKSHEET):
    """A :class:`gspread.Worksheet` whose calls are made by the server.

    Args:
        spreadsheet: The spreadsheet that it belongs to.
        properties: The worksheet's properties.
        spreadsheet_id: The spreadsheet's id.
        client: A queued HTTP client.

    Raises:
        TypeError: The HTTP client is not a queued one.
        RuntimeError: gspread's own, where one of the last two is missing.

    """

    def __init__(
        self,
        spreadsheet: Any,
        properties: dict[str, Any],
        spreadsheet_id: str | None = None,
        client: Any = None,
    ) -> None:
        if client is not None:
            require_queued(client)
        super().__init__(spreadsheet, properties, spreadsheet_id, client)


def require_queued(http_client: object) -> None:
    """Raise :class:`TypeError` unless an HTTP client sends through the queue."""
    if not isinstance(http_client, HTTPClient):
        raise TypeError(
            f"{type(http_client).__name__} would send to Google past the queue: "
            "take the http_client of a queued_gspread client"
        )
