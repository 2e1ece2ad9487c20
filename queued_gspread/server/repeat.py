"""Whether a request may be sent twice when nobody knows whether the first was applied.

It may if the second changes nothing more and is answered alike. What is in no table here is not
repeated, nor is what cannot be read. Google's reference of the requests in a batch:
https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/request
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from .request import CREDENTIALS, Request

__all__ = ["NOT_REPEATABLE", "REPEATABLE", "ROUTES", "Company", "Route", "Terms", "may_repeat"]

Json = dict[str, Any]


class Company(Enum):
    """With which others a request may stand in a batch that is repeated.

    That each request of a batch may be repeated does not make the batch repeatable: the first
    meets, the second time, what the later ones have left. Requests that put fixed content at
    fixed places and are accepted whatever is there can be mixed: the last one at a place wins,
    both times. Values and looks are kept apart, since what a formula becomes depends on its
    cell's number format.
    """

    ALONE = auto()
    VALUES = auto()
    LOOKS = auto()


@dataclass(frozen=True)
class Terms:
    """On what terms a kind of request may be repeated.

    Attributes:
        company: With which others.
        fields: The paths that its mask may name, with all that is below them; None: any.
        holds: What else has to be true of it.

    """

    company: Company
    fields: frozenset[str] | None = None
    holds: Callable[[Json], bool] | None = None

    def allow(self, about: Json) -> bool:
        """Tell whether a request of the kind is within these terms."""
        if self.holds is not None and not self.holds(about):
            return False
        return self.fields is None or _is_within(about.get("fields"), self.fields)


def _is_within(mask: Any, allowed: frozenset[str]) -> bool:
    """Tell whether a field mask names nothing but what is allowed."""
    if not isinstance(mask, str):
        return False
    # gspread writes both userEnteredFormat(bold) and gridProperties/rowCount.
    paths = re.sub(r"\([^()]*\)", "", mask).replace("/", ".").split(",")
    return all(
        any(path == name or path.startswith(name + ".") for name in allowed)
        for path in map(str.strip, paths)
    )


def _sorts_nothing(about: Json) -> bool:
    """Tell whether a filter is known to leave the rows where they are: sortSpecs moves them."""
    known = {"range", "criteria", "filterSpecs", "tableId"}
    return isinstance(about.get("filter"), dict) and about["filter"].keys() <= known


_ALONE: Final = (Terms(Company.ALONE),)

_CELLS: Final = (
    Terms(Company.VALUES, frozenset({"userEnteredValue", "note"})),
    Terms(Company.LOOKS, frozenset({"userEnteredFormat", "note"})),
    # Runs have to fit the text that is there: another request may have shortened it.
    Terms(Company.ALONE, frozenset({"userEnteredValue", "textFormatRuns", "note"})),
    # A value that the rule rejects may be refused the second time.
    Terms(Company.ALONE, frozenset({"dataValidation"})),
)

REPEATABLE: Final[dict[str, tuple[Terms, ...]]] = {
    "autoResizeDimensions": _ALONE,  # the size depends on what the other requests write
    "clearBasicFilter": _ALONE,
    "mergeCells": _ALONE,  # merging again what is merged is accepted, partly merged is not
    "repeatCell": _CELLS,
    "setBasicFilter": (Terms(Company.ALONE, holds=_sorts_nothing),),  # hides by content
    "setDataValidation": _ALONE,  # as for cells
    "unmergeCells": _ALONE,
    "updateBanding": _ALONE,
    "updateBorders": (Terms(Company.LOOKS),),
    "updateCells": _CELLS,
    "updateChartSpec": _ALONE,
    "updateDimensionGroup": _ALONE,
    "updateDimensionProperties": (
        Terms(Company.LOOKS, frozenset({"pixelSize"})),
        # Not all rows can be hidden at a time, so that the order of hiding and showing matters.
        Terms(Company.ALONE, frozenset({"pixelSize", "hiddenByUser"})),
    ),
    "updateEmbeddedObjectBorder": _ALONE,
    "updateFilterView": _ALONE,
    "updateNamedRange": _ALONE,  # formulas refer to it
    "updateProtectedRange": (
        # Who takes the right to edit from himself is refused the second time.
        Terms(Company.ALONE, frozenset({"description", "range", "unprotectedRanges"})),
    ),
    "updateSheetProperties": (
        Terms(
            Company.LOOKS,
            frozenset(
                {
                    "gridProperties.frozenColumnCount",
                    "gridProperties.frozenRowCount",
                    "gridProperties.hideGridlines",
                    "rightToLeft",
                    "tabColor",
                    "tabColorStyle",
                }
            ),
        ),
        # Formulas refer to titles, and titles are distinct. Cells go when a grid shrinks.
        # An index is counted before the move, and the own one or the next is ignored.
        Terms(
            Company.ALONE,
            frozenset(
                {
                    "gridProperties",
                    "hidden",
                    "index",
                    "rightToLeft",
                    "tabColor",
                    "tabColorStyle",
                    "title",
                }
            ),
        ),
    ),
    "updateSlicerSpec": _ALONE,  # hides by content
    "updateSpreadsheetProperties": _ALONE,  # formulas are read in the locale
}
"""The kinds of request in a batch that may be repeated, and on what terms."""

_ADDS: Final = "adds another, or is refused for the name of the first"
_GONE: Final = "what was deleted cannot be deleted again, or something else has its place"
_SHIFTS: Final = "shifts what is there once more"
_COUNTS: Final = "answers what it changed, which is nothing the second time"
_UNSURE: Final = "what a second one does is not documented"

NOT_REPEATABLE: Final[dict[str, str]] = {
    "addBanding": _ADDS,
    "addChart": _ADDS,
    "addConditionalFormatRule": _ADDS,
    "addDataSource": _ADDS,
    "addDimensionGroup": "groups the range one level deeper",
    "addFilterView": _ADDS,
    "addNamedRange": _ADDS,
    "addProtectedRange": _ADDS,
    "addSheet": _ADDS,
    "addSlicer": _ADDS,
    "addTable": _ADDS,
    "appendCells": _ADDS,
    "appendDimension": _ADDS,
    "autoFill": "continues what the first has filled in",
    "cancelDataSourceRefresh": _UNSURE,
    "copyPaste": "copies its own result where source and destination overlap",
    "createDeveloperMetadata": _ADDS,
    "cutPaste": "cuts what the first has emptied",
    "deleteBanding": _GONE,
    "deleteConditionalFormatRule": _GONE,
    "deleteDataSource": _GONE,
    "deleteDeveloperMetadata": _GONE,
    "deleteDimension": _GONE,
    "deleteDimensionGroup": "takes another level off the group",
    "deleteDuplicates": _COUNTS,
    "deleteEmbeddedObject": _GONE,
    "deleteFilterView": _GONE,
    "deleteNamedRange": _GONE,
    "deleteProtectedRange": _GONE,
    "deleteRange": _SHIFTS,
    "deleteSheet": _GONE,
    "deleteTable": _GONE,
    "duplicateFilterView": _ADDS,
    "duplicateSheet": _ADDS,
    "findReplace": _COUNTS,
    "insertDimension": _SHIFTS,
    "insertRange": _SHIFTS,
    "moveDimension": _SHIFTS,
    "pasteData": _UNSURE,
    "randomizeRange": "shuffles again",
    "refreshDataSource": "starts another execution",
    "sortRange": "keys that depend on their row, as =ROW() does, sort otherwise once moved",
    "textToColumns": "splits what the first has split",
    "trimWhitespace": _COUNTS,
    "updateConditionalFormatRule": "answers the old rule, which is the new one by then",
    "updateDataSource": "starts another execution",
    "updateDeveloperMetadata": "may no longer find what it looks for and has changed",
    "updateEmbeddedObjectPosition": "puts the object on another new sheet, if it says so",
    "updateTable": _UNSURE,
}
"""The kinds of request in a batch that are known and may not be repeated, and why."""


@dataclass(frozen=True)
class Route:
    """A method and a path of Google's, and whether a request to it may be repeated."""

    method: str
    path: str
    answer: bool | Callable[[Request], bool]


