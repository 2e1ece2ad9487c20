"""The exception classes that travel, found in the modules that define them."""

from __future__ import annotations

import builtins
from types import GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any, Final

import google.auth.exceptions
import gspread.exceptions
import requests.exceptions

from queued_gspread import errors

__all__ = ["CLASSES", "GROUP", "MODULES", "name_of", "native_base", "slots_of"]

MODULES: Final[tuple[ModuleType, ...]] = (
    builtins,
    gspread.exceptions,
    requests.exceptions,
    google.auth.exceptions,
    errors,
)

# Python 3.10 has none, and no class is a subclass of ().
GROUP: Final[Any] = getattr(builtins, "ExceptionGroup", ())

# The object of an AttributeError may be anything at all; pickle leaves it out as well.
_LEFT_OUT: Final = frozenset({"obj"})


def name_of(cls: type) -> str:
    """Return the name under which a class is registered."""
    return f"{cls.__module__}.{cls.__qualname__}"


# What is no Exception ends a program (KeyboardInterrupt, SystemExit), and must not end
# the client's because it ended the server's.
CLASSES: Final[dict[str, type[Exception]]] = {
    name_of(found): found
    for module in MODULES
    for found in vars(module).values()
    if isinstance(found, type) and issubclass(found, Exception)
}


def native_base(cls: type[BaseException]) -> type[BaseException]:
    """Return the builtin class whose C structure the instances of ``cls`` have."""
    base: Any = cls
    while base.__module__ != builtins.__name__:
        base = base.__base__
    found: type[BaseException] = base
    return found


def slots_of(cls: type[BaseException]) -> dict[str, Any]:
    """Return the descriptors of what builtin classes keep outside ``__dict__`` and args."""
    if issubclass(cls, GROUP):
        return {}
    return {
        name: descriptor
        for base in reversed(cls.__mro__)
        if base.__module__ == builtins.__name__ and base not in (BaseException, object)
        for name, descriptor in vars(base).items()
        if isinstance(descriptor, (MemberDescriptorType, GetSetDescriptorType))
        and name not in _LEFT_OUT
    }
