"""gspread's ``client`` module with its classes queued: nothing here sends to Google."""

from typing import TYPE_CHECKING

from queued_gspread.proxy.passthrough import stand_in

if TYPE_CHECKING:
    from gspread.client import *
else:
    from queued_gspread.proxy import Client, HTTPClient, Spreadsheet

stand_in(__name__)
