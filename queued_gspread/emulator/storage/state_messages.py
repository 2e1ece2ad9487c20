"""Messages of Google's APIs in a state, in the form in which accepted requests left them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.a1 import SIDES
from queued_gspread.emulator.book.developer_metadata import located
from queued_gspread.emulator.wire.errors import ApiError, InvalidArgumentError
from queued_gspread.emulator.wire.messages import read_message

from .state_part import DamagedError, Part

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]
# The kind of the messages in a list, and the fields that the emulator looks up in each of them
# without checking that they exist.
_LISTS = {
    "named_ranges": ("NamedRange", "namedRangeId", "name", "range"),
    "protected_ranges": ("ProtectedRange", "protectedRangeId"),
    "banded_ranges": ("BandedRange", "bandedRangeId", "range"),
    "filter_views": ("FilterView", "filterViewId"),
    "charts": ("EmbeddedChart", "chartId", "spec", "position"),
    "slicers": ("Slicer", "slicerId", "spec", "position"),
    "tables": ("Table", "tableId", "name", "range", "rowsProperties", "columnProperties"),
    "conditional_formats": ("ConditionalFormatRule", "ranges"),
    "developer_metadata": ("DeveloperMetadata", "metadataId", "metadataKey", "location"),
}
_OF_DRIVE = {"permissions": ("id", "type", "role"), "comments": ("id",)}
_TEXTS_OF_DRIVE = {"emailAddress", "domain", "displayName"}
LISTS = frozenset(_LISTS.keys() | _OF_DRIVE.keys())


def messages_of(part: Part, name: str) -> list[Json]:
    """Return the messages of a list of this name; raise DamagedError if one is invalid."""
    if name in _OF_DRIVE:
        return [_of_drive(item, _OF_DRIVE[name]) for item in part]
    kind, *needed = _LISTS[name]
    found = [message_of(kind, item, needed) for item in part]
    for item in part:
        if name == "developer_metadata":
            _check_location(item["location"])
        elif name == "named_ranges":
            _check_range(item["range"])
        elif name in {"charts", "slicers"}:
            item["position"]["overlayPosition"]["anchorCell"].expect(dict)
        elif name == "tables":
            for side in SIDES:
                item["range"][side].expect(int)
            _check_range(item["range"])
    return found


def _of_drive(part: Part, needed: Iterable[str]) -> Json:
    """Return a message of the Drive API, which may also have null for a field."""
    for name in needed:
        part[name].expect(str)
    for name in _TEXTS_OF_DRIVE & part.expect(dict).keys():
        if part[name].content is not None:
            part[name].expect(str)
    return part.expect(dict)


def _check_range(part: Part) -> None:
    if min(part.content.get(side, 0) for side in SIDES) < 0:
        raise DamagedError(f"{part.place} has an index below 0")


def _check_location(part: Part) -> None:
    try:
        is_one = located(part.content) == part.content
    except (InvalidArgumentError, ValueError):
        is_one = False
    if not is_one:
        raise DamagedError(f"{part.place} is no place of a spreadsheet")


def message_of(kind: str, part: Part, needed: Iterable[str] = ()) -> Json:
    """Return a message that has the needed fields; raise DamagedError if it is invalid."""
    found = part.expect(dict)
    for name in needed:
        part[name]
    try:
        as_left = read_message(kind, found, part.place, is_kept=True)
    except ApiError as error:
        raise DamagedError(str(error)) from error
    if as_left != found:
        raise DamagedError(f"{part.place} has null, or a number as a text, for one of its fields")
    return found
