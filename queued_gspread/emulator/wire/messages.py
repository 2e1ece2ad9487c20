"""The messages in a request's body: every field of its type, and without nulls.

By Google's discovery document of the Sheets API. A name that stands for several types there, or
that the emulator does not look into, may hold anything.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from .errors import invalid_field, sheets_unimplemented

if TYPE_CHECKING:
    from .errors import ApiError


def _named(names: str) -> frozenset[str]:
    return frozenset(names.split())


_INTEGERS = _named(
    "sheetId sourceSheetId newSheetId insertSheetIndex index newIndex startRowIndex endRowIndex "
    "startColumnIndex endColumnIndex startIndex endIndex rowIndex columnIndex destinationIndex "
    "dimensionIndex length fillLength rowCount columnCount frozenRowCount frozenColumnCount "
    "pixelSize protectedRangeId bandedRangeId filterViewId filterId metadataId"
)
_TEXTS = _named(
    "a1Range dimension delimiter delimiterType destinationSpreadsheetId fields find formulaValue "
    "locale locationType mergeType metadataKey metadataValue name namedRangeId newSheetName note "
    "pasteType pattern replacement shiftDimension sortOrder stringValue style themeColor timeZone "
    "colorType title type visibility"
)
_MESSAGES = _named(
    "bandedRange booleanRule borders cell columnProperties condition coordinate criteria "
    "dataFilter dataValidation destination developerMetadata developerMetadataLookup "
    "dimensionRange dimensions editors filter filterCriteria format gradientRule gridProperties "
    "gridRange location metadataLocation namedRange numberFormat properties protectedRange range "
    "rowProperties rule source sourceAndDestination start textFormat textRotation "
    "userEnteredFormat defaultFormat spreadsheetTheme"
)
_NUMBERS = _named("red green blue alpha numberValue")
_LISTS_OF_MESSAGES = _named(
    "comparisonColumns dataFilters filterSpecs ranges rows sheets sortSpecs textFormatRuns "
    "themeColors unprotectedRanges values"
)
_MESSAGES_BY_NAME = frozenset({"borders", "criteria"})
_LISTS_OF_TEXTS = frozenset({"users", "groups", "responseRanges"})
# Fields that Google would store or obey, and the emulator would drop.
_NOT_KEPT = _named(
    "chipRuns dataSourceColumnReference dataSourceFormula dataSourceSheetDimensions "
    "dataSourceSheetProperties dataSourceSheetRange dataSourceTable filteredRowsIncluded "
    "pivotTable tableId useAlternateSeries"
)


def checked_message(value: Any, where: str = "") -> Any:
    """Return a message without its null fields, which mean the same as absent ones.

    Raises Google's 400 for a field that cannot be of its type, and a 501 for one that the
    emulator would drop.
    """
    if isinstance(value, list):
        return [checked_message(item, f"{where}[{place}]") for place, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    return {
        name: _field(name, part, f"{where}.{name}".lstrip("."))
        for name, part in value.items()
        if part is not None
    }


def expect_message(value: Any, where: str) -> dict[str, Any]:
    """Return an object; raise Google's 400 for anything else."""
    if not isinstance(value, dict):
        raise _wrong(where, "TYPE_MESSAGE", value)
    return value


def expect_list(value: Any, where: str) -> list[Any]:
    """Return a list; raise Google's 400 for anything else."""
    if not isinstance(value, list):
        raise _wrong(where, "TYPE_MESSAGE", value)
    return value


def _field(name: str, value: Any, where: str) -> Any:
    if name in _NOT_KEPT and value:
        raise sheets_unimplemented(f"The emulator does not keep {where}.")
    if name in _INTEGERS:
        return _integer(value, where)
    if name in _TEXTS:
        _expect_text(value, where)
    if name in _NUMBERS and not isinstance(value, (int, float)):
        raise _wrong(where, "TYPE_DOUBLE", value)
    if name in _MESSAGES or _is_color(name):
        expect_message(value, where)
    _check_items(name, value, where)
    if isinstance(value, float) and not math.isfinite(value):
        raise _wrong(where, "TYPE_DOUBLE", str(value))
    return checked_message(value, where)


def _check_items(name: str, value: Any, where: str) -> None:
    if name in _MESSAGES_BY_NAME:
        for key, item in expect_message(value, where).items():
            expect_message({} if item is None else item, f"{where}.{key}")
    if name in _LISTS_OF_MESSAGES:
        for place, item in enumerate(expect_list(value, where)):
            expect_message(item, f"{where}[{place}]")
    if name in _LISTS_OF_TEXTS:
        for place, item in enumerate(expect_list(value, where)):
            _expect_text(item, f"{where}[{place}]")


def _expect_text(value: Any, where: str) -> None:
    if not isinstance(value, str):
        raise _wrong(where, "TYPE_STRING", value)


def _integer(value: Any, where: str) -> int:
    """Return an integer, which JSON may also hold as a text or with a fraction of zero."""
    try:
        number = value if isinstance(value, int) else float(value)
        if not isinstance(value, bool) and number == int(number):
            return int(number)
    except (TypeError, ValueError, OverflowError):
        pass
    raise _wrong(where, "TYPE_INT32", value)


def _is_color(name: str) -> bool:
    low = name.lower()
    return low.endswith(("color", "colorstyle")) and name != "themeColor"


def _wrong(where: str, kind: str, value: object) -> ApiError:
    return invalid_field(where, f"Invalid value at '{where}' ({kind}), {json.dumps(value)}")
