"""How wide a text is in a cell, in pixels: Arial at 10 points, by its published metrics."""

from __future__ import annotations

_PIXELS_PER_EM = 10 * 96 / 72
_UNITS_PER_EM = 1000
_PADDING = 6
_COMMON = 556
_WIDTHS = {
    278: " !,./:;\\[]ftI|",
    222: "ijl",
    333: "-()r`",
    500: "cksvxyzJ",
    667: "ABEKPSVXY&",
    722: "CDHNRUw",
    778: "GOQ",
    833: "mM",
    944: "W",
    611: "FTZ",
}
_WIDTH_OF = {letter: width for width, letters in _WIDTHS.items() for letter in letters}


def pixel_width(text: str) -> int:
    """Return the width of a column that fits a text; an approximation, as fonts differ."""
    lines = text.split("\n")
    units = max(sum(_WIDTH_OF.get(letter, _COMMON) for letter in line) for line in lines)
    return round(units / _UNITS_PER_EM * _PIXELS_PER_EM) + _PADDING
