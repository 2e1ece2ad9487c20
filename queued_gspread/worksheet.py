"""gspread's ``worksheet`` module with its classes queued: nothing here sends to Google."""

from typing import TYPE_CHECKING

from .surface import stand_in

if TYPE_CHECKING:
    from gspread.worksheet import *
else:
    from .proxy import HTTPClient, Worksheet

stand_in(__name__)
