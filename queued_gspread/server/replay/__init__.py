"""Replay: run gspread's own code as a function of the responses recorded so far."""
