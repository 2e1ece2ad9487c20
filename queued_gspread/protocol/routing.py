"""Which lane a call waits in: one per spreadsheet, and one for calls that belong to none.

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

from queued_gspread.google_api.paths import path_of

from .kinds import CLIENT, HTTP_CLIENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .kinds import ObjectKind

__all__ = ["ACCOUNT_LANE", "METHODS", "has_lane", "lane_name", "lane_of"]

ACCOUNT_LANE: Final = "-"
"""The lane of calls that belong to no spreadsheet, such as opening one by its title."""

METHODS: Final[Mapping[ObjectKind, Mapping[str, tuple[str, str]]]] = {
    CLIENT: {
        "copy": ("file_id", "file_id title copy_permissions folder_id copy_comments"),
        "create": ("", "title folder_id"),
        "del_spreadsheet": ("file_id", "file_id"),
        "export": ("file_id", "file_id format"),
        "get_file_drive_metadata": ("id", "id"),
        "import_csv": ("file_id", "file_id data"),
        "insert_permission": (
            "file_id",
            "file_id value perm_type role notify email_message with_link",
        ),
        "list_permissions": ("file_id", "file_id"),
        "list_spreadsheet_files": ("", "title folder_id"),
        "open": ("", "title folder_id"),
        "open_by_key": ("key", "key"),
        "open_by_url": ("url", "url"),
        "openall": ("", "title"),
        "remove_permission": ("file_id", "file_id permission_id"),
    },
    HTTP_CLIENT: {
        "batch_update": ("id", "id body"),
        "export": ("file_id", "file_id format"),
        "fetch_sheet_metadata": ("id", "id params"),
        "get_file_drive_metadata": ("id", "id"),
        "import_csv": ("file_id", "file_id data"),
        "insert_permission": (
            "file_id",
            "file_id email_address perm_type role notify email_message with_link",
        ),
        "list_permissions": ("file_id", "file_id"),
        "login": ("", ""),
        "remove_permission": ("file_id", "file_id permission_id"),
        "request": ("endpoint", "method endpoint params data json files headers"),
        "spreadsheets_get": ("id", "id params"),
        "spreadsheets_sheets_copy_to": ("id", "id sheet_id destination_spreadsheet_id"),
        "values_append": ("id", "id range params body"),
        "values_batch_clear": ("id", "id params body"),
        "values_batch_get": ("id", "id ranges params"),
        "values_batch_update": ("id", "id body"),
        "values_clear": ("id", "id range"),
        "values_get": ("id", "id range params"),
        "values_update": ("id", "id range params body"),
    },
}
"""For each method whose object is of no one spreadsheet: the parameter that names the spreadsheet,
if any, and all parameters, as they were when this table was written."""

_ID_IN_PATH: Final = re.compile(r"/(?:v4/spreadsheets|spreadsheets/d|drive/v[23]/files)/([^/:]+)")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
_ESCAPED: Final = "~"


def lane_name(spreadsheet_id: object) -> str:
    """Return the name of a spreadsheet's lane, whatever its id is; None means no spreadsheet.

    An id as Google makes them is the name, so that observers can read it. Any other id is named by
    its digest, after a character that no such id has. So names are short and harmless, and only
    None gets the account's lane.
    """
    if spreadsheet_id is None:
        return ACCOUNT_LANE
    text = str(spreadsheet_id)
    if _PLAIN.fullmatch(text) and text != ACCOUNT_LANE:
        return text
    return _ESCAPED + hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def lane_of(
    kind: ObjectKind,
    spreadsheet_id: object,
    method: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> str:
    """Return the lane of a call; without the object's spreadsheet id, its arguments name it."""
    if isinstance(spreadsheet_id, str):
        return lane_name(_id_sent(spreadsheet_id))
    naming = None if spreadsheet_id is not None else _naming_parameter(kind, method)
    if naming is None:
        return lane_name(spreadsheet_id)
    index, parameter = naming
    value = args[index] if index < len(args) else kwargs.get(parameter)
    return lane_name(_id_in(parameter, value))


def has_lane(kind: ObjectKind, method: str) -> bool:
    """Return whether it is known which lane a method's calls wait in.

    It is not for a method that gspread has added or changed since :data:`METHODS` was written.
    """
    return kind not in METHODS or method not in kind.calls or _is_listed(kind, method)


@cache
def _is_listed(kind: ObjectKind, method: str) -> bool:
    _, parameters = METHODS[kind].get(method, ("", None))
    return parameters == " ".join(_parameters(kind, method))


@cache
def _naming_parameter(kind: ObjectKind, method: str) -> tuple[int, str] | None:
    """Return position and name of the parameter that names the spreadsheet, if there is one."""
    naming, parameters = METHODS.get(kind, {}).get(method, ("", ""))
    return (parameters.split().index(naming), naming) if naming else None


def _parameters(kind: ObjectKind, method: str) -> list[str]:
    return list(inspect.signature(getattr(kind.cls, method)).parameters)[1:]


def _id_in(parameter: str, value: object) -> object:
    if not isinstance(value, str):
        return None if parameter in ("url", "endpoint") else value
    if parameter == "url":
        return _id_in_url(value)
    if parameter == "endpoint":
        return _id_in_path(value)
    return _id_sent(value)


def _id_sent(spreadsheet_id: str) -> str:
    """Return the part of an id that Google sees: gspread puts it into the URL's path unescaped."""
    text = str.__str__(spreadsheet_id)  # an enum's member may be a str, and look different in a URL
    if _PLAIN.fullmatch(text):
        return text
    return _id_in_path(f"/v4/spreadsheets/{text}") or text


def _id_in_path(url: str) -> str | None:
    """Return the id in the path, the only part by which Google knows the spreadsheet."""
    match = _ID_IN_PATH.search(path_of(url))
    return match[1] if match else None


def _id_in_url(url: str) -> str | None:
    try:
        return extract_id_from_url(url)
    except NoValidUrlKeyFound:
        return None
