"""Makes queued objects of gspread's own."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

import gspread

from queued_gspread.protocol import objects
from queued_gspread.protocol.kinds import HTTP_CLIENT, SPREADSHEET, WORKSHEET
from queued_gspread.protocol.patches import Names

if TYPE_CHECKING:
    from queued_gspread.protocol.kinds import ObjectKind

__all__ = [
    "Objects",
    "adopt",
    "is_customised",
    "is_ours_patched",
    "making_ours",
    "ours",
    "register",
]

_proxies: dict[str, type[Any]] = {}
_names: dict[str, Names] = {}
_constructed: dict[str, Names] = {}


def register(kind: ObjectKind, proxy: type[Any]) -> None:
    """Make a class the proxy of a kind."""
    _proxies[kind.name] = proxy
    _names[kind.name] = Names(proxy)
    _constructed[kind.name] = Names(proxy, "__init__")


def is_customised(proxy: Any, kind: ObjectKind = HTTP_CLIENT) -> bool:
    """Return whether a user's own attribute, on an object or its class, hides one of gspread's.

    Classes are checked each time, since tests and libraries patch them, including ours.
    """
    ours = _names[kind.name]
    return not (vars(proxy).keys().isdisjoint(ours.names) and ours.hold_in(type(proxy)))


def is_ours_patched() -> bool:
    """Return whether our Spreadsheet, which clients instantiate, is patched."""
    return not _constructed[SPREADSHEET.name].hold_in(_proxies[SPREADSHEET.name])


def ours(cls: type[Any]) -> type[Any]:
    """Return our class for one of gspread's that has one, and any other class unchanged."""
    kind = {gspread.Spreadsheet: SPREADSHEET, gspread.Worksheet: WORKSHEET}.get(cls)
    return cls if kind is None else _proxies[kind.name]


def making_ours(method: Any) -> Any:
    """Return a client's method that makes our Spreadsheets; unchanged if it is not a function."""
    if not isinstance(method, FunctionType):
        return method
    names = {**method.__globals__, "Spreadsheet": _proxies[SPREADSHEET.name]}
    function = FunctionType(method.__code__, names, None, method.__defaults__, method.__closure__)
    function.__kwdefaults__ = method.__kwdefaults__
    return function


def adopt(result: Any) -> Any:
    """Return a result of gspread's own code in this process, with its objects queued."""
    if type(result) in (list, tuple):
        return type(result)(adopt(item) for item in result)
    kind = {gspread.Spreadsheet: SPREADSHEET, gspread.Worksheet: WORKSHEET}.get(type(result))
    return result if kind is None else objects.bare(_proxies[kind.name], **vars(result))


class Objects:
    """Makes a reply's spreadsheets and worksheets queued ones.

    Args:
        http: The queued HTTP client that sends their calls.
        parent: The spreadsheet whose worksheets are expected, if any: they share this object.

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
