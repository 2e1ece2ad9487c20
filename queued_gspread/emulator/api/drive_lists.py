"""The lists of Drive: the order of files, and pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.store import FOLDER_TYPE
from queued_gspread.emulator.wire.errors import drive_invalid, drive_unimplemented

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from queued_gspread.emulator.book.store import File

_MOST_DIGITS = 9
_ORDERS: dict[str, Callable[[File], Any]] = {
    "createdTime": lambda file: file.created,
    "folder": lambda file: file.mime_type != FOLDER_TYPE,
    "modifiedByMeTime": lambda file: file.modified,
    "modifiedTime": lambda file: file.modified,
    "name": lambda file: file.title.casefold(),
    "name_natural": lambda file: [
        (int(part), "") if part.isdecimal() else (0, part)
        for part in re.split(r"(\d+)", file.title.casefold())
    ],
    "recency": lambda file: file.modified,
    "starred": lambda _: False,
}
_NO_ORDERS = {"quotaBytesUsed", "sharedWithMeTime", "viewedByMeTime"}


def in_order(files: list[File], order: str) -> list[File]:
    """Return files by keys like `folder,modifiedTime desc,name`."""
    for key in reversed(order.split(",") if order else []):
        name, _, direction = key.strip().partition(" ")
        if name in _NO_ORDERS:
            raise drive_unimplemented(f"The emulator does not order files by {name}.")
        if name not in _ORDERS or direction not in {"", "desc"}:
            raise drive_invalid("orderBy")
        files = sorted(files, key=_ORDERS[name], reverse=bool(direction))
    return files


def page(
    items: Sequence[Any], query: Mapping[str, str], default: int, largest: int
) -> tuple[list[Any], dict[str, str]]:
    """Return the items of the page that is asked for, and the token of the next one, if any."""
    token = (query.get("pageToken") or "~!!~0").removeprefix("~!!~")
    size = query.get("pageSize") or str(default)
    if not _is_count(token):
        raise drive_invalid("pageToken")
    if not _is_count(size) or not 1 <= int(size) <= largest:
        message = f"Invalid value '{size}'. Values must be within the range: [1, {largest}]"
        raise drive_invalid("pageSize", message)
    end = int(token) + int(size)
    more = {"nextPageToken": f"~!!~{end}"} if end < len(items) else {}
    return list(items[int(token) : end]), more


def _is_count(text: str) -> bool:
    return text.isdecimal() and len(text) <= _MOST_DIGITS
