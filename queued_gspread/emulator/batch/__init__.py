"""The requests of `spreadsheets.batchUpdate`, one handler each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import cells, dimensions, groups, paste, ranges, sheets, sorting

if TYPE_CHECKING:
    from .scope import Handler

HANDLERS: dict[str, Handler] = {
    **sheets.HANDLERS,
    **dimensions.HANDLERS,
    **cells.HANDLERS,
    **groups.HANDLERS,
    **paste.HANDLERS,
    **ranges.HANDLERS,
    **sorting.HANDLERS,
}