def may_repeat(request: Request) -> bool:
    """Tell whether a request may be sent again when nobody knows whether it was applied."""
    method = _method(request)
    if method in ("GET", "HEAD", CREDENTIALS):
        return True
    if request.files or not isinstance(request.data, str | bytes | Mapping | None):
        return False  # a file or a generator has been read to its end
    found = route(method, _url(request)[0])
    if found is None:
        return False
    return found.answer if isinstance(found.answer, bool) else found.answer(request)


def route(method: str, path: str) -> Route | None:
    """Return what the table says of a method and a path; None if it does not know them."""
    for known in ROUTES:
        if known.method == method and re.fullmatch(known.path, path):
            return known
    return None


def _method(request: Request) -> str:
    """Return the method that Google will see, or nothing if that is uncertain."""
    given = request.headers or {}
    if not isinstance(given, Mapping):
        return ""
    headers = {str(name).lower(): value for name, value in given.items()}
    method = str(request.method).upper()
    override = headers.get("x-http-method-override")
    if override is None:
        return method
    # google-api-python-client sends a GET so when its URL is long.
    return "GET" if (method, str(override).upper()) == ("POST", "GET") else ""


def _url(request: Request) -> tuple[str, str]:
    try:
        parts = urlsplit(request.endpoint)
    except (ValueError, AttributeError, TypeError):
        return "", ""
    return str(parts.path), str(parts.query)


