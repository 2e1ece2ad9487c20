"""Whether a test or a library has patched names that gspread's code uses in this process.

A call that travels is made by the server, which knows nothing of patches made here. So before each
call we look at the names that gspread's code uses: those of its classes, of its modules and of the
queued object's class. Their values are noted when the package is imported. A name that no code of
gspread's uses, such as a helper that a library adds, is not looked at, since it cannot matter.
"""

from __future__ import annotations

from operator import attrgetter, itemgetter
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, Final

import gspread
from gspread import cell, client, http_client, spreadsheet, utils, worksheet

from .kinds import CLIENT, HTTP_CLIENT, SPREADSHEET, WORKSHEET, ObjectKind, is_gspreads_own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Names", "is_patched", "put"]

# Each kind's code uses the code of the kinds before it.
_PLACES: Final[Mapping[ObjectKind, tuple[Any, ...]]] = {
    HTTP_CLIENT: (gspread.HTTPClient, http_client, utils),
    WORKSHEET: (gspread.Worksheet, gspread.Cell, gspread.ValueRange, worksheet, cell),
    SPREADSHEET: (gspread.Spreadsheet, spreadsheet),
    CLIENT: (gspread.Client, client),
}


class Names:
    """The names of a class or a module that gspread's code uses, and their noted values.

    Args:
        place: The class or the module.
        more: Names that its code uses implicitly.

    Attributes:
        place: Where they are looked up.
        names: The names.
        look: Looks them up, fast, since that happens before every call.
        noted: Their values when noted.

    """

    def __init__(self, place: Any, *more: str) -> None:
        names = [name for name in dir(place) if name in _USED and not name.startswith("__")]
        self.names = [*names, *more]
        self.place: Any = vars(place) if isinstance(place, ModuleType) else place
        self.look = _look(place, self.names)
        self.noted = self.look(self.place)

    def hold_in(self, subclass: type) -> bool:
        """Return whether the names still have the noted values in a class or its subclass."""
        try:
            same: bool = self.look(subclass) == self.noted
        except AttributeError:
            return False
        return same

    def note(self, name: str, before: Any, after: Any) -> None:
        """Note a name's new value, if the noted one was ``before``."""
        self.noted = tuple(
            after if name == each and noted is before else noted
            for each, noted in zip(self.names, self.noted, strict=True)
        )


def put(module: ModuleType, name: str, value: Any) -> None:
    """Replace a name of gspread's module by this package's own, without counting as a patch."""
    _NAMES[module].note(name, getattr(module, name), value)
    setattr(module, name, value)


def is_patched(kind: ObjectKind) -> bool:
    """Return whether the code of a kind's methods uses a name that is patched."""
    try:
        for names in _NOTED[kind.name]:
            if names.look(names.place) != names.noted:
                return True
    except (AttributeError, KeyError):
        return True
    return False


def _used() -> Iterator[str]:
    """Yield the names of all attributes and globals that gspread's code uses."""
    for places in _PLACES.values():
        for place in places:
            for value in vars(place).values():
                for function in _functions(value):
                    yield from _names_in(function.__code__)


def _look(place: Any, names: list[str]) -> Callable[[Any], Any]:
    if isinstance(place, ModuleType):
        return itemgetter(*names)
    # A class method is bound anew for each class: compare its function.
    methods = {name for name in names if isinstance(getattr(place, name), MethodType)}
    return attrgetter(*(f"{name}.__func__" if name in methods else name for name in names))


def _functions(value: Any) -> Iterator[FunctionType]:
    """Yield gspread's own functions in a value: itself, or those that it wraps."""
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


def _and_before(kind: ObjectKind) -> list[ObjectKind]:
    """Return a kind and the kinds whose code it uses."""
    kinds = list(_PLACES)
    return kinds[: kinds.index(kind) + 1]


_USED: Final = frozenset(_used())

_NAMES: Final = {
    place: Names(place, *(["__init__"] if isinstance(place, type) else []))
    for places in _PLACES.values()
    for place in places
}
_NOTED: Final = {
    kind.name: [_NAMES[place] for used in _and_before(kind) for place in _PLACES[used]]
    for kind in _PLACES
}


def _forget_what_was_patched_before() -> None:
    """Void the notes of a class that was patched before this package was imported."""
    for place, names in _NAMES.items():
        values = [getattr(place, name) for name in names.names if name in vars(place)]
        code = [value for value in values if callable(value) or isinstance(value, property)]
        if isinstance(place, type) and not all(map(is_gspreads_own, code)):
            names.noted = None


_forget_what_was_patched_before()
