"""Keep the warnings that gspread raises while it runs a call, for the caller.

``warnings.catch_warnings`` changes the whole process, and calls run in many threads beside the
code of the program that embeds a server. So gspread's modules get a ``warnings`` module whose
``warn`` checks whether the current thread runs a call.
"""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import gspread

from queued_gspread.protocol.patches import put

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["captured"]

_local = threading.local()


class _Warnings(ModuleType):
    """The ``warnings`` module with its own ``warn``."""

    def __getattr__(self, name: str) -> Any:
        return getattr(warnings, name)

    @staticmethod
    def warn(message: Any, category: Any = None, stacklevel: int = 1, **kwargs: Any) -> None:
        """Keep a warning if this thread runs a call; pass on any other."""
        kept = getattr(_local, "kept", None)
        if kept is None:
            # One more level for this function.
            warnings.warn(message, category, stacklevel + 1, **kwargs)
            return
        if isinstance(message, Warning):
            category = type(message)
        kept.append([(category or UserWarning).__name__, str(message)])


@contextmanager
def captured() -> Iterator[list[list[str]]]:
    """Yield the list of ``[category, text]`` to which this thread's gspread calls append."""
    outer = getattr(_local, "kept", None)
    _local.kept = []
    try:
        yield _local.kept
    finally:
        _local.kept = outer


def _install() -> None:
    standin = _Warnings("warnings")
    for module in (gspread.client, gspread.spreadsheet, gspread.utils, gspread.worksheet):
        if getattr(module, "warnings", None) is warnings:
            put(module, "warnings", standin)


_install()
