"""gspread's ``spreadsheet`` module with its classes queued: nothing here sends to Google."""

from typing import TYPE_CHECKING

from queued_gspread.proxy.passthrough import stand_in

if TYPE_CHECKING:
    from gspread.spreadsheet import *
else:
    from queued_gspread.proxy import HTTPClient, Spreadsheet, Worksheet

stand_in(__name__)
