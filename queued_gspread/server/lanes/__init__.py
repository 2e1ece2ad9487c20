"""Lanes: each runs the calls of one spreadsheet in order; all lanes run concurrently."""
