"""The server's side: from a lane in the queue to a request at Google, and back.

A call passes ``lanes`` (one at a time for each spreadsheet), ``calls`` (what becomes of it),
``replay`` (gspread's own method, as a function of the responses so far), ``sending`` and ``pacing``
(each request in its turn) and ``google`` (the one way there).
"""

from .server import Server

__all__ = ["Server"]
