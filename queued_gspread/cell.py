"""gspread's ``cell`` module, under the name that code looks for here."""

import gspread.cell as _gspread
from gspread.cell import *

from .surface import take_patches

take_patches(_gspread)
