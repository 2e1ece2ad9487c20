"""The queued spreadsheet. Its annotations are read at run time, so they must not be strings."""

from typing import Any

import gspread

from queued_gspread.protocol.kinds import SPREADSHEET

from .base import queued
from .worksheet import require_queued

__all__ = ["Spreadsheet"]


@queued(SPREADSHEET)
class Spreadsheet(gspread.Spreadsheet):
    """A :class:`gspread.Spreadsheet` whose calls are made by the server.

    Args:
        http_client: A queued HTTP client.
        properties: Must have the ``id``; the rest is fetched, as by gspread.

    Raises:
        TypeError: The HTTP client is not a queued one.

    """

    def __init__(self, http_client: gspread.HTTPClient, properties: dict[str, str | Any]) -> None:
        require_queued(http_client)
        super().__init__(http_client, properties)
