"""The queued worksheet. Its annotations are read at run time, so they must not be strings."""

from collections.abc import MutableMapping
from typing import Any

import gspread

from queued_gspread.protocol.kinds import WORKSHEET

from .base import queued
from .http_client import HTTPClient

__all__ = ["Worksheet", "require_queued"]


@queued(WORKSHEET)
class Worksheet(gspread.Worksheet):
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
        spreadsheet: gspread.Spreadsheet,
        properties: MutableMapping[str, Any],
        spreadsheet_id: str | None = None,
        client: gspread.HTTPClient | None = None,
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
