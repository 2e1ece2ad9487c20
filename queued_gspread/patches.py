"""Whether gspread's code meets itself in this process, or what a test or a library has put there.

A call that travels is made by the server, which knows nothing of what was patched here. So each
call is preceded by a look at the names that gspread's code uses: those of its classes, of its
modules and of the queued object's class. What they stand for is noted when the package is
imported. A name that no code of gspread's uses, such as that of a helper that a library adds, is
not looked at, since none of it can meet it.
"""

from __future__ import annotations

from operator import attrgetter
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final

import gspread
from gspread import cell, client, http_client, spreadsheet, utils, worksheet

from .catalogue import CLIENT, HTTP_CLIENT, SPREADSHEET, WORKSHEET, Kind, is_gspreads_own

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

__all__ = ["Names", "is_patched", "put"]

# The code of each kind uses that of the kinds before it.
_PLACES: Final[Mapping[Kind, tuple[Any, ...]]] = {
    HTTP_CLIENT: (gspread.HTTPClient, http_client, utils),
    WORKSHEET: (gspread.Worksheet, gspread.Cell, gspread.ValueRange, worksheet, cell),
    SPREADSHEET: (gspread.Spreadsheet, spreadsheet),
    CLIENT: (gspread.Client, client),
}


class Names:
    """What the names of a class or a module stand for that gspread's code uses.

    Args:
        place: The class or the module.

    """

    def __init__(self, place: Any) -> None:
        self.names = [name for name in dir(place) if name in _USED and not name.startswith("__")]
        self._get = attrgetter(*(_found(place, name) for name in self.names))
        self._noted = self._get(place)

    def hold_in(self, place: Any) -> bool:
        """Tell whether they stand for the same in a place: the same one, or a class below it."""
        try:
            same: bool = self._get(place) == self._noted
        except AttributeError:
            return False
        return same

    def note(self, name: str, before: Any, after: Any) -> None:
        """Take note that a name stands for something else from now on, if it stood for that."""
        self._noted = tuple(
            after if name == each and noted is before else noted
            for each, noted in zip(self.names, self._noted, strict=True)
        )


def put(module: ModuleType, name: str, value: Any) -> None:
    """Put this package's own in the place of a name of gspread's module: it is no patch."""
    _NAMES[module].note(name, getattr(module, name), value)
    setattr(module, name, value)


def is_patched(kind: Kind) -> bool:
    """Tell whether the code of a kind's methods would meet something that is not gspread's."""
    return kind in _PATCHED_BEFORE or not all(names.hold_in(place) for place, names in _NOTED[kind])


def _used() -> Iterator[str]:
    """Yield the names of all attributes and globals that gspread's code uses."""
    for places in _PLACES.values():
        for place in places:
            for value in vars(place).values():
                for function in _functions(value):
                    yield from _names_in(function.__code__)


def _found(place: Any, name: str) -> str:
    """Return the path to what a name stands for: of a class method that which all classes share."""
    return f"{name}.__func__" if isinstance(getattr(place, name), MethodType) else name


def _functions(value: Any) -> Iterator[FunctionType]:
    """Yield gspread's own functions in a value: what it is, or what it wraps."""
    for part in (value, *(getattr(value, name, None) for name in ("fget", "fset", "__func__"))):
        if isinstance(part, FunctionType) and is_gspreads_own(part):
            yield part
            if hasattr(part, "__wrapped__"):
                yield from _functions(part.__wrapped__)


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _and_before(kind: Kind) -> list[Kind]:
    """Return a kind and those whose code its own uses."""
    kinds = list(_PLACES)
    return kinds[: kinds.index(kind) + 1]


_USED: Final = frozenset(_used())

_NAMES: Final = {place: Names(place) for places in _PLACES.values() for place in places}
_NOTED: Final = {
    kind: [(place, _NAMES[place]) for used in _and_before(kind) for place in _PLACES[used]]
    for kind in _PLACES
}

# Where a library was there before this package, what gspread had is not known any more.
_PATCHED_BEFORE: Final = frozenset(
    kind
    for kind in _PLACES
    if any(used.calls & _USED - used.originals.keys() for used in _and_before(kind))
)
