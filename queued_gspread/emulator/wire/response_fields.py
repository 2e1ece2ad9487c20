"""The fields that the Sheets API's answers may have, and so a `fields` mask may name."""

from __future__ import annotations

import re
from typing import Any

from .errors import unknown_field
from .field_mask import parse_mask, paths

# Anything below such a field passes.
_ANY: dict[str, Any] = {"*": None}
_PLAIN: dict[str, Any] = {}


def _plain(names: str) -> dict[str, Any]:
    return dict.fromkeys(names.split(), _PLAIN)


def _open(names: str) -> dict[str, Any]:
    return dict.fromkeys(names.split(), _ANY)


_VALUE_RANGE = _plain("range majorDimension values")
_UPDATED = _plain("spreadsheetId updatedRange updatedRows updatedColumns updatedCells") | {
    "updatedData": _VALUE_RANGE
}
_FORMAT = _plain("horizontalAlignment verticalAlignment wrapStrategy textDirection") | _open(
    "numberFormat backgroundColor backgroundColorStyle borders padding textFormat "
    "hyperlinkDisplayType textRotation"
)
_CELL = _plain("formattedValue hyperlink note dataSourceFormula") | _open(
    "userEnteredValue effectiveValue textFormatRuns dataValidation pivotTable dataSourceTable "
    "chipRuns"
)
_CELL |= {"userEnteredFormat": _FORMAT, "effectiveFormat": _FORMAT}
_GRID_DATA = _plain("startRow startColumn") | _open("rowMetadata columnMetadata")
_GRID_DATA |= {"rowData": {"values": _CELL}}
_SHEET_PROPERTIES = _plain("sheetId title index sheetType hidden rightToLeft") | _open(
    "gridProperties tabColor tabColorStyle dataSourceSheetProperties"
)
_SHEET = {"properties": _SHEET_PROPERTIES, "data": _GRID_DATA} | _open(
    "merges conditionalFormats filterViews protectedRanges basicFilter charts bandedRanges "
    "developerMetadata rowGroups columnGroups slicers tables"
)
_PROPERTIES = _plain("title locale autoRecalc timeZone importFunctionsExternalUrlAccessAllowed")
_PROPERTIES |= _open("defaultFormat iterativeCalculationSettings spreadsheetTheme")
_SPREADSHEET = _plain("spreadsheetId spreadsheetUrl") | _open(
    "namedRanges developerMetadata dataSources dataSourceSchedules"
)
_SPREADSHEET |= {"properties": _PROPERTIES, "sheets": _SHEET}
_TOTALS = "totalUpdatedRows totalUpdatedColumns totalUpdatedCells totalUpdatedSheets"
FIELDS: dict[str, dict[str, Any]] = {
    "create": _SPREADSHEET,
    "get": _SPREADSHEET,
    "batchUpdate": _plain("spreadsheetId")
    | _open("replies")
    | {"updatedSpreadsheet": _SPREADSHEET},
    "sheets.copyTo": _SHEET_PROPERTIES,
    "values.get": _VALUE_RANGE,
    "values.batchGet": _plain("spreadsheetId") | {"valueRanges": _VALUE_RANGE},
    "values.update": _UPDATED,
    "values.append": _plain("spreadsheetId tableRange") | {"updates": _UPDATED},
    "values.batchUpdate": _plain(f"spreadsheetId {_TOTALS}") | {"responses": _UPDATED},
    "values.clear": _plain("spreadsheetId clearedRange"),
    "values.batchClear": _plain("spreadsheetId clearedRanges"),
}


def check_fields(method: str, fields: str) -> None:
    """Raise Google's 400 for a mask that names a field that a method's answer does not have.

    The Sheets API treats a space as part of the name beside it. For a method whose answers are not
    known here, any name passes.
    """
    spaced = next((part for part in re.split(r"[,()]", fields) if re.search(r"\s", part)), None)
    if spaced is not None:
        raise unknown_field(fields, spaced)
    for path in paths(parse_mask(fields)):
        if path and not _exists(FIELDS.get(method, _ANY), path):
            raise unknown_field(fields, ".".join(path))


def _exists(schema: dict[str, Any], path: tuple[str, ...]) -> bool:
    for name in path:
        if name == "*" or schema is _ANY:
            return True
        if name not in schema:
            return False
        schema = schema[name]
    return True
