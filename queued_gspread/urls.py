"""gspread's ``urls`` module, under the name that code looks for here."""

from gspread.urls import *
