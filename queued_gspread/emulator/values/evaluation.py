"""The part of a formula's evaluation that its functions see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from queued_gspread.emulator.book.a1 import Bounds
    from queued_gspread.emulator.book.cell import Value
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

    from .formula import Node
    from .functions.arguments import Area, Argument


class Cells(Protocol):
    """The cells that a formula can read."""

    book: Spreadsheet

    def area(self, sheet: Sheet, bounds: Bounds) -> Area:
        """Return the values of a reference; fail with `#REF!` outside the grid."""
        ...


class Evaluation(Protocol):
    """The formula of one cell, while it is computed."""

    cells: Cells
    book: Spreadsheet
    sheet: Sheet
    row: int
    column: int
    scope: dict[str, Argument]
    takes_arrays: bool

    def argument(self, node: Node) -> Argument:
        """Return a node's value; what cannot be computed is an error as a value."""
        ...

    def single(self, node: Node) -> Value:
        """Return a node's single value; of a range, the one in the formula's row or column."""
        ...

    def arrays(self, taken: bool = True) -> AbstractContextManager[None]:
        """Compute functions inside for each cell of a range, if `taken` or already so."""
        ...
