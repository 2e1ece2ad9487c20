"""Every kind of request in a ``spreadsheets:batchUpdate``, a row each: idempotence, how to check.

The rows are plain data; ``policy.batch_idempotency`` applies the rules to a batch. Any kind may be
merged with others, as long as the whole stays idempotent if its parts are (``merging.batches``).
``tests/google_api/test_google_api_methods.py`` compares the rows with the discovery document of
Sheets v4: it fails for a kind that Google adds until there is a row for it here. The emulator
answers a kind that has a row here and no handler in ``emulator/batch/`` with 501.

Google's reference of the requests:
https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/request
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

__all__ = ["BATCH_REQUESTS", "BatchRequest", "Commutes", "RepeatRule"]


class Commutes(Enum):
    """Which others a request can be mixed with in an idempotent batch.

    A batch of idempotent requests need not be idempotent: on a retry, the first request meets what
    the later ones have left. Requests can be mixed if they put fixed content at fixed places and
    are accepted whatever is there: the last one at a place wins, both times. Values and looks are
    kept apart, since the result of entering a formula depends on the cell's number format.
    """

    ALONE = auto()
    VALUES = auto()
    LOOKS = auto()


@dataclass(frozen=True)
class RepeatRule:
    """The conditions under which a request of a kind is idempotent.

    Attributes:
        commutes: Which others it can be mixed with then.
        fields: The paths that its field mask may name, with everything below them; None for any.
        inside: The name of an object that it must have, and the only keys that this may have; None
            if there is no such condition.

    """

    commutes: Commutes
    fields: frozenset[str] | None = None
    inside: tuple[str, frozenset[str]] | None = None


@dataclass(frozen=True)
class BatchRequest:
    """A kind of request in a batch.

    Attributes:
        kind: Its name in the JSON.
        idempotent: The rules, of which one must hold; or, as text, why it never is idempotent.
        check: What to look at if it is unknown whether it was applied. The text continues the
            words "Before you call again, "; ``policy.check_hints`` fills in the braces.
        lent: Whether a batch with it may go out under another account that may edit the
            spreadsheet; all others go out under the namespace's own account alone.
        own_fields: Parts of the names of fields for which that does not hold: if it has such a
            field, or its field mask names one.

    """

    kind: str
    idempotent: tuple[RepeatRule, ...] | str
    check: str
    lent: bool = False
    own_fields: frozenset[str] = frozenset()


def _rule(commutes: Commutes, fields: str) -> RepeatRule:
    return RepeatRule(commutes, frozenset(fields.split()))


# When a kind is idempotent. ----------------------------------------------------------------------

_ALONE: Final = (RepeatRule(Commutes.ALONE),)
_LOOKS: Final = (RepeatRule(Commutes.LOOKS),)
_CELLS: Final = (
    _rule(Commutes.VALUES, "userEnteredValue note"),
    _rule(Commutes.LOOKS, "userEnteredFormat note"),
    # Runs must fit the cell's text, which another request may have shortened.
    _rule(Commutes.ALONE, "userEnteredValue textFormatRuns note"),
    # If the rule rejects a value, writing it may be refused the second time.
    _rule(Commutes.ALONE, "dataValidation"),
)
# A filter hides rows by content, and sortSpecs would move them.
_FILTER_NAMES: Final = frozenset({"range", "criteria", "filterSpecs", "tableId"})
_FILTER: Final = (RepeatRule(Commutes.ALONE, inside=("filter", _FILTER_NAMES)),)
_DIMENSIONS: Final = (
    _rule(Commutes.LOOKS, "pixelSize"),
    # Not all rows can be hidden at once, so the order of hiding and showing matters.
    _rule(Commutes.ALONE, "pixelSize hiddenByUser"),
)
# A caller who removes his own right to edit is refused the second time.
_PROTECTION: Final = (_rule(Commutes.ALONE, "description range unprotectedRanges"),)
_SHEET: Final = (
    _rule(
        Commutes.LOOKS,
        "gridProperties.frozenColumnCount gridProperties.frozenRowCount "
        "gridProperties.hideGridlines rightToLeft tabColor tabColorStyle",
    ),
    # Formulas refer to titles, and titles must be distinct. A grid that shrinks loses cells.
    # Google counts the index before the move, and ignores a move to the own index or the next.
    _rule(Commutes.ALONE, "gridProperties hidden index rightToLeft tabColor tabColorStyle title"),
)

# Why a kind is not idempotent. -------------------------------------------------------------------

_ADDS: Final = "adds another, or is refused for the name of the first"
_AGAIN: Final = "continues what the first has filled in"
_CUTS: Final = "cuts what the first has emptied"
_COPIES: Final = "copies its own result where source and destination overlap"
_COUNTS: Final = "answers what it changed, which is nothing the second time"
_DEEPER: Final = "groups the range one level deeper"
_GONE: Final = "what was deleted cannot be deleted again, or something else has its place"
_HIGHER: Final = "takes another level off the group"
_LOST: Final = "may no longer find what it looks for and has changed"
_NEW_SHEET: Final = "puts the object on another new sheet, if it says so"
_NOTIFIES: Final = "may notify the people whom the text mentions once more"
_OLD_RULE: Final = "answers the old rule, which is the new one by then"
_RUNS: Final = "starts another execution"
_SHIFTS: Final = "shifts what is there once more"
_SHUFFLES: Final = "shuffles again"
_SORTS: Final = "keys that depend on their row, as =ROW() does, sort otherwise once moved"
_SPLITS: Final = "splits what the first has split"
_UNSURE: Final = "what a second one does is not documented"

# What to look at. --------------------------------------------------------------------------------


def _metadata(things: str) -> str:
    return f"fetch the metadata of the spreadsheet (`fetch_sheet_metadata()`) and look at {things}"


_WORKSHEETS: Final = "list the worksheets (`worksheets()`) and look"
_TITLED: Final = f"{_WORKSHEETS} for one titled {{title}}"
_REMOVED: Final = f"{_WORKSHEETS} whether {{sheet}} is gone"
_MOVED: Final = "read {sheet} and look whether cells have moved"
_FILLED: Final = "read {sheet} and look whether the cells are filled as they were to be"
_CHANGED: Final = "read {sheet} and look whether the cells are still as they were"
_SORTED: Final = "read {sheet} and look at the order of its rows"
_CUT_OUT: Final = "read {sheet} and look whether what was in {span} is gone"
_CAME_IN: Final = "read {sheet} and look whether {span} came in, and what was there moved on"
_STANDS: Final = "read {sheet} and look where what was in {span} stands now"
_AT_THE_END: Final = "look for the rows at the end of {sheet}"
_GROWN: Final = "look at the size of {sheet}: it has grown if this was applied"
_SET: Final = "look whether {sheet} has what was to be set"
_COMMENTS: Final = "list the file's comments and replies and look whether they have changed"
_GROUPS: Final = _metadata("the groups of rows and columns of {sheet}")
_BANDS: Final = _metadata("the banded ranges of {sheet}")
_OBJECTS: Final = _metadata("the charts and other objects of {sheet}")
_RULES: Final = _metadata("the conditional formats of {sheet}")
_SOURCES: Final = _metadata("the data sources")
_DEVELOPERS: Final = _metadata("the developer metadata")
_VIEWS: Final = _metadata("the filter views of {sheet}")
_NAMES: Final = _metadata("the named ranges")
_PROTECTED: Final = _metadata("the protected ranges of {sheet}")
_SLICERS: Final = _metadata("the slicers of {sheet}")
_TABLES: Final = _metadata("the tables of {sheet}")

# The rows. ---------------------------------------------------------------------------------------

# A chip stands for what its account can see, a data source is read as that account, and developer
# metadata are its project's.
_OWN_FIELDS: Final = frozenset({"*", "chipRuns", "dataSource", "developerMetadata", "pivotTable"})


def _lent(kind: str, idempotent: tuple[RepeatRule, ...] | str, check: str) -> BatchRequest:
    return BatchRequest(kind, idempotent, check, lent=True, own_fields=_OWN_FIELDS)


# Not lent is what says who may edit a range, and the copy of a sheet that has such ranges; what has
# an author; developer metadata, which are a project's; data sources and charts, which may be of
# one, as they are read as somebody; and what a spreadsheet trusts.
_ROWS: Final = (
    _lent("addBanding", _ADDS, _BANDS),
    BatchRequest("addChart", _ADDS, _OBJECTS),
    BatchRequest("addCommentReply", _ADDS, _COMMENTS),
    _lent("addConditionalFormatRule", _ADDS, _RULES),
    BatchRequest("addDataSource", _ADDS, _SOURCES),
    _lent("addDimensionGroup", _DEEPER, _GROUPS),
    _lent("addFilterView", _ADDS, _VIEWS),
    _lent("addNamedRange", _ADDS, _NAMES),
    BatchRequest("addProtectedRange", _ADDS, _PROTECTED),
    _lent("addSheet", _ADDS, _TITLED),
    _lent("addSlicer", _ADDS, _SLICERS),
    _lent("addTable", _ADDS, _TABLES),
    _lent("appendCells", _ADDS, _AT_THE_END),
    _lent("appendDimension", _ADDS, _GROWN),
    _lent("autoFill", _AGAIN, _FILLED),
    # The new size depends on what the other requests write.
    _lent("autoResizeDimensions", _ALONE, _SET),
    BatchRequest("cancelDataSourceRefresh", _UNSURE, _SOURCES),
    _lent("clearBasicFilter", _ALONE, _SET),
    _lent("copyPaste", _COPIES, _FILLED),
    BatchRequest("createDeveloperMetadata", _ADDS, _DEVELOPERS),
    _lent("cutPaste", _CUTS, _FILLED),
    _lent("deleteBanding", _GONE, _BANDS),
    BatchRequest("deleteComment", _GONE, _COMMENTS),
    BatchRequest("deleteCommentReply", _GONE, _COMMENTS),
    _lent("deleteConditionalFormatRule", _GONE, _RULES),
    BatchRequest("deleteDataSource", _GONE, _SOURCES),
    BatchRequest("deleteDeveloperMetadata", _GONE, _DEVELOPERS),
    _lent("deleteDimension", _GONE, _CUT_OUT),
    _lent("deleteDimensionGroup", _HIGHER, _GROUPS),
    _lent("deleteDuplicates", _COUNTS, _CHANGED),
    _lent("deleteEmbeddedObject", _GONE, _OBJECTS),
    _lent("deleteFilterView", _GONE, _VIEWS),
    _lent("deleteNamedRange", _GONE, _NAMES),
    BatchRequest("deleteProtectedRange", _GONE, _PROTECTED),
    _lent("deleteRange", _SHIFTS, _MOVED),
    _lent("deleteSheet", _GONE, _REMOVED),
    _lent("deleteTable", _GONE, _TABLES),
    _lent("duplicateFilterView", _ADDS, _VIEWS),
    BatchRequest("duplicateSheet", _ADDS, _TITLED),
    _lent("findReplace", _COUNTS, _CHANGED),
    BatchRequest("insertComment", _ADDS, _COMMENTS),
    _lent("insertDimension", _SHIFTS, _CAME_IN),
    _lent("insertRange", _SHIFTS, _MOVED),
    # Merging a merged range again is accepted; merging one that is partly merged is not.
    _lent("mergeCells", _ALONE, _SET),
    _lent("moveDimension", _SHIFTS, _STANDS),
    _lent("pasteData", _UNSURE, _FILLED),
    _lent("randomizeRange", _SHUFFLES, _SORTED),
    BatchRequest("refreshDataSource", _RUNS, _SOURCES),
    _lent("repeatCell", _CELLS, _SET),
    _lent("setBasicFilter", _FILTER, _SET),
    _lent("setDataValidation", _ALONE, _SET),  # as for cells
    _lent("sortRange", _SORTS, _SORTED),
    _lent("textToColumns", _SPLITS, _FILLED),
    _lent("trimWhitespace", _COUNTS, _CHANGED),
    _lent("unmergeCells", _ALONE, _SET),
    _lent("updateBanding", _ALONE, _SET),
    _lent("updateBorders", _LOOKS, _SET),
    _lent("updateCells", _CELLS, _SET),
    BatchRequest("updateChartSpec", _ALONE, _SET),
    # Its reference says that it acts like a comment in the editor, "notifications, etc." included.
    BatchRequest("updateCommentPost", _NOTIFIES, _COMMENTS),
    _lent("updateConditionalFormatRule", _OLD_RULE, _RULES),
    BatchRequest("updateDataSource", _RUNS, _SOURCES),
    BatchRequest("updateDeveloperMetadata", _LOST, _DEVELOPERS),
    _lent("updateDimensionGroup", _ALONE, _SET),
    _lent("updateDimensionProperties", _DIMENSIONS, _SET),
    _lent("updateEmbeddedObjectBorder", _ALONE, _SET),
    _lent("updateEmbeddedObjectPosition", _NEW_SHEET, _OBJECTS),
    _lent("updateFilterView", _ALONE, _SET),
    _lent("updateNamedRange", _ALONE, _SET),  # formulas refer to named ranges
    BatchRequest("updateProtectedRange", _PROTECTION, _SET),
    _lent("updateSheetProperties", _SHEET, _SET),
    _lent("updateSlicerSpec", _ALONE, _SET),  # a slicer hides rows by content
    BatchRequest("updateSpreadsheetProperties", _ALONE, _SET),  # formulas depend on the locale
    _lent("updateTable", _UNSURE, _TABLES),
)

BATCH_REQUESTS: Final = {row.kind: row for row in _ROWS}
"""Every known kind, by its name."""
