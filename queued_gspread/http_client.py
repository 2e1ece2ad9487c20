"""gspread's ``http_client`` module with its classes queued: nothing here sends to Google."""

from typing import TYPE_CHECKING

from .surface import stand_in

if TYPE_CHECKING:
    from gspread.http_client import *
else:
    from .proxy import BackOffHTTPClient, HTTPClient

stand_in(__name__)
