"""A sheet's cells as a person sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.values.reading import read_range
from queued_gspread.emulator.values.render import Rendering

if TYPE_CHECKING:
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.values.evaluate import Evaluator


def shown_rows(evaluator: Evaluator, sheet: Sheet) -> list[list[str]]:
    """Return the texts of a sheet's rows, without what is empty at the end."""
    found = read_range(evaluator, sheet, sheet.grid.everything, Rendering(), "ROWS")
    return [[str(value) for value in row] for row in found.get("values", [])]
