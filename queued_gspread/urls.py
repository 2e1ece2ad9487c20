"""gspread's ``urls`` module, under the name that code looks for here."""

import gspread.urls as _gspread
from gspread.urls import *

from .surface import take_patches

take_patches(_gspread)
