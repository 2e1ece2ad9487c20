"""Keep the warnings that gspread raises while it runs a call, for the caller.

``warnings.catch_warnings`` changes the whole process, and calls run in many threads beside the
code of the program that embeds a server. So gspread's modules get a ``warnings`` module whose
``warn`` checks whether the current thread runs a call.
"""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import gspread

from queued_gspread.protocol.patches import put
from queued_gspread.server.policy.running_call import running_call

__all__ = ["install"]


class _Warnings(ModuleType):
    """The ``warnings`` module with its own ``warn``."""

    def __getattr__(self, name: str) -> Any:
        return getattr(warnings, name)

    @staticmethod
    def warn(message: Any, category: Any = None, stacklevel: int = 1, **kwargs: Any) -> None:
        """Keep a warning if this thread runs a call; pass on any other."""
        call = running_call()
        if call is None:
            # One more level for this function.
            warnings.warn(message, category, stacklevel + 1, **kwargs)
            return
        if isinstance(message, Warning):
            category = type(message)
        call.warnings.append([(category or UserWarning).__name__, str(message)])


def install() -> None:
    """Give gspread's modules that ``warnings`` module."""
    standin = _Warnings("warnings")
    for module in (gspread.client, gspread.spreadsheet, gspread.utils, gspread.worksheet):
        if getattr(module, "warnings", None) is warnings:
            put(module, "warnings", standin)
