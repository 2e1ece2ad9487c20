"""gspread's ``http_client`` module with its classes queued: nothing here sends to Google."""

from typing import TYPE_CHECKING

from queued_gspread.proxy.passthrough import stand_in

if TYPE_CHECKING:
    from gspread.http_client import *
else:
    from queued_gspread.proxy import BackOffHTTPClient, HTTPClient

stand_in(__name__)
