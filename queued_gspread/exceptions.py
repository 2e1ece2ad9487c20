"""gspread's ``exceptions`` module, under the name that code looks for here."""

import gspread.exceptions as _gspread
from gspread.exceptions import *

from .surface import take_patches

take_patches(_gspread)
