"""The names that the Sheets API's requests may have; any other gets Google's 400."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from queued_gspread.google_api.batch_requests import BATCH_REQUESTS

from .errors import invalid_field, sheets_unimplemented, unknown_name, unknown_parameter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .errors import ApiError

_SYSTEM = frozenset(
    [
        "$.xgafv",
        "access_token",
        "alt",
        "callback",
        "fields",
        "key",
        "oauth_token",
        "prettyPrint",
        "quotaUser",
        "uploadType",
        "upload_protocol",
    ]
)
_READING = frozenset({"majorDimension", "valueRenderOption", "dateTimeRenderOption"})
_ECHO = frozenset(
    {"includeValuesInResponse", "responseValueRenderOption", "responseDateTimeRenderOption"}
)
_VALUE_RANGE = frozenset({"range", "majorDimension", "values"})
_FILTERED_RANGE = frozenset({"dataFilter", "majorDimension", "values"})
PARAMETERS: dict[str, frozenset[str]] = {
    "get": frozenset({"ranges", "includeGridData", "excludeTablesInBandedRanges"}),
    "values.get": _READING,
    "values.batchGet": _READING | {"ranges"},
    "values.update": _ECHO | {"valueInputOption"},
    "values.append": _ECHO | {"valueInputOption", "insertDataOption"},
}
BODIES: dict[str, frozenset[str]] = {
    "getByDataFilter": frozenset({"dataFilters", "includeGridData", "excludeTablesInBandedRanges"}),
    "developerMetadata.search": frozenset({"dataFilters"}),
    "values.batchGetByDataFilter": _READING | {"dataFilters"},
    "values.batchUpdateByDataFilter": _ECHO | {"valueInputOption", "data"},
    "values.batchClearByDataFilter": frozenset({"dataFilters"}),
    "create": frozenset(
        [
            "spreadsheetId",
            "properties",
            "sheets",
            "namedRanges",
            "spreadsheetUrl",
            "developerMetadata",
            "dataSources",
            "dataSourceSchedules",
        ]
    ),
    "batchUpdate": frozenset(
        ["requests", "includeSpreadsheetInResponse", "responseRanges", "responseIncludeGridData"]
    ),
    "sheets.copyTo": frozenset({"destinationSpreadsheetId"}),
    "values.update": _VALUE_RANGE,
    "values.append": _VALUE_RANGE,
    "values.batchUpdate": _ECHO | {"valueInputOption", "data"},
    "values.batchClear": frozenset({"ranges"}),
}
_TYPES: dict[str, tuple[type, str]] = {
    "data": (list, "type.googleapis.com/google.apps.sheets.v4.ValueRange"),
    "ranges": (list, "TYPE_STRING"),
    "range": (str, "TYPE_STRING"),
    "includeValuesInResponse": (bool, "TYPE_BOOL"),
}


def check_parameters(method: str, names: Iterable[str]) -> None:
    """Raise Google's 400 for a query parameter that a method does not have."""
    allowed = PARAMETERS.get(method, frozenset()) | _SYSTEM
    for name in names:
        if name not in allowed:
            raise unknown_parameter(name)


def check_body(method: str, body: dict[str, Any]) -> None:
    """Raise Google's 400 for a name in a request's body that its schema does not have.

    Of the values methods the types are checked too.
    """
    allowed = BODIES.get(method)
    parent = "data" if allowed is _VALUE_RANGE else ""
    for name in body:
        if allowed is not None and name not in allowed:
            raise unknown_name(name, parent)
    if not method.startswith("values."):
        return
    _check_types(body, parent)
    for place, text in enumerate(body.get("ranges") or []):
        if not isinstance(text, str):
            raise _wrong_type(f"ranges[{place}]", "TYPE_STRING", text)
    items = _FILTERED_RANGE if method == "values.batchUpdateByDataFilter" else _VALUE_RANGE
    for place, item in enumerate(body.get("data") or []):
        where = f"data[{place}]"
        if not isinstance(item, dict):
            raise _wrong_type(where, "type.googleapis.com/google.apps.sheets.v4.ValueRange", item)
        for name in item:
            if name not in items:
                raise unknown_name(name, where)
        _check_types(item, where)


def _check_types(body: dict[str, Any], parent: str) -> None:
    for name, (expected, kind) in _TYPES.items():
        value = body.get(name)
        if value is not None and not isinstance(value, expected):
            raise _wrong_type(f"{parent}.{name}".lstrip("."), kind, value)


def _wrong_type(field: str, kind: str, value: object) -> ApiError:
    return invalid_field(field, f"Invalid value at '{field}' ({kind}), {json.dumps(value)}")


def check_kind(place: int, name: str, supported: Iterable[str]) -> None:
    """Raise for a kind of batchUpdate request that Google, or only the emulator, lacks."""
    if name in supported:
        return
    if name in BATCH_REQUESTS:
        raise sheets_unimplemented(f"The emulator does not support requests[{place}].{name}.")
    raise unknown_name(name, f"requests[{place}]")
