"""Messages of Google's APIs in a state, in the form in which accepted requests left them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.developer_metadata import located
from queued_gspread.emulator.wire.errors import ApiError, InvalidArgumentError
from queued_gspread.emulator.wire.messages import read_message

from .state_part import DamagedError, Part

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]
_KINDS = {
    "named_ranges": "NamedRange",
    "protected_ranges": "ProtectedRange",
    "banded_ranges": "BandedRange",
    "filter_views": "FilterView",
    "tables": "Table",
    "charts": "EmbeddedChart",
    "slicers": "Slicer",
    "conditional_formats": "ConditionalFormatRule",
    "developer_metadata": "DeveloperMetadata",
}
# Fields that the emulator looks up in each message of a list without checking that they exist.
_NEEDED: dict[str, dict[str, type]] = {
    "named_ranges": {"namedRangeId": str, "name": str, "range": dict},
    "protected_ranges": {"protectedRangeId": int},
    "banded_ranges": {"bandedRangeId": int, "range": dict},
    "filter_views": {"filterViewId": int},
    "charts": {"chartId": int, "spec": dict, "position": dict},
    "slicers": {"slicerId": int, "spec": dict, "position": dict},
    "tables": {
        "tableId": str,
        "name": str,
        "range": dict,
        "rowsProperties": dict,
        "columnProperties": list,
    },
    "conditional_formats": {"ranges": list},
    "developer_metadata": {"metadataId": int, "metadataKey": str, "location": dict},
    "permissions": {"id": str, "type": str, "role": str},
    "comments": {"id": str},
}
_SIDES = [f"{end}{what}Index" for end in ("start", "end") for what in ("Row", "Column")]
_OF_DRIVE = {"permissions", "comments"}
_TEXTS_OF_DRIVE = {"emailAddress", "domain", "displayName"}
LISTS = frozenset(_NEEDED)


def messages_of(part: Part, name: str) -> list[Json]:
    """Return the messages of a list of this name; raise DamagedError if one is invalid."""
    if name in _OF_DRIVE:
        return [_of_drive(item, _NEEDED[name]) for item in part]
    found = [message_of(_KINDS[name], item, _NEEDED[name]) for item in part]
    for item in part:
        if name == "developer_metadata":
            _check_location(item["location"])
        elif name == "named_ranges":
            _check_range(item["range"])
        elif name in {"charts", "slicers"}:
            item["position"]["overlayPosition"]["anchorCell"].expect(dict)
        elif name == "tables":
            for side in _SIDES:
                item["range"][side].expect(int)
            _check_range(item["range"])
    return found


def _of_drive(part: Part, needed: Mapping[str, type]) -> Json:
    """Return a message of the Drive API, which may also have null for a field."""
    for name in needed:
        part[name].expect(needed[name])
    for name in _TEXTS_OF_DRIVE & part.expect(dict).keys():
        if part[name].content is not None:
            part[name].expect(str)
    return part.expect(dict)


def _check_range(part: Part) -> None:
    if min(part.content.get(side, 0) for side in _SIDES) < 0:
        raise DamagedError(f"{part.place} has an index below 0")


def _check_location(part: Part) -> None:
    try:
        is_one = located(part.content) == part.content
    except (InvalidArgumentError, ValueError):
        is_one = False
    if not is_one:
        raise DamagedError(f"{part.place} is no place of a spreadsheet")


def message_of(kind: str, part: Part, needed: Mapping[str, type] | None = None) -> Json:
    """Return a message that has the needed fields; raise DamagedError if it is invalid."""
    found = part.expect(dict)
    for name, expected in (needed or {}).items():
        part[name].expect(expected)
    try:
        as_left = read_message(kind, found, part.place, is_kept=True)
    except ApiError as error:
        raise DamagedError(str(error)) from error
    if as_left != found:
        raise DamagedError(f"{part.place} has null, or a number as a text, for one of its fields")
    return found
