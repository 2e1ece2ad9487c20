"""The properties that Google gives to a new spreadsheet, from recorded answers."""

from __future__ import annotations

import copy
from typing import Any

from .color import color_of

_THEME = {
    "TEXT": 0x000000,
    "BACKGROUND": 0xFFFFFF,
    "ACCENT1": 0x4285F4,
    "ACCENT2": 0xEA4335,
    "ACCENT3": 0xFBBC04,
    "ACCENT4": 0x34A853,
    "ACCENT5": 0xFF6D01,
    "ACCENT6": 0x46BDC6,
    "LINK": 0x1155CC,
}
_DEFAULTS: dict[str, Any] = {
    "locale": "en_US",
    "autoRecalc": "ON_CHANGE",
    "timeZone": "Etc/GMT",
    "defaultFormat": {
        "backgroundColor": {"red": 1, "green": 1, "blue": 1},
        "padding": {"top": 2, "right": 3, "bottom": 2, "left": 3},
        "verticalAlignment": "BOTTOM",
        "wrapStrategy": "OVERFLOW_CELL",
        "textFormat": {
            "foregroundColor": {},
            "fontFamily": "arial,sans,sans-serif",
            "fontSize": 10,
            "bold": False,
            "italic": False,
            "strikethrough": False,
            "underline": False,
            "foregroundColorStyle": {"rgbColor": {}},
        },
        "backgroundColorStyle": {"rgbColor": {"red": 1, "green": 1, "blue": 1}},
    },
    "spreadsheetTheme": {
        "primaryFontFamily": "Arial",
        "themeColors": [
            {"colorType": kind, "color": {"rgbColor": color_of(code)}}
            for kind, code in _THEME.items()
        ],
    },
}


def default_properties() -> dict[str, Any]:
    """Return a copy of the default SpreadsheetProperties, without a title."""
    return copy.deepcopy(_DEFAULTS)
