"""Find the functions of a formula that are not computed, to report them when it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.book.a1 import Rect, range_name
from queued_gspread.emulator.book.not_computed import TOO_DEEP, NotComputedError
from queued_gspread.emulator.values.functions.conditional import CONDITIONAL

from .formula import FormulaSyntaxError, UnsupportedSyntaxError, functions_in, parse
from .functions import FAMILIES, FUNCTIONS
from .names import GOOGLE
from .place import REFERRING
from .special import SPECIAL

if TYPE_CHECKING:
    from queued_gspread.emulator.book.cell import Cell
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

_REFERRING = {*SPECIAL, *REFERRING} & GOOGLE
# A LAMBDA is computed if it is an argument of a function.
COMPUTED = frozenset({*FUNCTIONS, *CONDITIONAL, *_REFERRING, "LAMBDA"})
MISSING = GOOGLE - COMPUTED


def families() -> dict[str, list[str]]:
    """Return the names of all functions that are computed, by what they are about."""
    found = {family: sorted(functions) for family, functions in FAMILIES.items()}
    return {
        **found,
        "conditions": sorted(CONDITIONAL),
        "references, names, time and chance": sorted({*_REFERRING, "LAMBDA"}),
    }


def note_written(book: Spreadsheet, sheet: Sheet, row: int, column: int, cell: Cell | None) -> None:
    """Report a formula that was just written if it is not computed."""
    if cell is None or cell.formula is None:
        return
    try:
        names = functions_in(parse(cell.formula)) & MISSING
        gaps = [NotComputedError(name) for name in sorted(names)]
    except FormulaSyntaxError:
        return
    except RecursionError:
        gaps = [TOO_DEEP]
    except UnsupportedSyntaxError as found:
        gaps = [NotComputedError(str(found))]
    for gap in gaps:
        place = range_name(sheet.title, Rect(row, row + 1, column, column + 1))
        book.gaps.note(gap.mark(place))
