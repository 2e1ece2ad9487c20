"""Which lane a call waits in: one for each spreadsheet, and one for what belongs to none.

Calls of one lane are made one at a time, in order of arrival.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from gspread.exceptions import NoValidUrlKeyFound
from gspread.utils import extract_id_from_url

from .wire_path import path_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .catalogue import Kind

__all__ = ["ACCOUNT_LANE", "lane_of"]

ACCOUNT_LANE: Final = "-"
"""The lane of calls that belong to no spreadsheet, such as opening one by its title."""

# The names that gspread gives to a parameter that holds a spreadsheet's id.
_ID_PARAMETERS: Final = ("id", "file_id", "key")
_ID_IN_PATH: Final = re.compile(r"/(?:v4/spreadsheets|drive/v[23]/files)/([^/:]+)")
_PLAIN_ID: Final = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST: Final = 200


def lane_of(
    kind: Kind, spreadsheet_id: object, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> str:
    """Return the lane of a call on an object of a spreadsheet, or of none (None)."""
    found = spreadsheet_id
    if isinstance(found, str):
        found = _id_sent(found)
    elif found is None:
        for index, parameter in _telling_parameters(kind, method):
            value = args[index] if index < len(args) else kwargs.get(parameter)
            found = _id_in(parameter, value)
    return _as_lane(found)


@cache
def _telling_parameters(kind: Kind, method: str) -> tuple[tuple[int, str], ...]:
    """Return position and name of the parameter that says which spreadsheet is meant."""
    function = getattr(kind.cls, method, None)
    names = list(inspect.signature(function).parameters)[1:] if callable(function) else []
    telling = (*_ID_PARAMETERS, "url", "endpoint")
    return tuple((names.index(name), name) for name in telling if name in names)[:1]


def _id_in(parameter: str, value: object) -> object:
    if not isinstance(value, str):
        return None
    if parameter == "url":
        return _id_in_url(value)
    if parameter == "endpoint":
        return _id_in_path(value)
    return _id_sent(value)


def _id_sent(given: str) -> str | None:
    """Return what is left of an id in a URL's path: gspread puts it there as it is."""
    return given if _PLAIN_ID.fullmatch(given) else _id_in_path(f"/v4/spreadsheets/{given}")


def _id_in_path(url: str) -> str | None:
    """Return the id in the path, which alone says to Google which spreadsheet is meant."""
    found = _ID_IN_PATH.search(path_of(url))
    return found[1] if found else None


def _id_in_url(url: str) -> str | None:
    try:
        return extract_id_from_url(url)
    except NoValidUrlKeyFound:
        return None


def _as_lane(spreadsheet_id: object) -> str:
    if not isinstance(spreadsheet_id, str) or not spreadsheet_id:
        return ACCOUNT_LANE
    if len(spreadsheet_id) > _LONGEST or not _is_utf8(spreadsheet_id):
        return hashlib.sha256(spreadsheet_id.encode(errors="replace")).hexdigest()
    return spreadsheet_id


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
