"""gspread for asyncio: every call is a coroutine, and thousands of them can be under way.

``import queued_gspread.asyncio as gspread``; ``docs/asyncio.md`` has the rest.
"""

from gspread import (
    Cell,
    GSpreadException,
    IncorrectCellLabel,
    NoValidUrlKeyFound,
    SpreadsheetNotFound,
    ValueRange,
    WorksheetNotFound,
)

from queued_gspread import errors, exceptions, utils
from queued_gspread.idempotency import IdempotencyKey, idempotency_key
from queued_gspread.max_age import MaxAge, max_age

from .auth import (
    api_key,
    authorize,
    oauth,
    oauth_from_dict,
    service_account,
    service_account_from_dict,
)
from .classes import Client, HTTPClient, Spreadsheet, Worksheet
from .lock import Lock, lock
from .pipelining import pipeline
from .upsert import upsert_rows

__all__ = [
    "Cell",
    "Client",
    "GSpreadException",
    "HTTPClient",
    "IdempotencyKey",
    "IncorrectCellLabel",
    "Lock",
    "MaxAge",
    "NoValidUrlKeyFound",
    "Spreadsheet",
    "SpreadsheetNotFound",
    "ValueRange",
    "Worksheet",
    "WorksheetNotFound",
    "api_key",
    "authorize",
    "errors",
    "exceptions",
    "idempotency_key",
    "lock",
    "max_age",
    "oauth",
    "oauth_from_dict",
    "pipeline",
    "service_account",
    "service_account_from_dict",
    "upsert_rows",
    "utils",
]
