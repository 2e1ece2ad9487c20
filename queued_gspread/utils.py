"""gspread's ``utils`` module, under the name that code looks for here."""

import gspread.utils as _gspread
from gspread.utils import *

from .surface import take_patches

take_patches(_gspread)
