"""The exception classes that travel, found in the modules that define them."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, Final

import google.auth.exceptions
import gspread.exceptions
import requests.exceptions

from queued_gspread import errors

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["CLASSES", "GROUP", "MODULES", "name_of"]

MODULES: Final[tuple[ModuleType, ...]] = (
    builtins,
    gspread.exceptions,
    requests.exceptions,
    google.auth.exceptions,
    errors,
)

# Python 3.10 has none, and no class is a subclass of ().
GROUP: Final[Any] = getattr(builtins, "ExceptionGroup", ())


def name_of(cls: type) -> str:
    """Return the name by which a class is registered."""
    return f"{cls.__module__}.{cls.__qualname__}"


# A BaseException that is not an Exception ends a program (KeyboardInterrupt, SystemExit): one that
# ended the server must not end the client.
CLASSES: Final[dict[str, type[Exception]]] = {
    name_of(cls): cls
    for module in MODULES
    for cls in vars(module).values()
    if isinstance(cls, type) and issubclass(cls, Exception)
}
