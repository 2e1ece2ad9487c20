"""gspread's ``client`` module with its classes queued: nothing here sends to Google."""

from typing import TYPE_CHECKING

from .surface import stand_in

if TYPE_CHECKING:
    from gspread.client import *
else:
    from .proxy import Client, HTTPClient, Spreadsheet

stand_in(__name__)
