"""How a cell is shown, by the options of a read request."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from queued_gspread.emulator.book.cell import CellError

from .patterns import DATE_TYPES, show_number, show_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queued_gspread.emulator.book.cell import Cell, Scalar, Value

FORMATTED, UNFORMATTED, FORMULA = "FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA"


class Rendering(NamedTuple):
    """The render options of a request, with Google's defaults."""

    value: str = FORMATTED
    moments: str = "SERIAL_NUMBER"


def render(
    cell: Cell, value: Value, number_format: Mapping[str, str], options: Rendering
) -> Scalar:
    """Return what a request reads from a cell whose value and number format are worked out."""
    if options.value == FORMULA and cell.formula is not None:
        return cell.formula
    if options.value == FORMATTED:
        return shown(cell, value, number_format)
    if isinstance(value, CellError):
        return value.code
    if value is None:
        # A reference to an empty cell: Google shows nothing, where Excel shows 0.
        return ""
    as_text = options.moments == "FORMATTED_STRING" and _is_number(value)
    if as_text and number_format.get("type") in DATE_TYPES:
        return shown(cell, value, number_format)
    return plain(value)


def shown(cell: Cell, value: Value, number_format: Mapping[str, str] | None = None) -> str:
    """Return a cell's text as a person sees it, by its own number format if no other is given."""
    if isinstance(value, CellError):
        return value.code
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return show_text(value, number_format or cell.number_format)
    return show_number(value, number_format or cell.number_format)


def plain(value: Scalar) -> Scalar:
    """Return a value as JSON holds it: a whole number without a fraction."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
