"""The queued classes, each a subclass of gspread's own."""

from .client import Client
from .http_client import BackOffHTTPClient, HTTPClient
from .spreadsheet import Spreadsheet
from .worksheet import Worksheet

__all__ = ["BackOffHTTPClient", "Client", "HTTPClient", "Spreadsheet", "Worksheet"]
