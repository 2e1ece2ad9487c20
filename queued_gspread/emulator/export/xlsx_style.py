"""A cell's format in the terms of XlsxWriter."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.values.patterns import pattern_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queued_gspread.emulator.book.cell import Cell

Json = dict[str, Any]
_LINES = {
    "SOLID": 1,
    "SOLID_MEDIUM": 2,
    "DASHED": 3,
    "DOTTED": 4,
    "SOLID_THICK": 5,
    "DOUBLE": 6,
}
_ALIGN = {"LEFT": "left", "CENTER": "center", "RIGHT": "right"}
_VALIGN = {"TOP": "top", "MIDDLE": "vcenter", "BOTTOM": "bottom"}
_HALF_OF_DAY = re.compile(r'("[^"]*"|\\.)|am/pm|a/p', re.IGNORECASE)
_VERTICAL = 270
_STEPS = 255


class Styles:
    """The formats of one workbook, each made once."""

    def __init__(self, workbook: Any, theme: Mapping[str, Json]) -> None:
        """Add formats to this workbook; theme gives the colour of a colour's type."""
        self._workbook = workbook
        self._theme = theme
        self._known: dict[str, Any] = {}

    def of(self, cell: Cell, number_format: Mapping[str, str]) -> Any:
        """Return the format of a cell that is shown by a number format, None for no format."""
        entered = {
            **(cell.format or {}),
            **({"numberFormat": number_format} if number_format else {}),
        }
        if not entered:
            return None
        key = json.dumps(entered, sort_keys=True)
        if key not in self._known:
            self._known[key] = self._workbook.add_format(style(entered, self._theme))
        return self._known[key]


def theme_colors(properties: Json) -> dict[str, Json]:
    """Return the colours of a spreadsheet's theme by their type."""
    pairs = (properties.get("spreadsheetTheme") or {}).get("themeColors") or []
    named = ((pair.get("colorType"), pair.get("color") or {}) for pair in pairs)
    return {name: color.get("rgbColor", {}) for name, color in named if name}


def style(entered: Json, theme: Mapping[str, Json]) -> Json:
    """Return a CellFormat as the properties that XlsxWriter's `add_format` takes."""
    found: Json = {
        "bg_color": color(entered, "backgroundColor", theme),
        "align": _ALIGN.get(entered.get("horizontalAlignment", "")),
        "valign": _VALIGN.get(entered.get("verticalAlignment", "")),
        "text_wrap": entered.get("wrapStrategy") == "WRAP",
        "rotation": _rotation(entered.get("textRotation") or {}),
        "num_format": excel_pattern(entered.get("numberFormat") or {}),
    }
    found |= _font(entered.get("textFormat") or {}, theme)
    found |= _borders(entered.get("borders") or {}, theme)
    return {name: value for name, value in found.items() if value}


def excel_pattern(number_format: Mapping[str, str]) -> str:
    """Return a number format as Excel spells it, empty for "General"."""
    if number_format.get("type") == "TEXT":
        return "@"
    pattern = pattern_of(number_format)
    return _HALF_OF_DAY.sub(lambda match: match[1] or match[0].upper(), pattern)


def color(owner: Json, name: str, theme: Mapping[str, Json]) -> str | None:
    """Return the colour of this name as `#rrggbb`, None where there is none."""
    chosen = owner.get(f"{name}Style") or {}
    rgb = theme.get(chosen.get("themeColor", ""), chosen.get("rgbColor", owner.get(name)))
    if rgb is None:
        return None
    levels = (round(rgb.get(channel, 0) * _STEPS) for channel in ("red", "green", "blue"))
    return "#" + "".join(f"{level:02x}" for level in levels)


def _font(text: Json, theme: Mapping[str, Json]) -> Json:
    return {
        "bold": text.get("bold"),
        "italic": text.get("italic"),
        "underline": 1 if text.get("underline") else None,
        "font_strikeout": text.get("strikethrough"),
        "font_name": text.get("fontFamily"),
        "font_size": text.get("fontSize"),
        "font_color": color(text, "foregroundColor", theme),
    }


def _borders(borders: Json, theme: Mapping[str, Json]) -> Json:
    found: Json = {}
    for side, border in borders.items():
        line = _LINES.get(border.get("style", ""))
        if line:
            found |= {side: line, f"{side}_color": color(border, "color", theme)}
    return found


def _rotation(rotation: Json) -> int:
    return _VERTICAL if rotation.get("vertical") else int(rotation.get("angle", 0))
