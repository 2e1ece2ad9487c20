"""Puts the queued gspread in the place of gspread, for a whole process and its children."""

from __future__ import annotations

import contextlib
import importlib
import sys
from types import ModuleType
from typing import Any, Final

import gspread

import queued_gspread

__all__ = ["SwappingText", "swap_gspread"]

# They use the real gspread, so they must be imported before it is replaced.
_USERS_OF_GSPREAD: Final = ("server", "emulator.server", "emulator.client")


class _QueuedGspread(ModuleType):
    """The module that is imported as ``gspread``: names are looked up in the real one as well."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(gspread, name)


def swap_gspread() -> None:
    """Make ``import gspread`` import the queued gspread from now on, submodules included."""
    if isinstance(sys.modules["gspread"], _QueuedGspread):
        return
    for name in _USERS_OF_GSPREAD:
        with contextlib.suppress(ImportError):  # the emulator is an extra
            importlib.import_module(f"queued_gspread.{name}")
    queued = _QueuedGspread("gspread", gspread.__doc__)
    vars(queued).update(vars(gspread))
    ours = {name: getattr(queued_gspread, name) for name in queued_gspread.__all__}
    # Libraries look at the version of gspread.
    vars(queued).update({**ours, "__version__": gspread.__version__})
    sys.modules["gspread"] = queued
    for name, own in ours.items():
        if isinstance(own, ModuleType) and f"gspread.{name}" in sys.modules:
            sys.modules[f"gspread.{name}"] = own


class SwappingText(str):
    """A text that swaps gspread where it is unpickled.

    ``multiprocessing`` sends ``sys.argv`` to each new interpreter before that runs the program's
    own code, so a text of this kind in it makes the children's calls queued too.
    """

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return _swapped, (str(self),)


def _swapped(text: str) -> SwappingText:
    swap_gspread()
    return SwappingText(text)