def _query(request: Request) -> list[tuple[str, str]] | None:
    """Return the pairs of the query, from the endpoint and the params; None if unreadable."""
    params = request.params or ()
    pairs = parse_qsl(_url(request)[1], keep_blank_values=True)
    if isinstance(params, Mapping):
        params = list(params.items())
    if not isinstance(params, list | tuple):
        return None
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in params):  # noqa: PLR2004 - a pair
        return None
    return pairs + [(str(name), str(value)) for name, value in params]


def _body(request: Request) -> Json | None:
    """Return the JSON object that is sent; None if it is none or cannot be read."""
    body = request.json
    if request.data:  # requests sends this one, if both are given
        if not isinstance(request.data, str | bytes):
            return None
        try:
            body = json.loads(request.data, object_pairs_hook=_distinct)
        except (ValueError, RecursionError):
            return None
    return body if isinstance(body, dict) else None


def _distinct(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice: which one Google takes is not known")
    return found


def _batch(request: Request) -> bool:
    """Judge a ``spreadsheets:batchUpdate``."""
    parts = _parts(_body(request))
    if not parts:
        return False
    companies = [_companies(kind, about) for kind, about in parts]
    if len(parts) == 1:
        return bool(companies[0])
    return bool(set.intersection(*companies) - {Company.ALONE}) or _puts_in_order(parts)


def _parts(body: Json | None) -> list[tuple[str, Json]]:
    """Return kind and content of the requests in a batch; nothing if one cannot be read."""
    around = {"includeSpreadsheetInResponse", "responseIncludeGridData", "responseRanges"}
    if body is None or not body.keys() <= around | {"requests"}:
        return []
    items = body.get("requests")
    if not isinstance(items, list | tuple):
        return []
    if not all(isinstance(item, dict) and len(item) == 1 for item in items):
        return []
    parts = [pair for item in items for pair in item.items()]
    return parts if all(isinstance(about, dict) for _, about in parts) else []


def _companies(kind: str, about: Json) -> set[Company]:
    return {terms.company for terms in REPEATABLE.get(kind, ()) if terms.allow(about)}


def _puts_in_order(parts: list[tuple[str, Json]]) -> bool:
    """Tell whether a batch puts distinct sheets at 0, 1, 2 … in turn.

    An index is counted before the move; the own one or the next is ignored:
    https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/sheets
    Each of these moves comes from further right, so that once all are made none does anything.
    """
    sheets = []
    for place, (kind, about) in enumerate(parts):
        given = about.get("properties")
        if kind != "updateSheetProperties" or about.get("fields") != "index":
            return False
        if not isinstance(given, dict) or given.keys() != {"sheetId", "index"}:
            return False
        if type(given["index"]) is not int or given["index"] != place:
            return False
        sheets.append(str(given["sheetId"]))
    return len(set(sheets)) == len(sheets)


def _renames(request: Request) -> bool:
    """Judge a PATCH of a file: adding a parent twice is refused, as is taking it away."""
    body, query = _body(request), _query(request)
    if body is None or query is None:
        return False
    known = {"appProperties", "description", "name", "properties", "starred", "trashed"}
    return body.keys() <= known and {name for name, _ in query} <= _COMMON_PARAMS


def _replaces_content(request: Request) -> bool:
    """Judge an upload in place of a file's content; other types of upload carry metadata."""
    query = _query(request)
    if query is None or not isinstance(request.data, str | bytes):
        return False
    known = _COMMON_PARAMS | {"convert", "newRevision", "uploadType"}
    types = [value for name, value in query if name == "uploadType"]
    return types == ["media"] and {name for name, _ in query} <= known


_COMMON_PARAMS: Final = frozenset(
    {"alt", "fields", "key", "prettyPrint", "quotaUser", "supportsAllDrives", "supportsTeamDrives"}
)

_SHEETS: Final = "/v4/spreadsheets"
_ONE: Final = f"{_SHEETS}/[^/:]+"
_RANGE: Final = f"{_ONE}/values/[^/]+"  # may have a colon in it: the last one begins the verb
_FILES: Final = "/drive/v3/files"
_FILE: Final = f"{_FILES}/[^/:]+"

ROUTES: Final = (
    Route("POST", _SHEETS, False),
    Route("POST", f"{_ONE}:batchUpdate", _batch),
    Route("POST", f"{_ONE}:getByDataFilter", True),  # reads
    Route("POST", f"{_ONE}/developerMetadata:search", True),  # reads
    Route("POST", f"{_ONE}/sheets/[0-9]+:copyTo", False),
    Route("PUT", _RANGE, True),
    Route("POST", f"{_RANGE}:append", False),
    Route("POST", f"{_RANGE}:clear", True),
    Route("POST", f"{_ONE}/values:batchClear", True),
    Route("POST", f"{_ONE}/values:batchUpdate", True),
    Route("POST", f"{_ONE}/values:batchGetByDataFilter", True),  # reads
    # Values are neither places nor metadata: the filters select the same cells again.
    Route("POST", f"{_ONE}/values:batchClearByDataFilter", True),
    Route("POST", f"{_ONE}/values:batchUpdateByDataFilter", True),
    Route("POST", _FILES, False),
    Route("POST", f"{_FILE}/copy", False),
    Route("POST", f"{_FILE}/comments", False),
    Route("POST", f"{_FILE}/permissions", False),  # sends another mail
    Route("PATCH", _FILE, _renames),
    # Who takes a right from himself is refused the second time; an owner to be gets a mail.
    Route("PATCH", f"{_FILE}/permissions/[^/:]+", False),
    Route("DELETE", _FILE, False),  # a second one answers 404
    Route("DELETE", f"{_FILE}/permissions/[^/:]+", False),  # as does this
    Route("PUT", "/upload/drive/v2/files/[^/:]+", _replaces_content),
)
"""Google's methods and paths that are known, reads aside; the first that fits counts."""
