"""gspread's objects, built from plain data without sending anything.

``Spreadsheet.__init__`` sends a request and ``Client.__init__`` needs credentials, so both sides
build objects here: the client a reply's queued ones, the server those that it calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import gspread

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["bare", "client", "spreadsheet", "spreadsheet_of", "worksheet"]


def client(http: gspread.HTTPClient) -> gspread.Client:
    """Return a client over an HTTP client."""
    return cast("gspread.Client", bare(gspread.Client, http_client=http))


def spreadsheet(
    http: gspread.HTTPClient,
    properties: dict[str, Any],
    *,
    cls: type[gspread.Spreadsheet] = gspread.Spreadsheet,
) -> gspread.Spreadsheet:
    """Return a spreadsheet that uses this very dict as its properties."""
    return cast("gspread.Spreadsheet", bare(cls, client=http, _properties=properties))


def worksheet(
    http: gspread.HTTPClient,
    parent: gspread.Spreadsheet,
    spreadsheet_id: str,
    properties: dict[str, Any],
    *,
    cls: type[gspread.Worksheet] = gspread.Worksheet,
) -> gspread.Worksheet:
    """Return a worksheet that uses this very dict as its properties."""
    made = bare(
        cls,
        spreadsheet_id=spreadsheet_id,
        client=http,
        _properties=properties,
        _spreadsheet=parent,
    )
    return cast("gspread.Worksheet", made)


def spreadsheet_of(worksheet: gspread.Worksheet) -> dict[str, Any]:
    """Return what a worksheet knows of its spreadsheet: the id and, if known, the title."""
    parent = getattr(worksheet, "_spreadsheet", None)
    known: Mapping[str, Any] = getattr(parent, "_properties", None) or {}
    properties = {"id": worksheet.spreadsheet_id}
    return {**properties, "title": known["title"]} if "title" in known else properties


def bare(cls: type[Any], /, **attributes: Any) -> Any:
    """Return an object with these attributes, built without its class's constructor."""
    built = object.__new__(cls)
    vars(built).update(attributes)
    return built
