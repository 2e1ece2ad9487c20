"""gspread's ``utils`` module, under the name that code looks for here."""

from gspread.utils import *
