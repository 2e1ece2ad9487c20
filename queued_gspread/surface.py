"""Names of gspread's modules that ours pass on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gspread import urls

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["passing_on"]


def passing_on(theirs: ModuleType) -> Callable[[str], Any]:
    """Return a module's ``__getattr__`` that finds what gspread's module has of gspread's own.

    The queued classes are attributes of our module and come first. What gspread's module has
    from elsewhere, sessions among it, stays there: nothing found here sends to Google.
    """

    def find(name: str) -> Any:
        value = getattr(theirs, name, None)
        is_own = str(getattr(value, "__module__", "")).startswith("gspread") or name in vars(urls)
        if name.startswith("_") or not is_own:
            ours = theirs.__name__.replace("gspread", "queued_gspread", 1)
            raise AttributeError(f"module {ours!r} has no attribute {name!r}")
        return value

    return find
