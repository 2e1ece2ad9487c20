"""The requests of `spreadsheets.batchUpdate`, a function each, which has its kind for a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.wire.description import fields_of, snake

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

_MODULES = (
    *(banding, borders, cells, conditional, dimensions, embedded, filter_views, finding, groups),
    *(metadata, paste, ranges, rearrange, rows, sheets, sorting, tables, text),
)
_KINDS = {snake(field.name): field.name for field in fields_of("Request").values()}
# `add_banding` answers `addBanding`.
HANDLERS: dict[str, Handler] = {
    _KINDS[name]: found
    for module in _MODULES
    for name, found in vars(module).items()
    if name in _KINDS
}
