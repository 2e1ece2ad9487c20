"""Lanes: the calls of one spreadsheet, in order; all lanes run side by side."""
