"""The requests of `spreadsheets.batchUpdate`, one handler each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    banding,
    borders,
    cells,
    conditional,
    dimensions,
    embedded,
    filter_views,
    finding,
    groups,
    metadata,
    paste,
    ranges,
    rearrange,
    rows,
    sheets,
    sorting,
    tables,
    text,
)

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
    **rearrange.HANDLERS,
    **rows.HANDLERS,
    **text.HANDLERS,
    **finding.HANDLERS,
    **borders.HANDLERS,
    **conditional.HANDLERS,
    **banding.HANDLERS,
    **filter_views.HANDLERS,
    **metadata.HANDLERS,
    **tables.HANDLERS,
    **embedded.HANDLERS,
}
