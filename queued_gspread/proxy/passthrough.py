"""Modules of ours that stand in for gspread's."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

__all__ = ["stand_in"]


class _StandIn(ModuleType):
    """One of our modules: patching a name that it passes on patches gspread's module too."""

    def __setattr__(self, name: str, value: Any) -> None:
        theirs = _theirs(self.__name__)
        if _stands_for(vars(self).get(name, self)) is vars(theirs).get(name, theirs):
            setattr(theirs, name, _stands_for(value))
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        """Return a name that was added to gspread's module later."""
        theirs = _theirs(self.__name__)
        if name.startswith("__") or not hasattr(theirs, name):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(theirs, name)


def stand_in(name: str) -> None:
    """Make a module of ours stand in for gspread's module of the same name.

    Names that only gspread's has are found in ours too, and what is patched in ours is seen by
    gspread's code.
    """
    ours = sys.modules[name]
    _originals[name] = sys.modules[name.removeprefix("queued_")]
    for passed_on, value in vars(_theirs(name)).items():
        own = vars(ours).setdefault(passed_on, value)
        if isinstance(own, type) and own is not value:
            _queued[own] = value
    ours.__class__ = _StandIn


_queued: dict[type, Any] = {}
# Kept, since a program may be run with our modules in the place of gspread's.
_originals: dict[str, ModuleType] = {}


def _stands_for(value: Any) -> Any:
    """Return gspread's class for one of ours, and any other value unchanged."""
    return _queued.get(value, value) if isinstance(value, type) else value


def _theirs(name: str) -> ModuleType:
    return _originals[name]
