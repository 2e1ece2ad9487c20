"""A drop-in gspread whose calls wait in a queue and are made by one server.

Change ``import gspread`` to ``import queued_gspread as gspread``, run
``queued-gspread-server``, and the same code works from many processes.
"""

from typing import TYPE_CHECKING

from gspread import (
    Cell,
    GSpreadException,
    IncorrectCellLabel,
    NoValidUrlKeyFound,
    SpreadsheetNotFound,
    ValueRange,
    WorksheetNotFound,
)

from . import (
    auth,
    cell,
    client,
    errors,
    exceptions,
    http_client,
    spreadsheet,
    urls,
    utils,
    worksheet,
)
from ._version import __version__
from .auth import (
    api_key,
    authorize,
    oauth,
    oauth_from_dict,
    service_account,
    service_account_from_dict,
)
from .idempotency import IdempotencyKey, idempotency_key
from .lock import Lock, lock
from .max_age import MaxAge, max_age
from .pipeline import Pipeline, pipeline
from .upsert import Upserted, upsert_rows

if TYPE_CHECKING:
    # To a type checker the queued classes are gspread's: their methods come from there.
    from gspread import BackOffHTTPClient, Client, HTTPClient, Spreadsheet, Worksheet
else:
    from .proxy import BackOffHTTPClient, Client, HTTPClient, Spreadsheet, Worksheet

__all__ = [
    "BackOffHTTPClient",
    "Cell",
    "Client",
    "GSpreadException",
    "HTTPClient",
    "IdempotencyKey",
    "IncorrectCellLabel",
    "Lock",
    "MaxAge",
    "NoValidUrlKeyFound",
    "Pipeline",
    "Spreadsheet",
    "SpreadsheetNotFound",
    "Upserted",
    "ValueRange",
    "Worksheet",
    "WorksheetNotFound",
    "__version__",
    "api_key",
    "auth",
    "authorize",
    "cell",
    "client",
    "errors",
    "exceptions",
    "http_client",
    "idempotency_key",
    "lock",
    "max_age",
    "oauth",
    "oauth_from_dict",
    "pipeline",
    "service_account",
    "service_account_from_dict",
    "spreadsheet",
    "upsert_rows",
    "urls",
    "utils",
    "worksheet",
]


def __dir__() -> list[str]:
    # Keep internal modules out of an editor's completions.
    return sorted(__all__)
