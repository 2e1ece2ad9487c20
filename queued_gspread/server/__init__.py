"""The server's side: from a lane in the queue to a request at Google, and back.

A call passes ``lanes`` (one at a time for each spreadsheet), ``run`` (what becomes of it),
``replay`` (gspread's own method, as a function of the responses so far) and ``transport`` (the
one way to Google).
"""

from .server import Server

__all__ = ["Server"]
