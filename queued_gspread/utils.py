"""gspread's ``utils`` module, under the name that code looks for here."""

from typing import TYPE_CHECKING

from queued_gspread.proxy.passthrough import stand_in

if TYPE_CHECKING:
    from gspread.utils import *

stand_in(__name__)
