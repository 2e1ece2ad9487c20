"""The request that draws lines around and within a range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.book.color import with_color_styles
from queued_gspread.emulator.wire.errors import InvalidArgumentError

if TYPE_CHECKING:
    from queued_gspread.emulator.book.a1 import Rect

    from .scope import Handler, Json, Scope

# In pixels; only its style sets a border's width.
_WIDTHS = {
    "DOTTED": 1,
    "DASHED": 1,
    "SOLID": 1,
    "SOLID_MEDIUM": 2,
    "SOLID_THICK": 3,
    "DOUBLE": 3,
}


def update_borders(scope: Scope, request: Json) -> Json:
    """Set the borders that are given, NONE clears one; others stay as they are.

    By the reference of UpdateBordersRequest.
    """
    sheet, rect = scope.grid_range(request.get("range"))
    asked = {name: _border(border) for name, border in request.items() if name != "range"}
    for row in range(rect.start_row, rect.end_row):
        for column in range(rect.start_column, rect.end_column):
            cell = sheet.grid.get(row, column)
            look = dict(cell.format or {})
            sides = {**look.pop("borders", {}), **_sides(rect, row, column, asked)}
            drawn = {side: border for side, border in sides.items() if border}
            look |= {"borders": drawn} if drawn else {}
            sheet.grid.put(row, column, cell.changed(format=look or None))
    return {}


def _border(border: Json) -> Json | None:
    """Return a border as it is stored; None to remove it."""
    style = border.get("style", "STYLE_UNSPECIFIED")
    if style == "NONE":
        return None
    if style not in _WIDTHS:
        allowed = ", ".join([*_WIDTHS, "NONE"])
        raise InvalidArgumentError(f"Border style must be one of {allowed}, was {style}")
    colors = {name: border[name] for name in ("color", "colorStyle") if name in border}
    found: Json = with_color_styles(colors or {"color": {}})
    return {"style": style, "width": _WIDTHS[style], **found}


def _sides(rect: Rect, row: int, column: int, asked: Json) -> Json:
    """Return the borders of one cell of a range that a request changes."""
    names = {
        "top": "top" if row == rect.start_row else "innerHorizontal",
        "bottom": "bottom" if row == rect.end_row - 1 else "innerHorizontal",
        "left": "left" if column == rect.start_column else "innerVertical",
        "right": "right" if column == rect.end_column - 1 else "innerVertical",
    }
    return {side: asked[name] for side, name in names.items() if name in asked}


HANDLERS: dict[str, Handler] = {"updateBorders": update_borders}
