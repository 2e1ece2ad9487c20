"""Names of gspread's modules that ours pass on."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gspread import urls

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["passing_on", "take_patches"]


class _Surface(ModuleType):
    """One of our modules: whoever patches a name that it passes on patches gspread's module too."""

    def __setattr__(self, name: str, value: Any) -> None:
        theirs = sys.modules[self.__name__.removeprefix("queued_")]
        if vars(self).get(name, self) is vars(theirs).get(name, theirs):
            setattr(theirs, name, value)
        super().__setattr__(name, value)


def take_patches(theirs: ModuleType) -> ModuleType:
    """Have gspread's code meet what is put on our module in the place of gspread's; return ours."""
    ours = sys.modules[f"queued_{theirs.__name__}"]
    ours.__class__ = _Surface
    return ours


def passing_on(theirs: ModuleType) -> Callable[[str], Any]:
    """Return a module's ``__getattr__`` that finds what gspread's module has of gspread's own.

    The queued classes are attributes of our module and come first. What gspread's module has
    from elsewhere, sessions among it, stays there: nothing found here sends to Google.
    """
    ours = take_patches(theirs)
    passed = [name for name in vars(theirs) if name not in vars(ours) and _is_own(theirs, name)]
    vars(ours).update((name, getattr(theirs, name)) for name in passed)
    # A star takes them of gspread's module as well.
    vars(ours)["__all__"] = [*ours.__all__, *passed]

    def find(name: str) -> Any:
        if not _is_own(theirs, name):
            raise AttributeError(f"module {ours.__name__!r} has no attribute {name!r}")
        return getattr(theirs, name)

    return find


def _is_own(theirs: ModuleType, name: str) -> bool:
    value = getattr(theirs, name, None)
    is_own = str(getattr(value, "__module__", "")).startswith("gspread") or name in vars(urls)
    return is_own and not name.startswith("_")
