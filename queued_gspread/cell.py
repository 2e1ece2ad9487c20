"""gspread's ``cell`` module, under the name that code looks for here."""

from gspread.cell import *
