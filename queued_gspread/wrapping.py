"""From gspread's own objects to queued ones."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import gspread

from . import objects
from .catalogue import HTTP_CLIENT, KINDS, SPREADSHEET, WORKSHEET

if TYPE_CHECKING:
    from .catalogue import Kind

__all__ = ["Objects", "adopt", "is_customised", "register"]

_proxies: dict[str, type[Any]] = {}


def register(kind: Kind, proxy: type[Any]) -> None:
    """Make a class the proxy of a kind."""
    _proxies[kind.name] = proxy


def is_customised(proxy: Any, kind: Kind = HTTP_CLIENT) -> bool:
    """Tell whether an object has calls of a user's own, on its class or on itself."""
    return not kind.calls.isdisjoint(vars(proxy)) or _has_own_calls(
        cast("Any", type(proxy)), kind.name
    )


@cache
def _has_own_calls(cls: Any, kind: str) -> bool:
    plain = _proxies[kind]
    calls = KINDS[kind].calls
    return any(getattr(cls, name, None) is not getattr(plain, name) for name in calls)


def adopt(result: Any) -> Any:
    """Return what gspread's own code made in this process, with queued objects in it."""
    if type(result) in (list, tuple):
        return type(result)(adopt(item) for item in result)
    kind = {gspread.Spreadsheet: SPREADSHEET, gspread.Worksheet: WORKSHEET}.get(type(result))
    return result if kind is None else objects.bare(_proxies[kind.name], **vars(result))


class Objects:
    """What the spreadsheets and worksheets of a reply become: queued ones.

    Args:
        http: The queued HTTP client that they send their calls through.
        parent: The spreadsheet whose worksheets are expected, if any: they all share it.

    """

    def __init__(self, http: Any, parent: Any = None) -> None:
        self._http = http
        self._parents = {} if parent is None else {parent.id: parent}

    def spreadsheet(self, properties: dict[str, Any]) -> Any:
        """Return a queued spreadsheet with these properties."""
        return objects.spreadsheet(self._http, properties, cls=_proxies[SPREADSHEET.name])

    def worksheet(self, spreadsheet: dict[str, Any], properties: dict[str, Any]) -> Any:
        """Return a queued worksheet with these properties."""
        parent_id = spreadsheet["id"]
        if parent_id not in self._parents:
            self._parents[parent_id] = self.spreadsheet(spreadsheet)
        parent = self._parents[parent_id]
        cls = _proxies[WORKSHEET.name]
        return objects.worksheet(self._http, parent, parent_id, properties, cls=cls)
