"""Whether a batch of requests, a ``spreadsheets:batchUpdate``, may be sent twice.

Google's reference of the requests:
https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/request
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "IDEMPOTENT",
    "NOT_IDEMPOTENT",
    "Commutes",
    "RepeatRule",
    "commutes_of",
    "is_idempotent_batch",
]

Json = dict[str, Any]


class Commutes(Enum):
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
class RepeatRule:
    """On what terms a kind of request may be repeated.

    Attributes:
        commutes: With which others.
        fields: The paths that its mask may name, with all that is below them; None: any.
        holds: What else has to be true of it.

    """

    commutes: Commutes
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


_ALONE: Final = (RepeatRule(Commutes.ALONE),)

_CELLS: Final = (
    RepeatRule(Commutes.VALUES, frozenset({"userEnteredValue", "note"})),
    RepeatRule(Commutes.LOOKS, frozenset({"userEnteredFormat", "note"})),
    # Runs have to fit the text that is there: another request may have shortened it.
    RepeatRule(Commutes.ALONE, frozenset({"userEnteredValue", "textFormatRuns", "note"})),
    # A value that the rule rejects may be refused the second time.
    RepeatRule(Commutes.ALONE, frozenset({"dataValidation"})),
)

IDEMPOTENT: Final[dict[str, tuple[RepeatRule, ...]]] = {
    "autoResizeDimensions": _ALONE,  # the size depends on what the other requests write
    "clearBasicFilter": _ALONE,
    "mergeCells": _ALONE,  # merging again what is merged is accepted, partly merged is not
    "repeatCell": _CELLS,
    "setBasicFilter": (RepeatRule(Commutes.ALONE, holds=_sorts_nothing),),  # hides by content
    "setDataValidation": _ALONE,  # as for cells
    "unmergeCells": _ALONE,
    "updateBanding": _ALONE,
    "updateBorders": (RepeatRule(Commutes.LOOKS),),
    "updateCells": _CELLS,
    "updateChartSpec": _ALONE,
    "updateDimensionGroup": _ALONE,
    "updateDimensionProperties": (
        RepeatRule(Commutes.LOOKS, frozenset({"pixelSize"})),
        # Not all rows can be hidden at a time, so that the order of hiding and showing matters.
        RepeatRule(Commutes.ALONE, frozenset({"pixelSize", "hiddenByUser"})),
    ),
    "updateEmbeddedObjectBorder": _ALONE,
    "updateFilterView": _ALONE,
    "updateNamedRange": _ALONE,  # formulas refer to it
    "updateProtectedRange": (
        # Who takes the right to edit from himself is refused the second time.
        RepeatRule(Commutes.ALONE, frozenset({"description", "range", "unprotectedRanges"})),
    ),
    "updateSheetProperties": (
        RepeatRule(
            Commutes.LOOKS,
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
        RepeatRule(
            Commutes.ALONE,
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

NOT_IDEMPOTENT: Final[dict[str, str]] = {
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


def is_idempotent_batch(body: Json | None) -> bool:
    """Tell whether a batch may be sent again when nobody knows whether it was applied."""
    parts = _parts(body)
    if not parts:
        return False
    if len(parts) == 1:
        return bool(_companies(*parts[0]))
    return bool(_shared(parts)) or _puts_in_order(parts)


def commutes_of(items: Sequence[Json]) -> set[Commutes]:
    """Return with which others the requests of a batch may stand in a larger one that is repeated.

    Args:
        items: One or more requests, each an object with one name.

    """
    parts = _parts({"requests": items})
    return _shared(parts) if parts else set()


def _shared(parts: Sequence[tuple[str, Json]]) -> set[Commutes]:
    return set.intersection(*(_companies(kind, about) for kind, about in parts)) - {Commutes.ALONE}


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


def _companies(kind: str, about: Json) -> set[Commutes]:
    return {terms.commutes for terms in IDEMPOTENT.get(kind, ()) if terms.allow(about)}


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
