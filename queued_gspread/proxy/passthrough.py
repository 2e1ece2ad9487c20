"""Our modules in the place of gspread's."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

__all__ = ["stand_in"]


class _StandIn(ModuleType):
    """One of our modules: whoever patches a name that it passes on patches gspread's module too."""

    def __setattr__(self, name: str, value: Any) -> None:
        theirs = _theirs(self.__name__)
        if _stands_for(vars(self).get(name, self)) is vars(theirs).get(name, theirs):
            setattr(theirs, name, _stands_for(value))
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        """Find what was put on gspread's module later."""
        theirs = _theirs(self.__name__)
        if name.startswith("__") or not hasattr(theirs, name):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(theirs, name)


def stand_in(name: str) -> None:
    """Have a module of ours stand in for the one of gspread's that is called alike.

    Whatever gspread's has and ours has not is found in ours, and gspread's code meets what is put
    on ours in its place.
    """
    ours = sys.modules[name]
    for passed_on, value in vars(_theirs(name)).items():
        found = vars(ours).setdefault(passed_on, value)
        if isinstance(found, type) and found is not value:
            _queued[found] = value
    ours.__class__ = _StandIn


_queued: dict[type, Any] = {}


def _stands_for(value: Any) -> Any:
    """Return gspread's class for one of ours, and anything else as it is."""
    return _queued.get(value, value) if isinstance(value, type) else value


def _theirs(name: str) -> ModuleType:
    return sys.modules[name.removeprefix("queued_")]
