"""gspread's ``exceptions`` module, under the name that code looks for here."""

from gspread.exceptions import *
